/* sender_conf.c - see sender_conf.h. */
#include "sender/sender_conf.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "codec/closing.h"
#include "codec/record.h"
#include "codec/seal.h"
#include "host/conf.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/reason.h"
#include "host/units.h"
#include "sender/layout.h"

#define POLICY_CONF_CHANNEL struct sender_channel
#include "content/policy_conf.h"

#define NS_PER_S 1000000000ull
#define OBJECT_MAX (1ull << 40) /* bytes; 2^32 symbols of the smallest datagrams hold more */

static int parse_port(const char *s, uint16_t *port)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return -1;
	v = strtoul(s, &end, 10);
	if (*end != '\0' || v == 0 || v > 65535)
		return -1;
	*port = htons((uint16_t)v);
	return 0;
}

/* Not 0.0.0.0/8 (to which Linux sends to itself), nor multicast or broadcast. */
static bool is_host(struct in_addr a)
{
	uint32_t ip = ntohl(a.s_addr);

	return ip >> 24 != 0 && ip >> 28 < 14;
}

static int parse_destination(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;
	char host[INET_ADDRSTRLEN];
	const char *colon = strchr(value, ':');

	*why = "is not an IPv4 address and a port, as in 10.77.0.2:5150";
	if (colon == NULL || (size_t)(colon - value) >= sizeof(host))
		return -1;
	memcpy(host, value, (size_t)(colon - value));
	host[colon - value] = '\0';
	c->destination.sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &c->destination.sin_addr) != 1 || parse_port(colon + 1, &c->destination.sin_port) != 0)
		return -1;
	*why = "is not the address of one host: a network's, a group's or everybody's";
	return is_host(c->destination.sin_addr) ? 0 : -1;
}

static int parse_source(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;

	*why = "is not an IPv4 address, as in 10.77.0.1";
	if (inet_pton(AF_INET, value, &c->source.sin_addr) != 1)
		return -1;
	c->source.sin_family = AF_INET;
	return 0;
}

/* What plan.h can compute. */
static int parse_loss(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;

	*why = N_("is not a share from 0 to 90%, as in 1%");
	return units_ratio(value, &c->loss) == 0 && c->loss <= 0.9 ? 0 : -1;
}

static int parse_failure(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;

	*why = "is not a probability from 1e-100 to 0.5, as in 1e-9";
	return units_ratio(value, &c->failure) == 0 && c->failure >= 1e-100 && c->failure <= 0.5 ? 0 : -1;
}

