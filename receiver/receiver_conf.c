/* receiver_conf.c - receiver.conf (receiver_conf.h). */
#include "receiver/receiver_conf.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/closing.h"
#include "codec/seal.h"
#include "host/conf.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/reason.h"
#include "receiver/validity.h"

#define POLICY_CONF_CHANNEL struct receiver_channel
#include "content/policy_conf.h"

#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define MS 1000000ull
#define BUFFER_LEAST (1ull << 20)  /* bytes; what one batch of the sender may be */
#define BUFFER_UNSAID (64ull << 20) /* bytes: 250 ms at 2 Gbit/s */

static int parse_listen(void *object, const char *value, const char **why)
{
	struct receiver_conf *c = object;
	const char *colon = strchr(value, ':');
	char host[INET_ADDRSTRLEN], *end;
	unsigned long port;

	*why = "is not an IPv4 address and a port, as in 10.77.0.2:5150";
	if (colon == NULL || (size_t)(colon - value) >= sizeof(host) || colon[1] < '1' || colon[1] > '9')
		return -1;
	memcpy(host, value, (size_t)(colon - value));
	host[colon - value] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > 65535 || inet_pton(AF_INET, host, &c->listen.sin_addr) != 1)
		return -1;
	c->listen.sin_family = AF_INET;
	c->listen.sin_port = htons((uint16_t)port);
	return 0;
}

static int parse_sender(void *object, const char *value, const char **why)
{
	struct receiver_conf *c = object;

	*why = "is not an IPv4 address, as in 10.77.0.1";
	return inet_pton(AF_INET, value, &c->sender) == 1 && c->sender.s_addr != 0 ? 0 : -1;
}

static int parse_sender_mac(void *object, const char *value, const char **why)
{
	struct receiver_conf *c = object;
	unsigned b[6];
	int n = 0;

	*why = "is not a MAC address, as in 02:00:00:00:00:01";
	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &n) != 6 ||
	    value[n] != '\0' || strspn(value, "0123456789abcdefABCDEF:") != 17)
		return -1;
	for (unsigned i = 0; i < 6; i++)
		c->sender_mac[i] = (uint8_t)b[i];
	c->has_sender_mac = 1;
	return 0;
}

static int parse_from(void *object, const char *value, const char **why)
{
	*why = "is not a date, as in 2026-04-01";
	return validity_date(value, &((struct receiver_peer *)object)->valid_from);
}

static int parse_until(void *object, const char *value, const char **why)
{
	*why = "is not a date, as in 2027-03-31";
	return validity_date(value, &((struct receiver_peer *)object)->valid_until);
}

static int parse_syslog_format(void *object, const char *value, const char **why)
{
	struct receiver_conf *c = object;

	*why = "is neither rfc5424 nor cef";
	c->syslog_cef = strcmp(value, "cef") == 0;
	return c->syslog_cef || strcmp(value, "rfc5424") == 0 ? 0 : -1;
}

#define AT(field) offsetof(struct receiver_conf, field)
#define PATH(section, key, field, required) \
	{ section, key, CONF_PATH, AT(field), RECEIVER_PATH_MAX, 0, 0, required, NULL }
