/* batch.c - a claimed batch: sealed, numbered (spool.h).
 *
 * The order that nothing is lost or doubled by, whatever moment the machine dies at:
 *   1. the files are in .taken/ID (a restart finds them there);
 *   2. the sealed object's data are on disk as HEX.tmp (a restart removes it);
 *   3. in one transaction: number and previous hash; manifest, signature and
 *      last segment; fsync of these and, at the same time, of .taken/ID and the
 *      folder: the files cannot come back as new ones;
 *   4. rename to HEX; fsync of the directory; the row, with ID;
 *   5. the files are erased by a thread (a restart finds ID in the row and does it). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "codec/manifest.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/identity.h"
#include "sender/inspect.h"
#include "sender/spool.h"

enum {
	COMPLAIN_EVERY = 12,     /* tries: a line a minute */
	ROOM_RESERVE = 16 << 20, /* bytes left free for the database and the log */
};

struct batch *batch_new(struct spool *s, unsigned feed, enum track track)
{
	struct batch *b = calloc(1, sizeof(*b)), **at = &s->batches;

	if (b == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	b->serial = ++s->serial;
	b->feed = feed;
	b->track = track;
	b->claim.dir = -1;
	b->job.fd = -1;
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	s->feed[feed].batches[track]++;
	return b;
}

void batch_drop(struct spool *s, struct batch *b)
{
	struct batch **at = &s->batches;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	claim_end(&b->claim, &s->feed[b->feed].folder);
	s->feed[b->feed].batches[b->track]--;
	free(b);
}

/* What was put in first is numbered first: is there an earlier one of its kind? */
static bool has_earlier(const struct spool *s, const struct batch *b)
{
	for (const struct batch *e = s->batches; e != b; e = e->next)
		if (e->feed == b->feed && e->track == b->track)
			return true;
	return false;
}

uint64_t batch_next(const struct spool *s)
{
	uint64_t next = UINT64_MAX;

	for (const struct batch *b = s->batches; b != NULL; b = b->next)
		if (b->state == BATCH_WAIT && b->not_before_ns < next && s->sealing[b->track] == NULL && !has_earlier(s, b))
			next = b->not_before_ns;
	return next;
}

/* what: a sentence with one %s, for what errno says (host/reason.h). */
__attribute__((format(printf, 3, 0)))
static void wait_for_better(struct spool *s, struct batch *b, const char *what, int error, uint64_t now_ns)
{
	const char *name = s->feed[b->feed].conf->name;
	char why[120];

	snprintf(why, sizeof(why), what, reason_errno(error));
	if (b->troubles++ % COMPLAIN_EVERY == 0)
		log_error("%s: %s; the files stay claimed, trying again", name, reason_show(why));
	snprintf(s->disk_why, sizeof(s->disk_why), "%s: %s", name, why);
	b->state = BATCH_WAIT;
	b->not_before_ns = now_ns + SPOOL_RETRY_NS;
	claim_forget_kept(&b->claim); /* it may take long, and others want the room */
}

bool batch_waits_for_disk(const struct spool *s)
{
	for (const struct batch *b = s->batches; b != NULL; b = b->next)
		if (b->troubles > 0)
			return true;
	return false;
}

/* --- seal --- */

/* Is there room for the object, as if nothing compressed, and for the database
 * beside it?  A full disk would stop the database, and with it everything. */
static bool has_room(const struct spool *s, const struct batch *b)
{
	struct statvfs v;

	if (fstatvfs(s->outbox.objects, &v) != 0)
		return true; /* writing will tell */
	return (uint64_t)v.f_bavail * v.f_frsize >= spool_object_most(b->claim.bytes) + ROOM_RESERVE;
}

/* May this channel keep more?  A single transfer larger than the limit goes when nothing else is kept. */
static bool may_keep(struct spool *s, const struct batch *b)
{
	uint64_t max = s->feed[b->feed].conf->outbox_max, kept;

	if (max == 0)
		return true;
	kept = outbox_kept(&s->outbox, s->feed[b->feed].conf->name);
	return kept == 0 || (kept < max && b->claim.bytes <= max - kept);
}

void batch_seal(struct spool *s, uint64_t now_ns)
{
	for (struct batch *b = s->batches; b != NULL; b = b->next) {
		if (b->state != BATCH_WAIT || b->not_before_ns > now_ns || s->sealing[b->track] != NULL || has_earlier(s, b))
			continue;
		if (!has_room(s, b)) {
			wait_for_better(s, b, "no room for the sealed object: %s", ENOSPC, now_ns);
			continue;
		}
		if (!may_keep(s, b)) {
			wait_for_better(s, b, "outbox_max: this channel keeps as much as it may: %s", EDQUOT, now_ns);
			continue;
		}
		b->state = BATCH_SEAL;
		b->job.claim = &b->claim;
		b->job.channel = s->feed[b->feed].conf->name;
		s->sealing[b->track] = b;
		sealer_submit(s->sealer[b->track], &b->job);
	}
}

/* The manifest's bytes, malloc'd, and its hash and signature. */
static char *write_manifest(struct spool *s, const struct batch *b, uint64_t number,
    const uint8_t previous[static HASH_LEN], size_t *n, uint8_t hash[static HASH_LEN], uint8_t sig[static SIGN_LEN])
{
	const char *checks[16];
	uint32_t all = UINT32_MAX, any = 0;
	struct manifest m;
	char *bytes = NULL;

	manifest_init(&m);
	strcpy(m.channel, b->job.channel);
	memcpy(m.sender, s->me->pub.fingerprint, HASH_LEN);
	memcpy(m.receiver, s->receiver.fingerprint, HASH_LEN);
	memcpy(m.generation, s->outbox.generation, sizeof(m.generation));
	memcpy(m.previous, previous, HASH_LEN);
	m.number = number;
	m.created_s = clock_wall_ms() / 1000;
	for (uint32_t i = 0; i < b->claim.count; i++) {
		const struct claim_file *f = &b->claim.file[i];
		all &= f->checks;
		any |= f->checks;
		if (manifest_add(&m, (const uint8_t *)f->name, strlen(f->name), f->size, b->job.sha256[i]) != 0)
			goto free_manifest;
	}
	m.check_count = inspect_names(all, any, checks, 16);
	for (uint32_t i = 0; i < m.check_count; i++)
		strcpy(m.checks[i], checks[i]);
	bytes = manifest_write(&m, n);
	if (bytes != NULL) {
		crypto_sha256(hash, bytes, *n);
		crypto_sign_bare(sig, s->me->sign, bytes, *n);
	}

free_manifest:
	manifest_free(&m);
	return bytes;
}

/* Steps 3 and 4.  0, or -1 with errno and nothing changed. */
static int number_it(struct spool *s, struct batch *b, struct outbox_new *n, uint64_t now_ns)
{
	uint8_t previous[HASH_LEN], sig[SIGN_LEN];
	char *manifest;
	size_t len = 0;
	int error = ENOMEM, unsynced = 0;

	claim_sync(&b->claim, &s->feed[b->feed].folder, s->syncs, &unsynced);
	outbox_begin(&s->outbox, n->channel, &n->number, previous);
	manifest = write_manifest(s, b, n->number, previous, &len, n->manifest, sig);
	if (manifest == NULL || sealer_finish(s->sealer[b->track], &b->job, manifest, len, sig, s->syncs, &unsynced) != 0 ||
	    stream_layout(s, b, &n->layout) != 0) {
		error = manifest != NULL ? errno : ENOMEM;
		goto roll_back;
	}
	free(manifest);
	n->length = b->job.length;
	n->expires_ms = outbox_service_ms(&s->outbox, now_ns) + s->conf.retention_ns / 1000000u;
	stream_numbered(s, b, n, outbox_commit(&s->outbox, n));
	identity_tell(&s->outbox, false, now_ns);
	return 0;

roll_back:
	free(manifest);
	syncs_wait(s->syncs);
	/* It may have its name by now, and nobody's claim answers for it at the next start (set_aside.h). */
	(void)unlinkat(s->outbox.objects, b->job.name, 0);
	outbox_rollback(&s->outbox);
	errno = error;
	return -1;
}

static void commit(struct spool *s, struct batch *b, uint64_t now_ns)
{
	struct feed *f = &s->feed[b->feed];
	struct outbox_new n = {
		.claim = b->claim.id, .channel = f->conf->name, .created_ms = clock_wall_ms(),
		.files = b->claim.count, .bytes = b->claim.bytes,
	};
	struct sealer *sealer = s->sealer[b->track];

	memcpy(n.id, b->job.id, sizeof(n.id));
	if (number_it(s, b, &n, now_ns) != 0) {
		int error = errno;
		stream_abandon(s, b);
		sealer_drop(sealer, &b->job);
		wait_for_better(s, b, "a batch cannot be written to the outbox: %s", error, now_ns);
		return;
	}
	log_about(.event = LOG_EVENT_NUMBERED, .channel = n.channel, .number = n.number);
	log_info("%s %" PRIu64 ": %" PRIu32 " file%s, %" PRIu64 " bytes, object %s, numbered", n.channel, n.number, n.files,
	    n.files == 1 ? "" : "s", n.bytes, b->job.name);
	sealer_drop(sealer, &b->job);
	claim_forget_kept(&b->claim);
	eraser_put(s->eraser, &b->claim, &f->folder);
	batch_drop(s, b);
}

/* One that changed is as if written in place, and has its quiet time; one that the disk does not give is tried again later. */
static void put_off(struct spool *s, const struct batch *b, uint64_t now_ns)
{
	struct feed *f = &s->feed[b->feed];
	const char *name = b->claim.file[b->job.bad].name;
	bool changed = b->job.error == ESTALE || b->job.error == ENOENT /* by somebody who is at home in .taken */;
	char shown[1200];

	if (changed)
		log_warn("%s: %s changed while it was read; it goes back into the folder", f->conf->name,
		    log_show(shown, sizeof(shown), name, strlen(name)));
	else
		feed_complain(f, name, N_("cannot be read, and goes back into the folder"), b->job.error, now_ns);
	watch_back(s->watch, b->feed, name, now_ns + (changed ? f->conf->quiet_ns : SPOOL_RETRY_NS));
}

/* One file could not be read as it was taken: back with it, and once more with the others. */
static void give_back(struct spool *s, struct batch *b, uint64_t now_ns)
{
	struct feed *f = &s->feed[b->feed];

	put_off(s, b, now_ns);
	if (claim_back(&b->claim, &f->folder, b->job.bad) != 0) {
		wait_for_better(s, b, "a file that changed cannot be put back: %s", errno, now_ns);
		return;
	}
	b->state = BATCH_WAIT;
	b->not_before_ns = 0;
	if (b->claim.count == 0)
		batch_drop(s, b);
}

void batch_sealed(struct spool *s, enum track t, uint64_t now_ns)
{
	struct seal_job *j = sealer_take(s->sealer[t]);
	struct batch *b = s->sealing[t];

	if (j == NULL) {
		if (b != NULL && t == TRACK_BULK)
			stream_grow(s, b);
		return;
	}
	s->sealing[t] = NULL;
	if (j->result != SEAL_DONE)
		stream_abandon(s, b);
	switch (j->result) {
	case SEAL_DONE:
		commit(s, b, now_ns);
		break;
	case SEAL_CHANGED:
		sealer_drop(s->sealer[t], j);
		give_back(s, b, now_ns);
		break;
	case SEAL_WRITE:
		sealer_drop(s->sealer[t], j);
		wait_for_better(s, b, "the sealed object cannot be written: %s", j->error, now_ns);
		break;
	case SEAL_STOPPED:
		sealer_drop(s->sealer[t], j);
		break;
	}
}
