/* frame.h - one datagram on the one-way link (PROTOCOL.md, section 3).
 *
 * Freestanding: no allocation, I/O or clock.  Built unchanged into both
 * daemons, the tests, the fuzzers and the firmware's filter.
 *
 * Decoding has two steps, because nothing but the head may be looked at
 * before the tag is verified (section 3.6): frame_head() reads the first 18
 * bytes, then the caller verifies the tag, then frame_symbol() reads the rest
 * of a SYMBOL.  HELLO and BEAT bodies are read in common/codec. */
#ifndef KM_FRAME_H
#define KM_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_MAGIC = 0x6B6D,
	FRAME_VERSION = 1,
	FRAME_HEAD_LEN = 18, /* magic 2, version 1, kind 1, length 2, lane 1, mlog 1, epoch 4, packet number 6 */
	FRAME_TAG_LEN = 16,
	FRAME_ID_LEN = 16,
	FRAME_SYMBOL_HEAD_LEN = FRAME_HEAD_LEN + 2 /* kfull */ + FRAME_ID_LEN + 6 /* object length */ +
	    4 /* block */ + 2 /* symbol */, /* 48 */
	FRAME_SYMBOL_OVERHEAD = FRAME_SYMBOL_HEAD_LEN + FRAME_TAG_LEN, /* 64 */
	FRAME_MIN_LEN = 256,
	FRAME_MAX_LEN = 65507, /* UDP over IPv4: 65535 - 20 - 8 */
	FRAME_LANE_MAX = 15,
	FRAME_MLOG_MAX = 15,
};
_Static_assert(FRAME_SYMBOL_HEAD_LEN == 48, "PROTOCOL.md, section 3.2");

enum frame_kind { FRAME_HELLO = 1, FRAME_SYMBOL = 2, FRAME_BEAT = 3 };

enum frame_err {           /* a receiver keeps one drop counter for each */
	FRAME_OK = 0,
	FRAME_ESIZE = -1,  /* shorter or longer than any datagram, or length field differs from n */
	FRAME_EMAGIC = -2, /* not this protocol, or not this version */
	FRAME_EKIND = -3,  /* unknown kind, or byte 7 or the packet number not fit for it */
	FRAME_EFIELD = -4, /* lane, epoch or a reserved byte out of range */
	FRAME_EGEOM = -5,  /* SYMBOL: kfull, M, block, symbol or lengths do not fit together (3.3) */
};

struct frame_head {
	enum frame_kind kind;
	uint16_t len;   /* bytes of the whole datagram, tag included */
	uint8_t lane;
	uint8_t mlog;   /* SYMBOL: log2 M */
	uint32_t epoch;
	uint64_t pn;    /* packet number */
};

struct frame_symbol {
	uint8_t id[FRAME_ID_LEN];
	uint16_t kfull;
	uint64_t object_len; /* bytes; 0 = not known yet */
	uint32_t block;
	uint16_t symbol;
	uint16_t k;          /* source symbols of this block, from the geometry */
	uint32_t m;          /* 1 << mlog */
	uint16_t slen;       /* bytes of the symbol, at buf + FRAME_SYMBOL_HEAD_LEN */
};

/* Decode the head of the datagram buf[0..n-1].  Checks shape only: until the
 * tag is verified every field is hostile.  On error *h is untouched. */
enum frame_err frame_head(struct frame_head *h, const uint8_t *buf, size_t n)
    __attribute__((warn_unused_result));

/* Decode the fields of a SYMBOL whose head is *h (from the same buf, so at
 * least FRAME_MIN_LEN bytes are there).  On error *s is untouched. */
enum frame_err frame_symbol(struct frame_symbol *s, const struct frame_head *h, const uint8_t *buf)
    __attribute__((warn_unused_result));

/* Write a head, or a SYMBOL's 48 bytes (k, m, slen are not written: they
 * follow).  The caller has room for it and vouches for the ranges. */
void frame_put_head(uint8_t *buf, const struct frame_head *h);
void frame_put_symbol(uint8_t *buf, const struct frame_head *h, const struct frame_symbol *s);

const char *frame_strerror(enum frame_err e); /* short English name for a counter */

#endif
