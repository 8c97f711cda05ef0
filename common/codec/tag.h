/* tag.h - the tag of SYMBOL and BEAT datagrams (PROTOCOL.md, section 4.4), and of HELLO (4.2).
 *
 * Single ones are made by libsodium.  Those at line rate, the sender's (link_batch.c) and the
 * receiver's check of each datagram, are crypto_onetime's: with libsodium they were the
 * link process' largest single cost, 690 against 240 ns for 1,456 bytes, 3,840 against 1,050 for 8,944. */
#ifndef KM_TAG_H
#define KM_TAG_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"
#include "core/frame.h"

enum { TAG_KEY_LEN = 32, TAG_ONCE_STRIDE = 64 /* bytes from one one-time key to the next */ };

/* One-time keys for `count` consecutive packet numbers from pn: 64 bytes
 * apart in out, of which the first 32 are the key. */
void tag_keys(uint8_t *out, const uint8_t key[static TAG_KEY_LEN], uint64_t pn, size_t count);
/* Tag of the datagram d[0..n-1] (its last 16 bytes are not read), with the
 * one-time key of its packet number. */
void tag_make(uint8_t tag[static FRAME_TAG_LEN], const uint8_t once[static 32], const uint8_t *d, size_t n);
/* 0 if the last 16 bytes of d[0..n-1] are its tag under key and pn, else -1. */
int tag_verify(const uint8_t key[static TAG_KEY_LEN], uint64_t pn, const uint8_t *d, size_t n)
    __attribute__((warn_unused_result));
/* The same with the one-time key of its packet number, by crypto_onetime. */
int tag_verify_once(struct crypto_onetime *o, const uint8_t once[static 32], const uint8_t *d, size_t n)
    __attribute__((warn_unused_result));
/* HELLO: write, or check (0 or -1), the last 16 bytes of d[0..n-1]. */
void tag_hello_make(uint8_t *d, size_t n, const uint8_t key[static TAG_KEY_LEN]);
int tag_hello_verify(const uint8_t *d, size_t n, const uint8_t key[static TAG_KEY_LEN])
    __attribute__((warn_unused_result));

#endif
