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
 * way to quarantine/, and single files that did not pass their checks: each is a part
 * of its transfer's item, with a directory of its own in work/NAME/held/, and stands
 * durably in quarantine/ before the rest is published.  A release (quarantine.h) goes
 * from quarantine/ to the inbox by the last three steps. */
#ifndef KM_PUBLISH_H
#define KM_PUBLISH_H

#include <stdbool.h>

#include "receiver/ledger.h"
#include "receiver/transfer.h"

enum publish_base { PUBLISH_INBOX, PUBLISH_QUARANTINE, PUBLISH_RELEASE };

struct publish {
	struct ledger *ledger;
	int work_fd, inbox_fd, quarantine_fd;
	struct syncs *syncs;
	/* What the last publish_sync() was told for the whole file system, or 0.  It is told once, and not of which file: what is
	 * being built may be what was not written, and the next call would say that it is there (intake.c). */
	int sync_error;
};

enum { PUBLISH_DIR_MAX = 160 };
/* Channel, number, object (its first 8 digits), number of the file in the manifest. */
#define QUARANTINE_FILE "%s-%08llu-%.8s-%u"
#define RELEASED_FILE "%s/%08llu.released-%.8s-%u"

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
	const char *kept;          /* of a quarantined one: "transfer", "file" or "unverified" (quarantine.h) */
	bool kept_file;            /* one file of a transfer: */
	uint8_t file[NAME_MAX_LEN];
	size_t file_len;
	uint32_t index;            /* from 1 */
	struct publish_item *part; /* files that are held (held.h), malloc'd */
	uint32_t parts;
	char *own_checks, *own_reason; /* of a part: malloc'd */
	void *more;                /* json_t: further members of the ledger's entry, or NULL */
	void *ctx;                 /* the caller's own */
	/* results */
	bool duplicate;            /* the same was delivered before: work directory removed, no row */
	bool fork, chain_broken;
	int error;                 /* errno: not published; the work directory is removed */
	char work[PUBLISH_DIR_MAX]; /* below work/; of a release below quarantine/ */
	char dir[PUBLISH_DIR_MAX]; /* below inbox/ or quarantine/; of a release as the caller says, if not empty */
	bool placed;               /* stands in dir */
	char *entry;
};

void publish_sync(struct publish *p, struct publish_item *it, unsigned n);
void publish_intend(struct publish *p, struct publish_item *it, unsigned n);
void publish_rename(struct publish *p, struct publish_item *it, unsigned n);
void publish_record(struct publish *p, struct publish_item *it, unsigned n);
void publish_batch(struct publish *p, struct publish_item *it, unsigned n); /* all of the above, and frees entries */
void publish_free(struct publish_item *it); /* entry and parts */
char *publish_entry(const struct publish_item *it); /* canonical JSON of its ledger entry; to be freed */
int publish_base_fd(const struct publish *p, enum publish_base b);
/* At start, before anything is built.  How many deliveries were completed. */
unsigned publish_recover(struct publish *p);

#endif
