/* sender_conf.h - sender.conf (katamichi-sender.8).
 * Every process reads the same open file; what it does not need it ignores. */
#ifndef KM_SENDER_CONF_H
#define KM_SENDER_CONF_H

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "content/content.h"
#include "core/name.h"

enum {
	SENDER_CHANNELS_MAX = 64 + 1 /* the reserved one, always the last: closings (closer.h) */,
	SENDER_PRIORITY = 5,  /* of a channel that does not say; 1 to 9 */
	SENDER_REPEATS_MAX = 16,
	SENDER_PATH_MAX = 1024,
	SENDER_MTU_MIN = 576,
	SENDER_MTU_MAX = 65535, /* of IPv4 */
	SENDER_WIRE_OVERHEAD = 28 /* IPv4, UDP */ + 14 /* Ethernet */ + 24 /* FCS, preamble, gap */,
};

struct sender_channel {
	char name[NAME_CHANNEL_MAX + 1];
	char folder[SENDER_PATH_MAX];
	uint64_t max_file;    /* bytes */
	uint64_t quiet_ns;
	uint64_t batch_files;
	uint64_t batch_bytes;
	uint64_t batch_age_ns; /* longest time that files are gathered into one */
	uint64_t outbox_max;  /* bytes of sealed objects that are kept; 0: no limit */
	uint64_t priority;    /* the higher goes first */
	struct content_policy content;
};

struct sender_conf {
	char keys[SENDER_PATH_MAX];
	char receiver[SENDER_PATH_MAX];
	char recovery[SENDER_PATH_MAX]; /* empty: none */
	char psk[SENDER_PATH_MAX];      /* empty: none */
	char state[SENDER_PATH_MAX];
	char syslog[SENDER_PATH_MAX]; /* a syslog daemon's socket (host/log.h); empty: none */
	int syslog_cef;
	char metrics[SENDER_PATH_MAX];  /* for node_exporter (host/metrics.h); empty: none */
	char witness[SENDER_PATH_MAX];  /* empty: none (identity.h) */
	char folders[SENDER_PATH_MAX];
	struct sockaddr_in destination;
	struct sockaddr_in source;      /* sin_family 0: any */
	char interface[IF_NAMESIZE];    /* empty: as the routes say */
	uint64_t lane;
	uint64_t mtu;                   /* bytes of an IP packet */
	uint64_t rate;                  /* bit/s on the wire */
	double loss, failure;
	uint64_t burst_ns;              /* longest burst of loss to survive */
	uint64_t pacing_ns;             /* longest burst of our own */
	uint64_t list_ns;               /* how often new numbers are listed for the receiver */
	uint64_t retention_ns;
	uint64_t receipts_ns;           /* how long a row outlives its object */
	uint64_t repeat_ns[SENDER_REPEATS_MAX];
	unsigned repeats;
	struct sender_channel channel[SENDER_CHANNELS_MAX];
	unsigned channels;
	uint32_t n;                     /* bytes of a datagram, from mtu */
};

/* name: as the user gave it.  fd: the open file, or -1 to open it by name.
 * 0, or EXIT_CONFIG / EXIT_SYSTEM after one logged line. */
int sender_conf_read(struct sender_conf *c, const char *name, int fd) __attribute__((warn_unused_result));
/* The public keys: the receiver's, and of a recovery key that is another one.  0 or EXIT_KEYS after one logged line. */
int sender_conf_recipients(const struct sender_conf *c) __attribute__((warn_unused_result));
/* The number of the channel of this name; SENDER_CHANNELS_MAX: none is configured. */
unsigned sender_conf_channel(const struct sender_conf *c, const char *name);

/* Largest sealed object that any channel may come to, bytes. */
uint64_t sender_conf_object_max(const struct sender_conf *c);

/* Bytes of a datagram on a link of this MTU: the symbol a multiple of 64. */
static inline uint32_t sender_datagram_len(uint64_t mtu)
{
	return (uint32_t)(((mtu - 28 /* IPv4, UDP */ - 64 /* head and tag */) & ~(uint64_t)63) + 64);
}

#endif
