/* status_receiver.c - katamichi status of a receiver: state/status.json, which
 * the store process writes every second, for people. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/name_json.h"
#include "receiver/receiver_conf.h"
#include "tools/status.h"

enum {
	STALE_MS = 5000,
	LINES_MAX = 64, /* of channels and generations */
	QUARANTINE_LINES = 10,
};

static uint64_t
number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static const char *
text(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : otherwise;
}

static void
show_link(const json_t *l)
{
	const json_t *c = json_object_get(l, "counters"), *v;
	const char *key;
	int any = 0;

	if (json_string_value(json_object_get(l, "last")) == NULL)
		printf("link      nothing authentic received since the start\n");
	else
		printf("link      last datagram %s from %s, lane %" PRIu64 ", epoch %" PRIu64 "\n", text(l, "last", ""),
		    text(l, "peer", "?"), number(l, "lane"), number(l, "epoch"));
	printf("          %" PRIu64 " datagrams, %" PRIu64 " bytes; %" PRIu64 " symbols kept, %" PRIu64 " repaired, %" PRIu64
	    " objects complete\n", number(c, "datagrams"), number(c, "bytes"), number(c, "symbols"), number(c, "repaired"),
	    number(c, "objects"));
	printf("          dropped by the kernel: %" PRIu64 " (socket buffer %" PRIu64 " of %" PRIu64 " bytes in use)\n",
	    number(c, "kernel_drops"), number(l, "buffer_used"), number(l, "buffer"));
	if (json_is_true(json_object_get(l, "small_buffer")))
		printf("          DEGRADED: the kernel gave a socket buffer of %" PRIu64 " bytes, not %" PRIu64 "; expect losses\n",
		    number(l, "buffer"), number(l, "buffer_wanted"));
	printf("          refused:");
	json_object_foreach((json_t *)(uintptr_t)c, key, v) {
		if (json_integer_value(v) == 0 || (strncmp(key, "refused_", 8) != 0 && strncmp(key, "no_", 3) != 0 &&
		    strcmp(key, "not_written") != 0 && strcmp(key, "blocks_failed") != 0 && strcmp(key, "damaged") != 0))
			continue;
		printf("%s %s %lld", any++ ? "," : "", strncmp(key, "refused_", 8) == 0 ? key + 8 : key,
		    (long long)json_integer_value(v));
	}
	printf("%s\n", any ? "" : " none");
}

static void
show_peers(const json_t *peers)
{
	const json_t *p;
	size_t i;

	json_array_foreach(peers, i, p) {
		printf("peer      %s %.16s...: ", text(p, "name", "?"), text(p, "fingerprint", "?"));
		if (json_string_value(json_object_get(p, "session")) == NULL)
			printf("no session since the start");
		else
			printf("session since %s", text(p, "session", ""));
		if (number(p, "old_epochs") != 0)
			printf("; ALARM: %" PRIu64 " sessions with an old epoch", number(p, "old_epochs"));
		if (json_is_false(json_object_get(p, "valid")))
			printf("; ALARM: its key is not valid now: what it sends is held sealed");
		if (json_is_true(json_object_get(p, "disk_trouble")))
			printf("; ALARM: its disk takes nothing now, what is put in there waits");
		printf("\n");
	}
}

static void
show_channels(const json_t *channels, uint64_t all)
{
	const json_t *c, *g;
	size_t i, j;

	if (json_array_size(channels) == 0)
		printf("channel   nothing delivered or announced yet\n");
	json_array_foreach(channels, i, c) {
		if (i == LINES_MAX)
			break;
		printf("channel   %s from %s (generation %.8s): delivered up to %" PRIu64 " of %" PRIu64 ", last %s", text(c, "channel", "?"),
		    text(c, "peer", "?"), text(c, "generation", ""), number(c, "delivered"), number(c, "known"),
		    text(c, "delivered_at", "never"));
		if (number(c, "missing") != 0) {
			printf("; missing %" PRIu64 ":", number(c, "missing"));
			json_array_foreach(json_object_get(c, "gaps"), j, g) {
				long long a = json_integer_value(json_array_get(g, 0)), b = json_integer_value(json_array_get(g, 1));
				if (a == b)
					printf(" %lld", a);
				else
					printf(" %lld-%lld", a, b);
			}
		}
		printf("\n");
	}
	if (all > i)
		printf("channel   ... and %" PRIu64 " more\n", all - i);
}

static void
show_partly(const json_t *partly)
{
	const json_t *p;
	size_t i;

	json_array_foreach(partly, i, p) {
		uint64_t have = number(p, "have"), all = number(p, "symbols");
		printf("partly    object %.8s from %s: %" PRIu64 " symbols", text(p, "object", "?"), text(p, "peer", "?"), have);
		if (all != 0)
			printf(" of %" PRIu64 " (%.1f %%)", all, 100.0 * (double)have / (double)all);
		printf("\n");
	}
}

static void
show_quarantine(const json_t *list, uint64_t all)
{
	uint8_t name[NAME_MAX_LEN];
	char shown[160];
	const json_t *e;
	size_t i;

	printf("set aside %" PRIu64 " in quarantine%s\n", all, all != 0 ? " (katamichi quarantine list)" : "");
	json_array_foreach(list, i, e) {
		size_t n = name_json_get(name, e, "file", "file_b64");
		if (i == QUARANTINE_LINES)
			break;
		printf("          %s since %s: %s%s%s\n", text(e, "entry", "?"), text(e, "at", "?"), log_show(shown, sizeof(shown), name, n),
		    n > 0 ? ": " : "", text(e, "reason", ""));
	}
}

static void
show(const json_t *s)
{
	const json_t *d = json_object_get(s, "disk"), *l = json_object_get(s, "ledger");
	uint64_t at = number(s, "at_ms"), now = clock_wall_ms();

	if (now > at + STALE_MS || at > now + STALE_MS)
		printf("receiver  NOT RUNNING, or its disk takes no word of it (see the log); this is how it was at %s\n", text(s, "at", "?"));
	else
		printf("receiver  running since %s\n", text(s, "started", "?"));
	show_link(json_object_get(s, "link"));
	show_peers(json_object_get(s, "peers"));
	show_channels(json_object_get(s, "channels"), number(s, "streams"));
	show_partly(json_object_get(s, "partly"));
	printf("waiting   %" PRIu64 " objects complete, not yet opened\n", number(s, "waiting"));
	show_quarantine(json_object_get(s, "quarantine"), number(s, "quarantined"));
	printf("ledger    %" PRIu64 " rows, last hash %.16s...\n", number(l, "rows"), text(l, "hash", ""));
	printf("disk      %.1f of %.1f GB free\n", (double)number(d, "free") / 1e9, (double)number(d, "total") / 1e9);
	if (text(d, "trouble", "")[0] != '\0')
		printf("DISK      %s\n", text(d, "trouble", ""));
}

int
status_receiver(const char *name, int json)
{
	static struct receiver_conf conf;
	char path[RECEIVER_PATH_MAX + 32];
	json_error_t e;
	json_t *s;
	int code = receiver_conf_read(&conf, name, -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/status.json", conf.state);
	errno = 0;
	if ((s = json_load_file(path, 0, &e)) == NULL) {
		log_error("%s: %s", path, errno == ENOENT ? "is not there; the receiver has not run yet" :
		    errno != 0 ? strerror(errno) : e.text);
		return errno != 0 ? EXIT_SYSTEM : EXIT_DATA;
	}
	if (json) {
		json_dumpf(s, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show(s);
	}
	json_decref(s);
	return EXIT_OK;
}
