/* outbox_rig.h - an outbox in a directory of its own (tmpdir.h), new for each test, and transfers to put into it. */
#ifndef KM_TESTS_OUTBOX_RIG_H
#define KM_TESTS_OUTBOX_RIG_H

#include <stdint.h>
#include <stdio.h>

#include "host/log.h"
#include "sender/outbox.h"
#include "tests/unit/tmpdir.h"

static struct outbox box;
static unsigned outbox_rig_last; /* what was added last: the first two bytes of its id, "claimN" */

static inline int outbox_rig_make(void **state)
{
	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	outbox_rig_last = 0;
	outbox_open(&box, tmpdir, 0);
	return 0;
}

static inline int outbox_rig_remove(void **state)
{
	outbox_close(&box);
	return tmpdir_remove(state);
}

/* The next transfer of a channel; the caller has said in n what matters to him, the rest is added.  Its number. */
static inline uint64_t outbox_rig_add(const char *channel, struct outbox_new n)
{
	uint8_t previous[HASH_LEN];
	char claim[24];

	outbox_rig_last++;
	snprintf(claim, sizeof(claim), "claim%u", outbox_rig_last);
	n.id[0] = (uint8_t)outbox_rig_last;
	n.id[1] = (uint8_t)(outbox_rig_last >> 8);
	n.claim = claim;
	n.channel = channel;
	n.layout = (struct layout){ .slen = 1408, .kfull = 1, .depth = 1, .full = { 2, 2, 3 }, .last = { 2, 2, 3 } };
	outbox_begin(&box, channel, &n.number, previous);
	outbox_commit(&box, &n);
	return n.number;
}

#endif
