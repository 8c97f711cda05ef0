/* log.h - the one logger: a line to standard error for each event.
 *
 * On a terminal or in a file: "2026-11-21T02:26:03.123Z katamichi-sender[spool] warning: text".
 * Under systemd (JOURNAL_STREAM set): "<4>[spool] text", which the journal
 * takes as priority and text.  Bytes that are not printable UTF-8 are shown as
 * \xNN, so a file name can never forge a line.  Never pass a secret.
 *
 * A message says what happened, to what (file, channel, number), and what to do. */
#ifndef KM_LOG_H
#define KM_LOG_H

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
