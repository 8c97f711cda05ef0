/* status.h - which side a configuration file is of, and what `katamichi status` says of each: one screen, or its facts
 * as JSON (out.h decides). */
#ifndef KM_STATUS_H
#define KM_STATUS_H

#include <jansson.h>
#include <stdint.h>

enum conf_kind { CONF_KIND_SENDER = 1, CONF_KIND_RECEIVER = 2 };

/* By its section [sender] or [receiver]: the kind, or, after a logged line,
 * minus the exit code (it cannot be read; it has neither or both). */
int conf_kind(const char *name);

/* Print; exit codes. */
int status_sender(const char *name);
int status_receiver(const char *name);
void status_receiver_show(const json_t *s); /* for people: status.json, and what status_receiver() has added */
struct sender_conf;
int status_sender_running(const struct sender_conf *c); /* 1: a daemon holds its lock */

/* --- what both are made of (status_common.c) --- */
/* Put { code, text } of what should be done next into the list; the codes are those of the table in status_common.c. */
void status_todo(json_t *list, const char *code);
/* A key file's age into the list: { name, role, created, days } or, where that cannot be known, { name, role }.
 * path: NAME.key (then NAME.pub beside it is read: no secret is touched) or NAME.pub.  valid_until: seconds since 1970, or 0. */
void status_key(json_t *list, const char *name, const char *path, uint64_t valid_until);
/* "label     text", wrapped behind the label; printf. */
void status_line(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void status_show_keys(const json_t *keys);
void status_show_todo(const json_t *todo);
json_int_t status_number(const json_t *o, const char *key);
uint64_t status_count(const json_t *o, const char *key);
int status_is(const json_t *o, const char *key); /* it is true */
const char *status_text(const json_t *o, const char *key, const char *otherwise);
uint64_t status_age(const char *iso);            /* seconds since then; 0 if it is no time */
int status_recent(const json_t *incident);       /* its `at` is of these days: somebody is still asked to look at it */
/* A copy of rows with channel and generation (or without), in which a channel of several generations says which: "eltax.g-01234567". */
json_t *status_streams(const json_t *list);

#endif