/* "1m 10m 1h": growing or equal; the last one goes on. */
static int parse_repeat(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;
	char copy[256], *save = NULL;

	*why = "is not a list of times, as in 1m 10m 1h (at least 1s each, at most 16)";
	if (strlen(value) >= sizeof(copy))
		return -1;
	strcpy(copy, value);
	c->repeats = 0;
	for (char *w = strtok_r(copy, " \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save)) {
		uint64_t ns;

		if (c->repeats == SENDER_REPEATS_MAX || units_time(w, &ns) != 0 || ns < NS_PER_S)
			return -1;
		c->repeat_ns[c->repeats++] = ns;
	}
	return c->repeats > 0 ? 0 : -1;
}

static int parse_syslog_format(void *object, const char *value, const char **why)
{
	struct sender_conf *c = object;

	*why = "is neither rfc5424 nor cef";
	c->syslog_cef = strcmp(value, "cef") == 0;
	return c->syslog_cef || strcmp(value, "rfc5424") == 0 ? 0 : -1;
}

#define AT(field) offsetof(struct sender_conf, field)
#define PATH(section, key, field, required) \
	{ section, key, CONF_PATH, AT(field), SENDER_PATH_MAX, 0, 0, required, NULL }
#define IN_CHANNEL(key, type, field, min, max) \
	{ "channel ", key, type, offsetof(struct sender_channel, field), 0, min, max, 0, NULL }

static const struct conf_key keys[] = {
	PATH("sender", "keys", keys, 1),
	PATH("sender", "receiver", receiver, 1),
	PATH("sender", "recovery", recovery, 0),
	PATH("sender", "psk", psk, 0),
	PATH("sender", "state", state, 1),
	PATH("sender", "folders", folders, 1),
	PATH("sender", "witness", witness, 0),
	PATH("sender", "metrics", metrics, 0),
	PATH("sender", "syslog", syslog, 0),
	{ "sender", "syslog_format", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_syslog_format },
	{ "sender", "list", CONF_TIME, AT(list_ns), 0, NS_PER_S, 366ull * 86400 * NS_PER_S, 0, NULL },
	{ "link", "destination", CONF_CUSTOM, 0, 0, 0, 0, 1, parse_destination },
	{ "link", "source", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_source },
	{ "link", "interface", CONF_STRING, AT(interface), IF_NAMESIZE, 0, 0, 0, NULL },
	{ "link", "lane", CONF_COUNT, AT(lane), 0, 0, FRAME_LANE_MAX, 0, NULL },
	{ "link", "mtu", CONF_COUNT, AT(mtu), 0, SENDER_MTU_MIN, SENDER_MTU_MAX, 0, NULL },
	{ "link", "rate", CONF_RATE, AT(rate), 0, 100000, 1000000000000, 1, NULL },
	{ "link", "loss", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_loss },
	{ "link", "burst", CONF_TIME, AT(burst_ns), 0, 0, 60 * NS_PER_S, 0, NULL },
	{ "link", "failure", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_failure },
	{ "link", "pacing_burst", CONF_TIME, AT(pacing_ns), 0, 1000, NS_PER_S / 10, 0, NULL },
	{ "link", "repeat", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_repeat },
	{ "link", "retention", CONF_TIME, AT(retention_ns), 0, NS_PER_S, 3660ull * 86400 * NS_PER_S, 0, NULL },
	{ "link", "receipts", CONF_TIME, AT(receipts_ns), 0, NS_PER_S, 36600ull * 86400 * NS_PER_S, 0, NULL },
	{ "channel ", "folder", CONF_PATH, offsetof(struct sender_channel, folder), SENDER_PATH_MAX, 0, 0, 0, NULL },
	IN_CHANNEL("max_file", CONF_SIZE, max_file, 1, OBJECT_MAX),
	IN_CHANNEL("quiet", CONF_TIME, quiet_ns, 1, 3600 * NS_PER_S),
	IN_CHANNEL("outbox_max", CONF_SIZE, outbox_max, 1, 1000 * OBJECT_MAX),
	IN_CHANNEL("priority", CONF_COUNT, priority, 1, 9),
	IN_CHANNEL("batch_files", CONF_COUNT, batch_files, 1, RECORD_FILES_MAX),
	IN_CHANNEL("batch_bytes", CONF_SIZE, batch_bytes, 1, OBJECT_MAX),
	IN_CHANNEL("batch_age", CONF_TIME, batch_age_ns, NS_PER_S / 1000, 3600 * NS_PER_S),
	POLICY_CONF_KEYS,
};

unsigned sender_conf_channel(const struct sender_conf *c, const char *name)
{
	for (unsigned i = 0; i < c->channels; i++)
		if (strcmp(c->channel[i].name, name) == 0)
			return i;
	return SENDER_CHANNELS_MAX;
}

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	struct sender_conf *c = config;
	struct sender_channel *ch;

	if (strncmp(kind, "channel", 7) != 0)
		return c;
	if (!name_channel_ok(name, strlen(name))) {
		*why = "is no channel name: 1 to 32 of a-z 0-9 - _, beginning with a letter";
		return NULL;
	}
	if (strcmp(name, CLOSING_CHANNEL) == 0) {
		*why = "is the name of the program's own channel; take another";
		return NULL;
	}
	if (c->channels == SENDER_CHANNELS_MAX - 1) {
		*why = "is one channel too many (64)";
		return NULL;
	}
	if (sender_conf_channel(c, name) != SENDER_CHANNELS_MAX) {
		*why = "stands there twice";
		return NULL;
	}
	ch = &c->channel[c->channels++];
	strcpy(ch->name, name);
	ch->max_file = 1ull << 30;
	ch->quiet_ns = 2 * NS_PER_S;
	ch->batch_files = 1024; /* one row of syncs for all, each of which may cost milliseconds; the next are gathered meanwhile */
	ch->batch_bytes = 64ull << 20;
	ch->batch_age_ns = NS_PER_S;
	ch->priority = SENDER_PRIORITY;
	content_policy_of_channel(&ch->content, name);
	return ch;
}

static void defaults(struct sender_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->mtu = 1500;
	c->loss = 0.01;
	c->failure = 1e-9;
	c->burst_ns = 20 * NS_PER_S / 1000;
	c->pacing_ns = 300 * 1000;
	c->list_ns = 3600 * NS_PER_S;
	c->retention_ns = 14ull * 86400 * NS_PER_S;
	c->receipts_ns = 400ull * 86400 * NS_PER_S;
	c->repeats = 5;
	c->repeat_ns[0] = 60 * NS_PER_S;
	c->repeat_ns[1] = 600 * NS_PER_S;
	c->repeat_ns[2] = 3600 * NS_PER_S;
	c->repeat_ns[3] = 6 * 3600 * NS_PER_S;
	c->repeat_ns[4] = 24 * 3600 * NS_PER_S;
}

