/* sender_proc.h - the sender's processes, each the rest of its life (descriptors: see main.c). */
#ifndef KM_SENDER_PROC_H
#define KM_SENDER_PROC_H

/* name: the configuration file as the user gave it. */
int sender_spool_main(const char *name);
int sender_check_main(const char *name);
int sender_link_main(const char *name);

/* Descriptors from PROC_FD_FIRST on, per role. */
enum sender_fd_spool { SPOOL_FD_CONF, SPOOL_FD_LOCK, SPOOL_FD_CHECK, SPOOL_FD_LINK, SPOOL_FD_WINDOW, SPOOL_FDS };
enum sender_fd_check { CHECK_FD_CONF, CHECK_FD_SPOOL, CHECK_FDS };
enum sender_fd_link { LINK_FD_CONF, LINK_FD_SPOOL, LINK_FD_UDP, LINK_FD_WINDOW, LINK_FDS };

#endif
