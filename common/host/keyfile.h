/* keyfile.h - keys as files (INI, like every configuration of ours).
 *
 * Secret, NAME.key, mode 0600, owner = the user who runs the program (or root; for root, who
 * operates a service, also the owner of the directory that it stands in):
 *     [katamichi secret key]
 *     role = sender
 *     created = 2026-11-21T02:26:03Z
 *     ed25519 = BASE64 of the 32-byte seed
 *     x25519 = BASE64 of the 32-byte secret
 * Public, NAME.pub, mode 0644:
 *     [katamichi public key]
 *     role, created, ed25519, x25519 (public halves), fingerprint (64 hex digits, checked on reading)
 * Public as PEM (SubjectPublicKeyInfo): NAME-ed25519.pem, NAME-x25519.pem, for openssl.
 * Pre-shared key: a file of 64 hex digits, mode 0600.
 *
 * Read only from a regular file, never through a symbolic link; a public key
 * or a PSK that others may write is refused, too.
 * Errors are logged with the path, and what to do (chmod 600, chown); functions return 0 or EXIT_KEYS. */
#ifndef KM_KEYFILE_H
#define KM_KEYFILE_H

#include "codec/party.h"

/* As role: a sender's or a receiver's, whichever it is. */
#define KEYFILE_ANY ((enum party_role)0)

/* *s from crypto_secret_alloc(). */
int keyfile_read_secret(struct party_secret *s, const char *path, enum party_role role) __attribute__((warn_unused_result));
int keyfile_read_public(struct party *p, const char *path, enum party_role role) __attribute__((warn_unused_result));
int keyfile_read_psk(uint8_t psk[static KEY_LEN], const char *path) __attribute__((warn_unused_result));
/* Write NAME.key, NAME.pub and both PEM files into dir; refuses (EXIT_KEYS) if any exists: nothing is overwritten.
 * Written by root they belong to dir's owner and group. */
int keyfile_write(const struct party_secret *s, const char *dir, const char *name) __attribute__((warn_unused_result));
/* A PEM of an Ed25519 public key into out (NUL-terminated). */
void keyfile_pem(char out[static 128], const uint8_t pub[static 32], int x25519);

#endif