/* The program's own channel: closings, from a folder within the state directory (made by closer_open()). */
static int add_reserved(struct sender_conf *c, const char *name)
{
	struct sender_channel *ch = &c->channel[c->channels++];
	int n = snprintf(ch->folder, sizeof(ch->folder), "%s/closings", c->state);

	if (n < 0 || (size_t)n >= sizeof(ch->folder)) {
		log_error("%s: state has too long a path", name);
		return EXIT_CONFIG;
	}
	strcpy(ch->name, CLOSING_CHANNEL);
	ch->max_file = CLOSING_TEXT_MAX;
	ch->quiet_ns = 2 * NS_PER_S;
	ch->batch_files = 1;
	ch->batch_bytes = CLOSING_TEXT_MAX;
	ch->batch_age_ns = NS_PER_S;
	ch->priority = SENDER_PRIORITY;
	content_policy_of_channel(&ch->content, ch->name);
	return 0;
}

static int default_folder(struct sender_channel *ch, const char *folders, const char *name)
{
	char path[SENDER_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", folders, ch->name);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		log_error("%s: the folder of channel %s has too long a path", name, ch->name);
		return EXIT_CONFIG;
	}
	memcpy(ch->folder, path, (size_t)n + 1);
	return 0;
}

/* Folders left to their default, and two channels that share one. */
static int finish_folders(struct sender_conf *c, const char *name)
{
	for (unsigned i = 0; i < c->channels; i++) {
		struct sender_channel *ch = &c->channel[i];

		if (ch->folder[0] == '\0' && default_folder(ch, c->folders, name) != 0)
			return EXIT_CONFIG;
		for (unsigned j = 0; j < i; j++)
			if (strcmp(c->channel[j].folder, ch->folder) == 0) {
				log_error("%s: channels %s and %s have the same folder %s", name,
				    c->channel[j].name, ch->name, ch->folder);
				return EXIT_CONFIG;
			}
	}
	return 0;
}

int sender_conf_read(struct sender_conf *c, const char *name, int fd)
{
	static const char *const required[] = { "sender", "link", NULL };
	const struct conf_schema schema = {
		.key = keys, .keys = sizeof(keys) / sizeof(keys[0]),
		.section = section, .config = c, .required = required,
	};
	struct layout l;
	int code;

	defaults(c);
	code = conf_read(&schema, name, fd);
	if (code != 0)
		return code;
	if (c->metrics[0] != '\0' && metrics_path_wrong(c->metrics) != NULL) {
		log_error("%s: metrics = %s %s", name, c->metrics, reason_show(metrics_path_wrong(c->metrics)));
		return EXIT_CONFIG;
	}
	if (c->channels == 0) {
		log_error("%s: no channel; add a section such as [channel eltax]", name);
		return EXIT_CONFIG;
	}
	c->n = sender_datagram_len(c->mtu);
	if (layout_of(&l, c, 1) != 0 || layout_of(&l, c, 2 * OBJECT_MAX) != 0) {
		log_error("%s: no redundancy holds loss = %g, burst = %g ms, failure = %g at this rate; "
		    "lower loss or burst, or allow more failure", name, c->loss, (double)c->burst_ns / 1e6, c->failure);
		return EXIT_CONFIG;
	}
	code = add_reserved(c, name);
	return code != 0 ? code : finish_folders(c, name);
}

int sender_conf_recipients(const struct sender_conf *c)
{
	struct party receiver, recovery;

	if (keyfile_read_public(&receiver, c->receiver, PARTY_RECEIVER) != 0)
		return EXIT_KEYS;
	if (c->recovery[0] == '\0')
		return 0;
	if (keyfile_read_public(&recovery, c->recovery, PARTY_RECEIVER) != 0)
		return EXIT_KEYS;
	if (memcmp(receiver.fingerprint, recovery.fingerprint, HASH_LEN) != 0)
		return 0;
	log_error("%s: the recovery key is the receiver's own, which is lost together with it; make another, and keep it in a safe", c->recovery);
	return EXIT_KEYS;
}

uint64_t sender_conf_object_max(const struct sender_conf *c)
{
	uint64_t max = 0;

	for (unsigned i = 0; i < c->channels; i++) {
		const struct sender_channel *ch = &c->channel[i];
		uint64_t most = ch->max_file > ch->batch_bytes ? ch->max_file : ch->batch_bytes;
		max = most > max ? most : max;
	}
	return seal_object_max(max);
}
