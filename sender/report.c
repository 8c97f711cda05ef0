/* report.c - STATE/status.json, once a second: what only the running process
 * knows.  `katamichi status` adds what the database says. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/durable.h"
#include "host/log.h"
#include "host/reason.h"
#include "host/sandbox.h"
#include "sender/spool.h"

/* What a file of this folder waits for, as long as it is tried in vain; NULL: nothing. */
static json_t *trouble(const struct feed *f, uint64_t now_ns)
{
	if (f->trouble == NULL || now_ns - f->trouble_ns > 3 * SPOOL_RETRY_NS)
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "name", f->trouble_name, "what", f->trouble, "error", reason_errno(f->trouble_error));
}

static json_t *channels(const struct spool *s, uint64_t now_ns)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < s->conf.channels; i++) {
		uint64_t taken = 0;
		for (const struct batch *b = s->batches; b != NULL; b = b->next)
			taken += b->feed == i ? b->claim.count : 0;
		json_array_append_new(all, json_pack("{s:s, s:I, s:I, s:I, s:o*}", "name", s->conf.channel[i].name,
		    "waiting", (json_int_t)watch_count(s->watch, i), "taken", (json_int_t)taken,
		    "refused", (json_int_t)s->feed[i].refused, "trouble", trouble(&s->feed[i], now_ns)));
	}
	return all;
}

static json_t *describe(const struct spool *s, uint64_t now_ns)
{
	uint64_t since_ms = 0;
	uint32_t epoch = rekey_epoch(s->rekey, now_ns, &since_ms);

	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}",
	    "clock_jumps", (json_int_t)s->clock_jumps, "disk", s->disk_trouble ? s->disk_why : "", "at_ms", (json_int_t)clock_wall_ms(), "epoch", (json_int_t)epoch, "epoch_since_ms", (json_int_t)since_ms,
	    "service_ms", (json_int_t)outbox_service_ms(&s->outbox, now_ns), "rate", (json_int_t)s->conf.rate,
	    "in_flight", (json_int_t)s->last.in_flight, "datagrams", (json_int_t)s->last.datagrams,
	    "bytes", (json_int_t)s->last.bytes, "refused_datagrams", (json_int_t)s->last.refused,
	    "blocked", (json_int_t)s->last.blocked, "no_segmentation_offload", s->last.segments < s->last.segments_want,
	    "no_sandbox", sandbox_is_off(), "channels", channels(s, now_ns));
}

void report_write(struct spool *s, uint64_t now_ns)
{
	int dir = open(s->conf.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *j = describe(s, now_ns);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	if (dir < 0 || text == NULL || durable_note(dir, "status.json", text, strlen(text), 0644) != 0)
		log_debug("status.json could not be written");
	free(text);
	json_decref(j);
	if (dir >= 0)
		close(dir);
}
