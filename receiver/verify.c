/* verify.c - is a transfer what its sender signed? (verify.h) */
#include "receiver/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"

/* Do the files written and those of the manifest agree exactly? */
static int
same_files(struct transfer *t, const struct manifest *m)
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

static int
agrees(struct transfer *t, const struct verify_expected *e, const struct manifest *m)
{
	if (memcmp(m->sender, e->sender->fingerprint, HASH_LEN) != 0)
		transfer_refuse(t, "the manifest names another sender");
	else if (e->receiver != NULL && memcmp(m->receiver, e->receiver, HASH_LEN) != 0)
		transfer_refuse(t, "the manifest names another receiver");
	else if (strcmp(m->channel, e->channel) != 0)
		transfer_refuse(t, "the manifest names channel %s, the object %s", m->channel, e->channel);
	else if (memcmp(m->generation, e->generation, 16) != 0)
		transfer_refuse(t, "the manifest names another generation than the object");
	else if (m->number == 0 || m->number > INT64_MAX / 2)
		transfer_refuse(t, "the manifest's number is out of range");
	else
		return same_files(t, m);
	return 0;
}

int
verify_received(struct transfer *t, const struct verify_expected *e, struct manifest *m)
{
	const char *why;

	manifest_init(m);
	if (t->reason[0] != '\0' || t->error != 0)
		return -1;
	if (!t->has_signature || t->manifest_len == 0) {
		transfer_refuse(t, "there is no signed manifest");
		return -1;
	}
	if (crypto_verify_bare(t->signature, e->sender->sign, t->manifest, t->manifest_len) != 0) {
		transfer_refuse(t, "the manifest's signature is not the sender's");
		return -1;
	}
	if (manifest_read(m, (const char *)t->manifest, t->manifest_len, &why) != 0) {
		transfer_refuse(t, "the manifest: %s", why);
		return -1;
	}
	if (!agrees(t, e, m)) {
		manifest_free(m);
		manifest_init(m);
		return -1;
	}
	return 0;
}

void
verify_write(struct transfer *t, const struct manifest *m)
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
