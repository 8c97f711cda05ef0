/* gap_list.h - what the receiver lacks, from its ledger's database and status.json. */
#ifndef KM_GAP_LIST_H
#define KM_GAP_LIST_H

#include <jansson.h>

#include "host/db.h"
#include "receiver/receiver_conf.h"

/* The name of a pinned sender; NULL: not pinned any more. */
const struct receiver_peer *gap_peer(const struct receiver_conf *c, const char *fingerprint);

/* Ranges of missing numbers: channel, peer, generation, first, last, since, kept_from (null: no beat has said), and
 *   why      "not seen", "in part" (with have, symbols), "damaged" (with reason), or "not known": something came in
 *            part or damaged, and no closing has said yet which number it has
 *   outlook  "heals", "heals in part", "heals unless set aside", "lost", "not known yet"
 * A range is cut where its numbers differ in that. */
json_t *gap_list(struct db *db, const struct receiver_conf *c, const json_t *partly);
/* What came and was not delivered: set aside in the quarantine, or refused. */
json_t *gap_aside(struct db *db, const struct receiver_conf *c);
/* Objects that arrived in part, as the receiver last said; an empty array if it did not. */
json_t *gap_partly(const struct receiver_conf *c);

#endif
