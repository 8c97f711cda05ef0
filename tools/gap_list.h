/* gap_list.h - what the receiver lacks, from its ledger's database and status.json. */
#ifndef KM_GAP_LIST_H
#define KM_GAP_LIST_H

#include <jansson.h>

#include "host/db.h"
#include "receiver/receiver_conf.h"

/* A pinned sender; NULL: not pinned any more. */
const struct receiver_peer *gap_peer(const struct receiver_conf *c, const char *fingerprint);
/* The one of this name, as gap_list() says it; NULL likewise. */
const struct receiver_peer *gap_peer_named(const struct receiver_conf *c, const char *name);

/* What is here and not delivered yet, as the receiver last said; empty if it did not. */
struct gap_here {
	json_t *partly; /* objects that arrived in part: object, peer, have, symbols, bytes */
	json_t *held;   /* complete ones that wait for something: object, peer, why */
	int cut;        /* there are more of the former than it listed */
};
void gap_here_read(struct gap_here *here, const struct receiver_conf *c);
void gap_here_free(struct gap_here *here);

/* Ranges of missing numbers: channel, peer, generation, first, last, since, kept_from (null: no beat has said), and
 *   why      "not seen", "in part" (with have, symbols), "damaged" (with reason), "given up" (with reason: a part came, long ago),
 *            "held" (with reason: it is here, complete), or "not known": something came in part or damaged or is held, and no
 *            closing has said yet which number it has
 *   outlook  "heals", "heals in part", "heals unless set aside", "held", "lost", "not known yet"
 * A range is cut where its numbers differ in that. */
json_t *gap_list(struct db *db, const struct receiver_conf *c, const struct gap_here *here);
/* What came and was not delivered: set aside in the quarantine, or refused. */
json_t *gap_aside(struct db *db, const struct receiver_conf *c);

#endif
