/* plan.h - how much redundancy an object needs, and how to spread it in time
 * (PROTOCOL.md, section 8.7).
 *
 * The promise configured by the operator is "loss, burst, failure": where each
 * datagram is lost by itself with probability loss, and besides one burst may
 * swallow everything for burst_ns at any moment, the WHOLE OBJECT fails to
 * arrive in one round of sending with probability at most failure.
 *
 * Arithmetic.  A block of k source and r repair symbols fails when more than r
 * are lost (the code is MDS).  An object of b blocks may spend failure / b on
 * each.  A burst takes at most `share` symbols of one block, so
 *     P[ Binomial(k + r - share, loss) > r - share ] <= failure / b
 * is what r satisfies, and r is the smallest such number.  The tail is summed
 * term by term, not bounded, and a billionth of the allowance is kept back for
 * rounding.
 *
 * Spreading.  The blocks of a group (`depth` of them) are sent interleaved:
 * symbol n of every block, then symbol n + 1 of every block (a block that has
 * no symbol n is passed over).  So a burst of B datagrams takes at most
 * ceil(B / depth) of each.  Depth is the smallest that makes the burst cost less
 * than PLAN_BURST_COST of a block, or the whole object, or what parity memory
 * (group_max) allows.  Groups are depth blocks in a row, the last one what is
 * left; the size of a block is chosen so that this is almost as many, and all
 * blocks are equal but for the last, so that a burst costs the same everywhere.
 *
 * Small objects, which a burst swallows whole, are spaced instead, where that
 * is cheaper: the source and r1 repair symbols at once, then, spacing_ns after
 * the last of them has left, the other r - r1 >= k + r1 repair symbols.  Either
 * half survives alone, and a burst cannot reach both.
 *
 * Freestanding: no allocation, I/O or clock. */
#ifndef KATAMICHI_PLAN_H
#define KATAMICHI_PLAN_H

#include <stdint.h>

#define PLAN_SIZE_MAX 11000000000000ull  /* bytes: 10 TiB and a little more */
#define PLAN_DEPTH_MAX 16u               /* blocks of a group */
#define PLAN_REPAIR_MIN 2u               /* repair symbols, however clean the link */
#define PLAN_ROUNDS 4u                   /* rounds before numbers repeat, where m fits */
#define PLAN_BURST_COST 200u             /* share <= k / 200 is cheap: half a percent */

enum plan_err {
	PLAN_OK = 0,
	PLAN_EINPUT = -1,      /* a field of struct plan_in is out of range */
	PLAN_EIMPOSSIBLE = -2, /* no code within the limits holds this promise */
};

struct plan_in {
	uint64_t size;      /* bytes of the object; 0 = not known yet (below) */
	uint32_t symbol;    /* bytes of a symbol, even, 2 .. 65534 */
	uint32_t wire;      /* bytes a datagram occupies on the wire, with preamble and gap */
	double loss;        /* 0 .. 0.9 */
	double failure;     /* 1e-100 .. 0.5 */
	uint64_t burst_ns;  /* longest burst, ns; 0 .. 1 hour */
	uint64_t rate;      /* bit/s on the wire, 1 .. 1e13 */
	uint64_t block_max; /* bytes of source in a block (24 MB on the wire); >= symbol */
	uint64_t group_max; /* bytes of repair symbols in memory for a group; >= symbol */
};

/* What a block sends in one round. */
struct plan_block {
	uint32_t k;     /* source symbols */
	uint32_t r;     /* repair symbols of a round; round n starts at n*r mod M */
	uint32_t r1;    /* of these, sent at once; r1 < r only where spacing_ns > 0 */
	uint32_t share; /* of these, there for the burst */
	uint8_t log2m;  /* M = 1 << log2m >= r: parity symbols of the code */
};

struct plan {
	uint64_t symbols;       /* source symbols of the object */
	uint64_t blocks;
	struct plan_block full; /* every block but the last (k == kfull) */
	struct plan_block last; /* the last block; equal to full where there is no rest */
	uint64_t groups;        /* groups of interleaved blocks, plan_group_first() */
	uint32_t depth;         /* blocks of each group but the last, which may have fewer */
	uint64_t spacing_ns;    /* 0, or the pause between the halves of a block */
	uint64_t burst_symbols; /* datagrams that one burst can touch */
	double fail;            /* probability that the object fails, burst included: <= failure */
	double overhead;        /* repair symbols / source symbols, of one round */
};

/* Plan an object.  size 0 plans a stream: full blocks that hold the promise for
 * any size up to PLAN_SIZE_MAX; every group is then of depth blocks, and
 * symbols, blocks, groups and last are those of the largest object: plan_tail()
 * gives the true end when it is known. */
int plan_object(const struct plan_in *in, struct plan *p)
    __attribute__((warn_unused_result));

/* The last group of a stream planned as *p: rest source symbols (1 ..
 * depth * full.k) are left for it.  *tail is the plan of that one group; a block
 * before the last has the k of the stream but an r and M of its own. */
int plan_tail(const struct plan_in *in, const struct plan *p, uint64_t rest,
    struct plan *tail) __attribute__((warn_unused_result));

/* The first block of group g, 0 .. groups: g * depth, but at most blocks. */
uint64_t plan_group_first(const struct plan *p, uint64_t g);

/* The probability that more than r of k + r symbols are lost, each by itself
 * with probability loss (0 .. 1): what one block fails with.  Relative error
 * below 1e-9 while the result is above 1e-300; below that, 0. */
double plan_failure(uint32_t k, uint32_t r, double loss);

/* The smallest r with plan_failure(k, r, loss) <= failure * (1 - 1e-9), or UINT32_MAX where
 * k + r would exceed 65536. */
uint32_t plan_repair(uint32_t k, double loss, double failure);

#endif
