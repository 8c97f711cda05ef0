/* verify.h - is a transfer what its sender signed?  (PROTOCOL.md, section 7)
 *
 * In this order: Ed25519 over the manifest's bytes as they came; only then are
 * they parsed; then everything that the manifest says is compared with what is
 * known otherwise: the authenticated inner header, this receiver, the files as
 * they were written (names, sizes, SHA-256 computed from the bytes that went
 * to the disk). */
#ifndef KM_RECEIVER_VERIFY_H
#define KM_RECEIVER_VERIFY_H

#include "codec/party.h"
#include "receiver/transfer.h"

struct verify_expected {
	const struct party *sender;
	const uint8_t *receiver;  /* fingerprints, one after the other, or NULL: any */
	const uint8_t *generation; /* 16 bytes */
	const char *channel;
	unsigned receivers;       /* how many fingerprints; 0 is 1 */
};

/* 0 and *m (the caller frees it), or -1 with t->reason set and *m empty. */
int verify_received(struct transfer *t, const struct verify_expected *e, struct manifest *m)
    __attribute__((warn_unused_result));
/* Of a transfer that is refused for its contents: the manifest, if it is signed
 * and names this sender, receiver, channel and generation; the files are not
 * compared.  0 and *m (the caller frees it), or -1 and *m empty.  t is unchanged. */
int verify_manifest(const struct transfer *t, const struct verify_expected *e, struct manifest *m)
    __attribute__((warn_unused_result));
/* Write MANIFEST.json, MANIFEST.json.sig and SHA256SUMS.  Failure: t->error. */
void verify_write(struct transfer *t, const struct manifest *m);

#endif
