/* intake_accept.c - a transfer that came whole is verified, and joins those that are published together (intake.c). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "receiver/held.h"
#include "receiver/reserve.h"
#include "receiver/store.h"
#include "receiver/verify.h"

static struct publish_item *batch_item(struct store *s, struct job *j)
{
	struct publish_item *it = &s->batch[s->batched++];
	struct transfer *t = &j->transfer;

	memset(it, 0, sizeof(*it));
	it->transfer = t;
	it->ctx = j;
	strcpy(it->stream.sender, s->fingerprint[j->inner.sender]);
	strcpy(it->stream.channel, j->inner.channel);
	hex_put(it->stream.generation, j->inner.generation, 16);
	hex_put(it->object, j->id, 16);
	it->files = t->found.file_count;
	it->bytes = t->bytes;
	it->checks = j->checks;
	if (j->scanner[0] != '\0')
		it->more = json_pack("{s:s}", "scanner", j->scanner);
	return it;
}

static struct verify_expected expected(const struct store *s, const struct job *j)
{
	return (struct verify_expected){ .sender = &s->conf.peer[j->inner.sender].party, .receiver = s->self.fingerprint[0], .receivers = s->self.count,
		.generation = j->inner.generation, .channel = j->inner.channel };
}

/* Some of it did not pass. */
static void hold(struct store *s, struct job *j, struct publish_item *it)
{
	const struct receiver_channel *ch = receiver_conf_channel(&s->conf, j->inner.channel);
	struct transfer *t = &j->transfer;

	if (t->bads == t->found.file_count || (ch != NULL && ch->whole)) {
		it->base = PUBLISH_QUARANTINE;
		it->kept = "transfer";
		held_reason(t->reason, sizeof(t->reason), t);
		it->reason = t->reason;
		return;
	}
	held_apart(t, it);
	if (t->error != 0) {
		int error = t->error;
		publish_free(it);
		json_decref(it->more);
		transfer_remove(t);
		s->batched--;
		job_later(s, j, error);
	}
}

/* Would less stay free than this channel has to leave to the others? */
static bool keeps_free(const struct store *s, const struct job *j)
{
	const struct receiver_channel *ch = receiver_conf_channel(&s->conf, j->inner.channel);

	return ch != NULL && reserve_below(s->work, ch->keep_free);
}

void intake_accept(struct store *s, struct job *j)
{
	const struct verify_expected e = expected(s, j);
	struct transfer *t = &j->transfer;
	uint8_t digest[HASH_LEN];
	struct publish_item *it;
	struct manifest m;

	if (scan_take(s, j))
		return;
	int good = verify_received(t, &e, &m) == 0;
	/* What is refused gets its number too, if it says it under a good signature. */
	int known = good || verify_manifest(t, &e, &m) == 0;

	if (known)
		verify_write(t, &m);
	if (t->error == 0 && keeps_free(s, j)) /* with what it brings, which is on the disk by now */
		t->error = EDQUOT;
	if (t->error != 0) {
		int error = t->error;
		transfer_remove(t);
		manifest_free(&m);
		job_later(s, j, error);
		return;
	}
	it = batch_item(s, j);
	if (!good) {
		it->base = PUBLISH_QUARANTINE;
		it->reason = t->reason;
		it->kept = "unverified";
	}
	if (known) {
		it->number = m.number;
		crypto_sha256(digest, t->manifest, t->manifest_len);
		hex_put(it->manifest, digest, HASH_LEN);
		hex_put(it->previous, m.previous, HASH_LEN);
	}
	manifest_free(&m);
	if (good && t->bads != 0)
		hold(s, j, it);
}

void intake_scanned(struct store *s, struct job *j)
{
	char checks[sizeof(j->checks)];

	/* Sorted, as they are. */
	memcpy(checks, j->checks, sizeof(checks));
	snprintf(j->checks, sizeof(j->checks), "antivirus %.*s", (int)(sizeof(j->checks) - sizeof("antivirus ")), checks);
	j->scanned = true;
	intake_accept(s, j);
	if (s->batched == STORE_BATCH)
		intake_commit(s);
}

/* What the sender may do and this channel does not take: nothing of it is kept,
 * and a later round brings it again, when the cap was perhaps raised. */
void intake_over_cap(struct store *s, struct job *j, const char *reason)
{
	const struct verify_expected e = expected(s, j);
	struct manifest m;
	uint64_t number = verify_manifest(&j->transfer, &e, &m) == 0 ? m.number : 0;
	int error = j->transfer.error;

	manifest_free(&m);
	transfer_remove(&j->transfer);
	if (error != 0)
		job_later(s, j, error);
	else
		refuse_object(s, j, reason, number);
}
