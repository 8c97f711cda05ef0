/* log_private.h - between log.c, log_sink.c and whoever closes descriptors (proc.h, sandbox.h).
 *
 * The main process puts the sockets at fixed numbers, above any that a child is given, and says in the environment
 * which there are. */
#ifndef KM_LOG_PRIVATE_H
#define KM_LOG_PRIVATE_H

#define LOG_SINKS_ENV "KATAMICHI_LOG_SINKS"
enum { LOG_FD_JOURNAL = 40, LOG_FD_SYSLOG = 41, LOG_FDS_MAX = 2 };

int log_to_journal(void);  /* is standard error the journal? */
void log_sinks_find(void); /* look at the environment and the descriptors */
/* Those that this process writes to; how many. */
unsigned log_sinks(int fd[static LOG_FDS_MAX]);
/* In a child, before exec: let it have them. */
void log_sinks_inherit(void);
/* Close all descriptors from `from` on, but for those.  0, or -1 with errno. */
int log_close_others(unsigned from);

#endif
