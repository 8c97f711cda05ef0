/* log.h - the one logger: a line to standard error for each event.
 *
 * On a terminal or in a file: "2026-11-21T02:26:03.123Z katamichi-sender[spool] warning: text".
 * Under systemd (JOURNAL_STREAM set): to the journal's own socket, with fields by which lines can be found
 * (journalctl KATAMICHI_CHANNEL=eltax, MESSAGE_ID=... by kind of event; log_format.h); where that cannot be had,
 * "<4>[spool] text" to standard error, which the journal takes as priority and text.  `syslog = SOCKET` in a
 * configuration copies each line of a service to a syslog daemon of this host (RFC 5424 or CEF); a line that the daemon
 * is too slow for is left out there, and only there.  Bytes that are not printable UTF-8 are shown as
 * \xNN, so a file name can never forge a line.  Never pass a secret.
 *
 * A message says what happened, to what (file, channel, number), and what to do. */
#ifndef KM_LOG_H
#define KM_LOG_H

enum log_event { /* kinds of lines that somebody may want to find */
	LOG_EVENT_NONE, LOG_EVENT_READY, LOG_EVENT_STOPPED, LOG_EVENT_DELIVERED, LOG_EVENT_FORK, LOG_EVENT_QUARANTINED, LOG_EVENT_REFUSED,
	LOG_EVENT_CHAIN, LOG_EVENT_CLOSING, LOG_EVENT_GENERATION, LOG_EVENT_SESSION, LOG_EVENT_REPLAY, LOG_EVENT_STRANGER, LOG_EVENT_KEY,
	LOG_EVENT_CLOCK, LOG_EVENT_DISK, LOG_EVENT_NUMBERED, LOG_EVENT_SENT, LOG_EVENT_FILE_REFUSED, LOG_EVENTS
};
struct log_fields { /* NULL or 0: not said */
	enum log_event event;
	const char *channel, *object, *peer;
	unsigned long long number;
};
/* What the next line of this thread is about: log_about(.event = LOG_EVENT_SENT, .channel = c, .number = n).  The strings must live
 * until that line. */
void log_fields_set(const struct log_fields *f);
#define log_about(...) log_fields_set(&(const struct log_fields){ __VA_ARGS__ })
/* In a main process, once the configuration is read, before children are started: open the journal and, unless it is
 * empty, syslog's socket.  cef: in that form, else RFC 5424.  0, or -1 after a logged line. */
int log_sinks_open(const char *syslog, int cef) __attribute__((warn_unused_result));

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* program: "katamichi-sender"; role: "spool", or NULL.  Both must stay valid.
 * KATAMICHI_DEBUG=1 in the environment shows debug lines. */
void log_init(const char *program, const char *role);
/* For a command that a person runs: lines are "katamichi: text", without time
 * and role.  Also what is used before any call of log_init(). */
void log_init_tool(const char *program);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* log_error(), then exit(code) (see exits.h). */
_Noreturn void log_die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes made printable into out[size] (always NUL-terminated, "..." at the end if cut); returns out. */
const char *log_show(char *out, unsigned long size, const void *bytes, unsigned long n);

#endif
