/* status.h - which side a configuration file is of, and what `katamichi status` says of each. */
#ifndef KM_STATUS_H
#define KM_STATUS_H

enum conf_kind { CONF_KIND_SENDER = 1, CONF_KIND_RECEIVER = 2 };

/* By its section [sender] or [receiver]: the kind, or, after a logged line,
 * minus the exit code (it cannot be read; it has neither or both). */
int conf_kind(const char *name);

/* Print; json: one object on one line.  Exit codes. */
int status_sender(const char *name, int json);
struct sender_conf;
int status_sender_running(const struct sender_conf *c); /* 1: a daemon holds its lock */
int status_receiver(const char *name, int json);

#endif