#define IN_CHANNEL(key, type, max) \
	{ "channel ", #key, type, offsetof(struct receiver_channel, key), 0, 1, max, 0, NULL }

static int parse_since(void *object, const char *value, const char **why)
{
	*why = "is not a date, as in 2026-11-21";
	return validity_date(value, &((struct receiver_retired *)object)->since);
}

static int parse_release(void *object, const char *value, const char **why)
{
	struct receiver_channel *ch = object;

	*why = "is neither one nor two (operators that it takes to release a file from the quarantine)";
	ch->two = strcmp(value, "two") == 0;
	return ch->two || strcmp(value, "one") == 0 ? 0 : -1;
}

static const struct conf_key keys[] = {
	PATH("receiver", "keys", keys, 1),
	PATH("receiver", "psk", psk, 0),
	PATH("receiver", "inbox", inbox, 1),
	PATH("receiver", "state", state, 1),
	PATH("receiver", "metrics", metrics, 0),
	PATH("receiver", "syslog", syslog, 0),
	{ "receiver", "syslog_format", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_syslog_format },
	{ "link", "listen", CONF_CUSTOM, 0, 0, 0, 0, 1, parse_listen },
	{ "link", "sender", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_sender },
	{ "link", "sender_mac", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_sender_mac },
	{ "link", "interface", CONF_STRING, AT(interface), IF_NAMESIZE, 0, 0, 0, NULL },
	{ "link", "rate", CONF_RATE, AT(rate), 0, 100000, 1000000000000, 0, NULL },
	{ "link", "stall", CONF_TIME, AT(stall_ns), 0, MS, 10000 * MS, 0, NULL },
	{ "link", "buffer", CONF_SIZE, AT(buffer), 0, 65536, GIB, 0, NULL },
	{ "link", "sender_retention", CONF_TIME, AT(sender_retention_ns), 0, 1000 * MS, 3660ull * 86400000 * MS, 0, NULL },
	{ "peer ", "key", CONF_PATH, offsetof(struct receiver_peer, key), RECEIVER_PATH_MAX, 0, 0, 1, NULL },
	{ "peer ", "valid_from", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_from },
	{ "peer ", "valid_until", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_until },
	{ "retired ", "key", CONF_PATH, offsetof(struct receiver_retired, key), RECEIVER_PATH_MAX, 0, 0, 1, NULL },
	{ "retired ", "since", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_since },
	IN_CHANNEL(max_file, CONF_SIZE, 10 * TIB),
	IN_CHANNEL(max_transfer, CONF_SIZE, 10 * TIB),
	IN_CHANNEL(max_files, CONF_COUNT, RECORD_FILES_MAX),
	IN_CHANNEL(keep_free, CONF_SIZE, 1000 * TIB),
	{ "channel ", "whole", CONF_BOOL, offsetof(struct receiver_channel, whole), 0, 0, 0, 0, NULL },
	{ "channel ", "antivirus", CONF_PATH, offsetof(struct receiver_channel, antivirus), 108, 0, 0, 0, NULL },
	{ "channel ", "antivirus_timeout", CONF_TIME, offsetof(struct receiver_channel, antivirus_timeout), 0, 1000 * MS, 3600000 * MS, 0, NULL },
	{ "channel ", "release", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_release },
	POLICY_CONF_KEYS,
};

static void *peer(struct receiver_conf *c, const char *name, const char **why)
{
	struct receiver_peer *p = &c->peer[c->peers];

	*why = "has to have a name, as in [peer mihon]";
	if (name[0] == '\0' || strlen(name) > RECEIVER_PEER_NAME_MAX)
		return NULL;
	*why = "is one peer too many (64)";
	if (c->peers == RECEIVER_PEERS_MAX)
		return NULL;
	c->peers++;
	strcpy(p->name, name);
	return p;
}

static void *retired(struct receiver_conf *c, const char *name, const char **why)
{
	struct receiver_retired *r = &c->retired[c->retireds];

	*why = "has to have a name, as in [retired 2025]";
	if (name[0] == '\0' || strlen(name) > RECEIVER_PEER_NAME_MAX)
		return NULL;
	*why = "is one retired key too many (4)";
	if (c->retireds == RECEIVER_RETIRED_MAX)
		return NULL;
	c->retireds++;
	strcpy(r->name, name);
	return r;
}

int receiver_retired_is_secret(const struct receiver_retired *r)
{
	size_t n = strlen(r->key);

	return n < 4 || strcmp(r->key + n - 4, ".pub") != 0;
}

static void *channel(struct receiver_conf *c, const char *name, const char **why)
{
	struct receiver_channel *ch = &c->channel[c->channels];

	*why = "is no channel name: 1 to 32 of a-z 0-9 - _, beginning with a letter";
	if (!name_channel_ok(name, strlen(name)))
		return NULL;
	*why = "is the name of the program's own channel; take another";
	if (strcmp(name, CLOSING_CHANNEL) == 0)
		return NULL;
	*why = "is one channel too many (64)";
	if (c->channels == RECEIVER_CHANNELS_MAX - 1)
		return NULL;
	c->channels++;
	strcpy(ch->name, name);
	ch->max_file = 64 * GIB;
	ch->max_transfer = 128 * GIB;
	ch->max_files = RECORD_FILES_MAX;
	ch->antivirus_timeout = 120000 * MS;
	content_policy_of_channel(&ch->content, name);
	return ch;
}

/* The sender's own channel, which needs no section. */
static void add_reserved(struct receiver_conf *c)
{
	struct receiver_channel *ch = &c->channel[c->channels++];

	strcpy(ch->name, CLOSING_CHANNEL);
	ch->max_file = CLOSING_TEXT_MAX;
	ch->max_transfer = CLOSING_TEXT_MAX;
	ch->max_files = 1;
	content_policy_of_channel(&ch->content, ch->name);
}

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	if (strncmp(kind, "peer", 4) == 0)
		return peer(config, name, why);
	if (strncmp(kind, "retired", 7) == 0)
		return retired(config, name, why);
	if (strncmp(kind, "channel", 7) == 0)
		return channel(config, name, why);
	return config;
}

