/* fec.h - the erasure code of the link (PROTOCOL.md, section 8).
 *
 * A block is k source symbols of len bytes each; the code makes up to m parity
 * symbols from it, and any k of the k + m symbols give the block back (the code
 * is MDS: there is no "usually one or two more").  It is a systematic
 * Reed-Solomon code over GF(2^16): source symbols travel as they are.
 *
 * Limits:  k >= 1, m >= 1, and
 *              k + nextpow2(m) <= 65536   where nextpow2(m) <= nextpow2(k),
 *              nextpow2(k) + m <= 65536   otherwise;
 *          len even, 2 .. FEC_LEN_MAX.  Fastest where len is a multiple of 64.
 * Parity symbols are numbered 0 .. m-1 inside the block.  m belongs to the
 * code: the same source with another m gives other parity.  It costs next to
 * nothing to choose m larger than one round of sending needs, since work
 * follows the symbols asked for, not m.
 *
 * Memory: nothing is allocated.  The caller passes work memory of at least
 * fec_encode_work() / fec_decode_work() bytes, aligned to 64; its contents
 * mean nothing before or after.  Blocks and work memory of megabytes belong in
 * large pages (host/big.h): the same work is 5 to 15 % faster.  Symbols need
 * no alignment, but those that begin at a multiple of 64 are read fastest.  Output symbols
 * must not overlap each other, the input or the work memory.
 *
 * Threads: calls are independent; the first call of the process builds the
 * tables and picks the kernel, and may come from several threads at once.
 *
 * Results: FEC_OK, or one of the codes below with no output written.
 *
 * How it is done, and from which papers: fec_sum.h (what is computed), fec_fft.h
 * (the transform), fec_locator.h (the unknowns), gf16.h (the field). */
#ifndef KATAMICHI_FEC_H
#define KATAMICHI_FEC_H

#include <stddef.h>
#include <stdint.h>

enum fec_err {
	FEC_OK = 0,
	FEC_EPARAM = -1, /* k or m is zero, or together too large */
	FEC_ELEN = -2,   /* len is zero, odd or too large */
	FEC_EFEW = -3,   /* more source symbols lost than parity symbols given */
	FEC_ENUM = -4,   /* a parity number is out of range or given twice */
	FEC_ENULL = -5,  /* a pointer that is needed is NULL, or work memory is
	                  * not aligned to 64 */
};

#define FEC_ORDER 65536u        /* symbols of the longest code */
#define FEC_LEN_MAX (1u << 20)  /* bytes of the longest symbol */

/* Are these parameters a code?  FEC_OK, FEC_EPARAM or FEC_ELEN. */
int fec_check(uint32_t k, uint32_t m, size_t len);

/* Bytes of work memory that suffice for every call with these parameters; a
 * multiple of 64, or 0 where fec_check() refuses them.  Some 3 m symbols, but not
 * more than 21 MB for any block of the link. */
size_t fec_encode_work(uint32_t k, uint32_t m, size_t len);
size_t fec_decode_work(uint32_t k, uint32_t m, size_t len);

/* Parity symbols first .. first+count-1 of the block src[0..k-1] into
 * out[0..count-1].  count may be 0. */
int fec_encode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    uint32_t first, uint32_t count, uint8_t *const *out, void *work)
    __attribute__((warn_unused_result));

/* Rebuild the lost source symbols.  src[i] == NULL marks symbol i as lost;
 * out[i] (of k entries; those of symbols that are not lost are not looked at)
 * receives it.  parity[0..np-1] are parity symbols and pnum[] their numbers, in
 * any order, none twice; entries beyond what the losses need cost nothing.
 * Without losses nothing is done and work, out and parity may be NULL. */
int fec_decode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, uint32_t np,
    uint8_t *const *out, void *work) __attribute__((warn_unused_result));

/* The kernel in use: "gfni512", "gfni", "avx2", "ssse3", "neon" or
 * "portable".  KATAMICHI_CPU in the environment forces one by that name; a
 * kernel that this machine lacks, or that fails its known-answer test, is
 * replaced by "portable" with a warning on stderr. */
const char *fec_kernel(void);

#endif
