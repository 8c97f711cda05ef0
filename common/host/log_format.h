/* log_format.h - a log line in the forms of others: pure.
 *
 *   journal   systemd's native protocol: FIELD=value lines, MESSAGE and PRIORITY among them; `journalctl KATAMICHI_CHANNEL=eltax'
 *   rfc5424   "<28>1 2026-11-21T02:26:03.123Z host katamichi-receiver 812 quarantined [katamichi@32473 channel="eltax" ...] text"
 *   cef       ArcSight's common event format behind the older syslog header:
 *             "<28>Nov 21 11:26:03 host CEF:0|katamichi|katamichi-receiver|0.1.0|quarantined|text|6|cs1Label=channel cs1=eltax ..."
 *
 * katamichi@32473: 32473 is the enterprise number that RFC 5612 keeps for examples; a site that has one of its own has its
 * collector rewrite it.  The facility is daemon (3).  Event names and fields are the same in any language; the text is for people. */
#ifndef KM_LOG_FORMAT_H
#define KM_LOG_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "host/log.h"

struct log_line {
	const char *program, *role, *host, *version; /* role may be NULL */
	long pid;
	uint64_t wall_ms;
	enum log_level level;
	const struct log_fields *about;
	const char *text; /* printable, one line (log_show) */
};
enum { LOG_FORMAT_MAX = 8192 }; /* bytes that suffice for each of them; what is longer is cut in the text */

/* How many bytes of out were filled; no NUL. */
size_t log_format_journal(char out[static LOG_FORMAT_MAX], const struct log_line *l);
size_t log_format_rfc5424(char out[static LOG_FORMAT_MAX], const struct log_line *l);
size_t log_format_cef(char out[static LOG_FORMAT_MAX], const struct log_line *l);

const char *log_event_name(enum log_event e); /* "delivered"; "-" of LOG_EVENT_NONE */
const char *log_event_id(enum log_event e);   /* MESSAGE_ID, 32 hex digits; NULL of LOG_EVENT_NONE */

#endif
