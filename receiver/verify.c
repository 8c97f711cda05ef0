/* verify.c - is a transfer what its sender signed? (verify.h) */
#include "receiver/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"

/* Do the files written and those of the manifest agree exactly? */
static int same_files(struct transfer *t, const struct manifest *m)
{
	char shown[160];

	if (m->file_count != t->found.file_count) {
		transfer_refuse(t, "the manifest lists %u files, but %u came", m->file_count, t->found.file_count);
		return 0;
	}
	for (uint32_t i = 0; i < m->file_count; i++) {
		const struct manifest_file *a = &m->file[i], *b = &t->found.file[i];
		if (a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0 && a->size == b->size &&
		    memcmp(a->sha256, b->sha256, HASH_LEN) == 0)
			continue;
		transfer_refuse(t, "%s is not what the manifest says",
		    log_show(shown, sizeof(shown), b->name, b->name_len));
		return 0;
	}
	return 1;
}

static int is_receiver(const struct verify_expected *e, const uint8_t *fingerprint)
{
	for (unsigned i = 0; i == 0 || i < e->receivers; i++)
		if (memcmp(e->receiver + (size_t)i * HASH_LEN, fingerprint, HASH_LEN) == 0)
			return 1;
	return 0;
}

/* NULL if the manifest speaks of this very transfer, else why not. */
static const char *disagrees(const struct verify_expected *e, const struct manifest *m)
{
	if (memcmp(m->sender, e->sender->fingerprint, HASH_LEN) != 0)
		return "the manifest names another sender";
	if (e->receiver != NULL && !is_receiver(e, m->receiver))
		return "the manifest names another receiver";
	if (strcmp(m->channel, e->channel) != 0)
		return "the manifest names another channel than the object";
	if (memcmp(m->generation, e->generation, 16) != 0)
		return "the manifest names another generation than the object";
	if (m->number == 0 || m->number > INT64_MAX / 2)
		return "the manifest's number is out of range";
	return NULL;
}

static const char *signed_manifest(const struct transfer *t, const struct verify_expected *e, struct manifest *m)
{
	const char *why;

	manifest_init(m);
	if (!t->has_signature || t->manifest_len == 0)
		return "there is no signed manifest";
	if (crypto_verify_bare(t->signature, e->sender->sign, t->manifest, t->manifest_len) != 0)
		return "the manifest's signature is not the sender's";
	if (manifest_read(m, (const char *)t->manifest, t->manifest_len, &why) != 0)
		return why;
	return disagrees(e, m);
}

static void drop(struct manifest *m)
{
	manifest_free(m);
	manifest_init(m);
}

int verify_received(struct transfer *t, const struct verify_expected *e, struct manifest *m)
{
	const char *why;

	manifest_init(m);
	if (t->reason[0] != '\0' || t->error != 0)
		return -1;
	if ((why = signed_manifest(t, e, m)) != NULL)
		transfer_refuse(t, "%s", why);
	else if (same_files(t, m))
		return 0;
	drop(m);
	return -1;
}

int verify_manifest(const struct transfer *t, const struct verify_expected *e, struct manifest *m)
{
	if (signed_manifest(t, e, m) == NULL)
		return 0;
	drop(m);
	return -1;
}

void verify_write(struct transfer *t, const struct manifest *m)
{
	size_t n;
	char *sums = manifest_sums(m, &n);

	if (sums == NULL) {
		t->error = ENOMEM;
		return;
	}
	transfer_put(t, "SHA256SUMS", sums, n);
	transfer_put(t, "MANIFEST.json", t->manifest, t->manifest_len);
	transfer_put(t, "MANIFEST.json.sig", t->signature, SIGN_LEN);
	free(sums);
}