/* Every byte on the wire counted as one in the buffer: headers that are not
 * stored make up for the small part of what the kernel adds that its doubling
 * (socket(7)) does not cover. */
static int size_buffer(struct receiver_conf *c, const char *name)
{
	if (c->buffer != 0)
		return 0;
	c->buffer = c->rate == 0 ? BUFFER_UNSAID : c->rate / 8000 * (c->stall_ns / 1000) / 1000;
	if (c->buffer < BUFFER_LEAST)
		c->buffer = BUFFER_LEAST;
	if (c->buffer <= GIB)
		return 0;
	log_error("%s: rate x stall asks for a socket buffer of %llu bytes, and a kernel has at most %llu; shorten stall, or give "
	    "buffer", name, (unsigned long long)c->buffer, GIB);
	return EXIT_CONFIG;
}

int receiver_conf_read(struct receiver_conf *c, const char *name, int fd)
{
	static const char *const required[] = { "receiver", "link", NULL };
	const struct conf_schema schema = { .key = keys, .keys = sizeof(keys) / sizeof(keys[0]), .section = section,
		.config = c, .required = required };
	int code;

	memset(c, 0, sizeof(*c));
	c->stall_ns = 250 * MS;
	c->sender_retention_ns = 14ull * 86400000 * MS;
	if ((code = conf_read(&schema, name, fd)) != 0 || (code = size_buffer(c, name)) != 0)
		return code;
	if (c->metrics[0] != '\0' && metrics_path_wrong(c->metrics) != NULL) {
		log_error("%s: metrics = %s %s", name, c->metrics, reason_show(metrics_path_wrong(c->metrics)));
		return EXIT_CONFIG;
	}
	if (c->peers == 0) {
		log_error("%s: no peer; add a section such as [peer mihon] with key = sender.pub", name);
		return EXIT_CONFIG;
	}
	if (c->channels == 0) {
		log_error("%s: no channel; add a section such as [channel eltax]", name);
		return EXIT_CONFIG;
	}
	add_reserved(c);
	return 0;
}

int receiver_conf_peers(struct receiver_conf *c)
{
	int code;

	for (unsigned i = 0; i < c->peers; i++) {
		if ((code = keyfile_read_public(&c->peer[i].party, c->peer[i].key, PARTY_SENDER)) != 0)
			return code;
		for (unsigned j = 0; j < i; j++)
			if (memcmp(c->peer[i].party.id, c->peer[j].party.id, KEY_ID_LEN) == 0) {
				log_error("%s: peers %s and %s have the same key", c->peer[i].key, c->peer[j].name,
				    c->peer[i].name);
				return EXIT_KEYS;
			}
	}
	return 0;
}

const struct receiver_channel *receiver_conf_channel(const struct receiver_conf *c, const char *name)
{
	for (unsigned i = 0; i < c->channels; i++)
		if (strcmp(c->channel[i].name, name) == 0)
			return &c->channel[i];
	return NULL;
}

int receiver_conf_nested(const struct receiver_conf *c)
{
	char state[PATH_MAX], inbox[PATH_MAX];
	size_t n;

	if (realpath(c->state, state) == NULL || realpath(c->inbox, inbox) == NULL)
		return 0;
	n = strlen(inbox);
	return strncmp(state, inbox, n) == 0 && (state[n] == '/' || state[n] == '\0');
}

uint64_t receiver_conf_object_max(const struct receiver_conf *c)
{
	uint64_t max = 0;

	for (unsigned i = 0; i < c->channels; i++)
		if (c->channel[i].max_transfer > max)
			max = c->channel[i].max_transfer;
	return seal_object_max(max);
}

struct record_limits receiver_channel_limits(const struct receiver_channel *ch)
{
	return (struct record_limits){ .files = (uint32_t)ch->max_files, .file_bytes = ch->max_file,
		.total_bytes = ch->max_transfer };
}
