/* receiver_conf.h - receiver.conf (katamichi-receiver.8).
 * Each process reads the same file, opened by the main process; what it does
 * not need it ignores. */
#ifndef KM_RECEIVER_CONF_H
#define KM_RECEIVER_CONF_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

#include "codec/party.h"
#include "codec/record.h"
#include "content/content.h"
#include "receiver/receiver_messages.h"

enum { RECEIVER_PATH_MAX = 1024, RECEIVER_PEER_NAME_MAX = 63 };

struct receiver_channel {
	char name[NAME_CHANNEL_MAX + 1];
	uint64_t max_file;     /* bytes of one file */
	uint64_t max_transfer; /* bytes of all files of a transfer */
	uint64_t max_files;    /* of a transfer */
	uint64_t keep_free;    /* bytes of the disk that its deliveries leave free; 0: no limit but the reserve */
	struct content_policy content;
	char antivirus[108];   /* clamd's socket; empty: none */
	uint64_t antivirus_timeout; /* ns, for one file */
	int whole;             /* a transfer of which a file does not pass is kept back whole */
	int two;               /* it takes two operators to release anything */
};

/* In facts, in place of the name of a peer that is configured no more; translated where people see it (tools/out.h). */
#define RECEIVER_NOT_PINNED "(no longer pinned)"

struct receiver_peer {
	char name[RECEIVER_PEER_NAME_MAX + 1];
	char key[RECEIVER_PATH_MAX];
	uint64_t valid_from, valid_until; /* first and last day, seconds since 1970 (validity.h); 0: no limit */
	struct party party; /* filled by receiver_conf_peers() */
};

struct receiver_retired { /* a key of this receiver that was replaced */
	char name[RECEIVER_PEER_NAME_MAX + 1];
	char key[RECEIVER_PATH_MAX]; /* NAME.key; or NAME.pub: the secret half is lost, but what names it is for us */
	uint64_t since;              /* the day from which on senders sealed to the new one, seconds since 1970; 0: not said */
};

struct receiver_conf {
	char keys[RECEIVER_PATH_MAX];
	char psk[RECEIVER_PATH_MAX]; /* empty: none */
	char inbox[RECEIVER_PATH_MAX];
	char state[RECEIVER_PATH_MAX];
	char syslog[RECEIVER_PATH_MAX]; /* a syslog daemon's socket (host/log.h); empty: none */
	int syslog_cef;
	char metrics[RECEIVER_PATH_MAX]; /* for node_exporter (host/metrics.h); empty: none */
	struct sockaddr_in listen;
	char interface[IF_NAMESIZE]; /* empty: any that has the address */
	struct in_addr sender;       /* of the host that sends, for its rules (harden.h); 0: not said */
	uint8_t sender_mac[6];
	int has_sender_mac;
	uint64_t rate;               /* bit/s that the sender is configured for; 0: not said */
	uint64_t stall_ns;           /* so long the buffer has to hold while nobody reads */
	uint64_t buffer;             /* bytes of the socket buffer: as given, or rate x stall */
	struct receiver_peer peer[RECEIVER_PEERS_MAX];
	unsigned peers;
	struct receiver_retired retired[RECEIVER_RETIRED_MAX];
	unsigned retireds;
	uint64_t sender_retention_ns;
	struct receiver_channel channel[RECEIVER_CHANNELS_MAX];
	unsigned channels;
};

/* name: as the user gave it.  fd: the open file, or -1 to open it by name.
 * 0, or EXIT_CONFIG or EXIT_SYSTEM after one logged line. */
int receiver_conf_read(struct receiver_conf *c, const char *name, int fd) __attribute__((warn_unused_result));
/* Read the pinned public keys.  0 or EXIT_KEYS after one logged line. */
int receiver_conf_peers(struct receiver_conf *c) __attribute__((warn_unused_result));
/* NULL if there is none of this name. */
const struct receiver_channel *receiver_conf_channel(const struct receiver_conf *c, const char *name);
int receiver_retired_is_secret(const struct receiver_retired *r);
/* Does the state directory lie in the inbox, or is it the same?  Whoever reads the inbox must not see it.  Both exist. */
int receiver_conf_nested(const struct receiver_conf *c);
/* Largest sealed object that any channel may bring, bytes. */
uint64_t receiver_conf_object_max(const struct receiver_conf *c);
struct record_limits receiver_channel_limits(const struct receiver_channel *ch);

#endif
