/* publish.h - a verified transfer becomes visible, exactly once.
 *
 * A batch goes through these steps, each durable before the next begins:
 *   publish_sync     files and directories below work/NAME
 *   publish_intend   one transaction: where each will stand (table intent)
 *   publish_rename   work/NAME -> inbox/CHANNEL/NUMBER, never replacing; parents synced
 *   publish_record   one transaction: ledger rows, index, intents gone
 * After a crash publish_recover() finds each intent either with its work
 * directory (then it was not published: both are removed, and the sealed
 * object, which is still there, is opened again), or with the directory in its
 * place (then it was: the row is written).  Quarantined transfers go the same
 * way to quarantine/. */
#ifndef KM_PUBLISH_H
#define KM_PUBLISH_H

#include <stdbool.h>

#include "receiver/ledger.h"
#include "receiver/transfer.h"

enum publish_base { PUBLISH_INBOX, PUBLISH_QUARANTINE };

struct publish {
	struct ledger *ledger;
	int work_fd, inbox_fd, quarantine_fd;
};

enum { PUBLISH_DIR_MAX = 160 };

struct publish_item {
	/* filled by the caller */
	struct transfer *transfer; /* its directory is the item's; ended here */
	enum publish_base base;
	struct ledger_stream stream;
	uint64_t number;           /* 0: not known (quarantined before its manifest was verified) */
	char manifest[2 * HASH_LEN + 1], previous[2 * HASH_LEN + 1]; /* empty: not known */
	char object[2 * 16 + 1];
	uint32_t files;
	uint64_t bytes;
	const char *checks;        /* names, separated by spaces */
	const char *reason;        /* of a quarantined one */
	void *ctx;                 /* the caller's own */
	/* results */
	bool duplicate;            /* the same was delivered before: work directory removed, no row */
	bool fork, chain_broken;
	int error;                 /* errno: not published; the work directory is removed */
	char work[TRANSFER_NAME_MAX + 1];
	char dir[PUBLISH_DIR_MAX]; /* below inbox/ or quarantine/ */
	char *entry;
};

void publish_sync(struct publish *p, struct publish_item *it, unsigned n);
void publish_intend(struct publish *p, struct publish_item *it, unsigned n);
void publish_rename(struct publish *p, struct publish_item *it, unsigned n);
void publish_record(struct publish *p, struct publish_item *it, unsigned n);
void publish_batch(struct publish *p, struct publish_item *it, unsigned n); /* all of the above, and frees entries */
char *publish_entry(const struct publish_item *it); /* canonical JSON of its ledger entry; to be freed */
int publish_base_fd(const struct publish *p, enum publish_base b);
/* At start, before anything is built.  How many deliveries were completed. */
unsigned publish_recover(struct publish *p);

#endif
