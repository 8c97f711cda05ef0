/* plan.c - see plan.h */
#include "plan.h"

#include <stddef.h>

#include "plan_math.h"

#define CODE_MAX 65536u  /* source and parity symbols of a block */
#define LOG2M_MAX 15     /* on the wire */
#define NEVER UINT32_MAX

/* P[X = x], X ~ Binomial(n, p), 0 < p < 1 */
static double term(uint32_t n, uint32_t x, double p)
{
	double ln = plan_lnfact(n) - plan_lnfact(x) - plan_lnfact(n - x) +
	    x * plan_ln(p) + (n - x) * plan_ln1p(-p);

	return plan_exp(ln);
}

double
plan_failure(uint32_t k, uint32_t r, double loss)
{
	uint32_t n = k + r;
	double odds = loss / (1 - loss), sum = 0, t;

	if (k == 0 || !(loss > 0))
		return 0;
	if (loss >= 1)
		return 1;
	if (r + 1.0 > n * loss) { /* the thin side: sum it upward */
		t = term(n, r + 1, loss);
		for (uint32_t x = r + 1; t > sum * 1e-17; x++) {
			sum += t;
			t *= (n - x) / (x + 1.0) * odds;
		}
		return sum;
	}
	t = term(n, r, loss); /* else what is left of the other side */
	for (uint32_t x = r; t > sum * 1e-17; x--) {
		sum += t;
		t *= x / ((n - x + 1.0) * odds);
	}
	return sum < 1 ? 1 - sum : 0;
}

uint32_t plan_repair(uint32_t k, double loss, double failure)
{
	uint32_t room = k < CODE_MAX ? CODE_MAX - k : 0, lo = 0, hi = 1;

	failure *= 1 - 1e-9;
	if (plan_failure(k, 0, loss) <= failure)
		return 0;
	/* lo fails; double hi until it does not, then halve between */
	while (hi < room && plan_failure(k, hi, loss) > failure) {
		lo = hi;
		hi = hi * 2 < room ? hi * 2 : room;
	}
	if (hi >= room && (room == 0 || plan_failure(k, room, loss) > failure))
		return NEVER;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (plan_failure(k, mid, loss) > failure)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Datagrams that a burst can touch: those that begin in it, and the one that
 * was under way. */
static uint64_t burst_symbols(const struct plan_in *in)
{
	double n = (double)in->burst_ns * 1e-9 * (double)in->rate /
	    (8.0 * in->wire);

	if (in->burst_ns == 0)
		return 0;
	return n < 1e15 ? (uint64_t)n + 2 : (uint64_t)1e15;
}

/* Repair symbols that hold against single losses; NEVER where none do. */
static uint32_t steady(uint32_t k, double loss, double failure)
{
	uint32_t r = plan_repair(k, loss, failure);

	return r < PLAN_REPAIR_MIN ? PLAN_REPAIR_MIN : r;
}

/* The smallest power of two that gives PLAN_ROUNDS rounds of r numbers of
 * their own, or as many as fit beside k.  -1 where not even one round fits. */
static int choose_log2m(uint32_t k, uint64_t r)
{
	int t = 0;

	while (t < LOG2M_MAX && (1ull << t) < r * PLAN_ROUNDS)
		t++;
	while (t > 0 && k + (1ull << t) > CODE_MAX)
		t--;
	return (1ull << t) >= r && k + (1ull << t) <= CODE_MAX ? t : -1;
}

/* Fill *b for k source symbols of which steady(k) = r0 is known: the burst's
 * share on top, or (spaced) the block a second time.  -1 where it is no code. */
static int fill(struct plan_block *b, uint32_t k, uint32_t r0, uint64_t share, int spaced)
{
	uint64_t r = spaced ? k + 2ull * r0 : r0 + share;
	int t = r0 == NEVER ? -1 : choose_log2m(k, r);

	if (t < 0)
		return -1;
	*b = (struct plan_block){
		.k = k,
		.r = (uint32_t)r,
		.r1 = spaced ? r0 : (uint32_t)r,
		.share = spaced ? 0 : (uint32_t)share,
		.log2m = (uint8_t)t,
	};
	return 0;
}

/* The most that a burst takes from one of d interleaved blocks when, after the
 * shortest has run out, `alone` more rows of the others follow: between two
 * symbols of a block lie d - 1 others, or d - 2 in those rows. */
static uint64_t share_of(uint64_t burst, uint32_t d, uint64_t alone)
{
	if (d == 1 || burst == 0)
		return burst;
	return div_up(burst + min64(alone, div_up(burst, d - 1)), d);
}

/* Plan a group of d blocks, all of kfull source symbols but the last of klast,
 * each allowed to fail with probability q.  Sets full, last and spacing_ns; -1
 * where no code holds. */
static int plan_group(const struct plan_in *in, struct plan *p, uint32_t kfull,
    uint32_t klast, uint32_t d, double q)
{
	uint32_t rf = steady(kfull, in->loss, q);
	uint32_t rl = klast == kfull ? rf : steady(klast, in->loss, q);

	if (rf == NEVER || rl == NEVER)
		return -1;
	uint64_t alone = d > 1 ? (uint64_t)kfull + rf - klast - rl : 0;
	uint64_t share = share_of(p->burst_symbols, d, alone);
	int spaced = share > (uint64_t)kfull + rf;

	if (fill(&p->full, kfull, rf, share, spaced) != 0 ||
	    fill(&p->last, klast, rl, share, spaced) != 0) {
		if (spaced || share == 0)
			return -1;
		spaced = 1;
		if (fill(&p->full, kfull, rf, 0, 1) != 0 ||
		    fill(&p->last, klast, rl, 0, 1) != 0)
			return -1;
	}
	p->spacing_ns = 0;
	if (spaced) /* the burst, and a datagram more than it touches */
		p->spacing_ns = in->burst_ns +
		    (uint64_t)(16e9 * in->wire / (double)in->rate) + 1;
	return 0;
}

/* Blocks of a group, see plan.h; blocks are those of the object. */
static uint32_t choose_depth(const struct plan_in *in, uint64_t burst, uint32_t k,
    uint32_t r0, uint64_t blocks)
{
	uint32_t d = 1;
	uint32_t most = (uint32_t)min64(PLAN_DEPTH_MAX, blocks);

	while (d < most && div_up(burst, d) * PLAN_BURST_COST > k)
		d++;
	while (d > 1 && d * (r0 + div_up(burst, d)) * in->symbol > in->group_max)
		d--;
	return d;
}

static double block_failure(const struct plan_block *b, double loss)
{
	if (b->r1 < b->r)
		return plan_failure(b->k, b->r1, loss);
	return plan_failure(b->k, b->r - b->share, loss);
}

static void sum_up(const struct plan_in *in, struct plan *p)
{
	double others = (double)(p->blocks - 1);

	p->fail = others * block_failure(&p->full, in->loss) +
	    block_failure(&p->last, in->loss);
	p->overhead = (others * p->full.r + p->last.r) / (double)p->symbols;
}

static uint32_t last_group(uint64_t blocks, uint32_t depth)
{
	return (uint32_t)((blocks - 1) % depth) + 1;
}

/* Blocks of k source symbols make equal groups, but for rounding; a little less
 * than k may leave a larger last group, in which a burst costs less. */
static uint32_t choose_k(const struct plan *p, uint32_t k)
{
	uint32_t best = k, most = 0;

	for (uint32_t c = k; c > 0 && c + 64 > k && most < p->depth; c--) {
		uint64_t blocks = div_up(p->symbols, c);
		if (last_group(blocks, p->depth) > most) {
			most = last_group(blocks, p->depth);
			best = c;
		}
	}
	return best;
}

/* Plan with blocks of at most kmax symbols; -1 where they do not hold. */
static int plan_with(const struct plan_in *in, struct plan *p, uint32_t kmax)
{
	uint64_t blocks = div_up(p->symbols, kmax);
	uint32_t k = (uint32_t)div_up(p->symbols, blocks), r0;
	double q = in->failure / (double)blocks;

	if ((r0 = steady(k, in->loss, q)) == NEVER)
		return -1;
	p->depth = choose_depth(in, p->burst_symbols, k, r0, blocks);

	p->groups = div_up(blocks, p->depth);
	if (in->size == 0) {
		p->blocks = p->groups * p->depth;
		q = in->failure / (double)p->blocks;
		/* the end may be one full block alone; it must hold as well */
		if (plan_group(in, p, kmax, kmax, 1, q) != 0)
			return -1;
		return plan_group(in, p, kmax, kmax, p->depth, q);
	}
	k = choose_k(p, (uint32_t)div_up(p->symbols, p->groups * p->depth));
	p->blocks = div_up(p->symbols, k);
	p->depth = (uint32_t)min64(p->depth, p->blocks);
	p->groups = div_up(p->blocks, p->depth);
	q = in->failure / (double)p->blocks;
	/* the last group is the smallest, so it binds */
	return plan_group(in, p, k,
	    (uint32_t)(p->symbols - (p->blocks - 1) * k),
	    last_group(p->blocks, p->depth), q);
}

uint64_t plan_group_first(const struct plan *p, uint64_t g)
{
	return min64(g * p->depth, p->blocks);
}

static int check(const struct plan_in *in)
{
	if (in == NULL || in->size > PLAN_SIZE_MAX)
		return PLAN_EINPUT;
	if (in->symbol < 2 || in->symbol > 65534 || in->symbol % 2 != 0 ||
	    in->wire < in->symbol || in->wire > 100000)
		return PLAN_EINPUT;
	/* written so that a NaN is refused */
	if (!(in->loss >= 0 && in->loss <= 0.9) ||
	    !(in->failure >= 1e-100 && in->failure <= 0.5))
		return PLAN_EINPUT;
	if (in->burst_ns > 3600000000000ull || in->rate < 1 ||
	    in->rate > 10000000000000ull)
		return PLAN_EINPUT;
	if (in->block_max < in->symbol || in->group_max < in->symbol)
		return PLAN_EINPUT;
	return PLAN_OK;
}

int plan_object(const struct plan_in *in, struct plan *p)
{
	int r = check(in);

	if (r != PLAN_OK)
		return r;
	*p = (struct plan){ .burst_symbols = burst_symbols(in) };
	p->symbols = div_up(in->size != 0 ? in->size : PLAN_SIZE_MAX,
	    in->symbol);

	uint64_t kmax = in->block_max / in->symbol;
	kmax = min64(min64(kmax, CODE_MAX - 1), p->symbols);
	/* Smaller blocks need a larger share of repair but have more room for
	 * it in the code; the first that fits is the cheapest. */
	while (plan_with(in, p, (uint32_t)kmax) != 0) {
		if (kmax == 1)
			return PLAN_EIMPOSSIBLE;
		kmax -= (kmax + 7) / 8;
		if (kmax == 0)
			kmax = 1;
	}
	if (in->size == 0)
		p->symbols = p->blocks * p->full.k;
	sum_up(in, p);
	return PLAN_OK;
}

int plan_tail(const struct plan_in *in, const struct plan *p, uint64_t rest,
    struct plan *tail)
{
	int r = check(in);
	uint32_t k = p->full.k;

	if (r != PLAN_OK)
		return r;
	if (rest == 0 || rest > (uint64_t)k * p->depth)
		return PLAN_EINPUT;
	*tail = *p;
	tail->symbols = rest;
	tail->blocks = div_up(rest, k);
	tail->depth = (uint32_t)tail->blocks;
	tail->groups = 1;
	if (plan_group(in, tail, k, (uint32_t)(rest - (tail->blocks - 1) * k),
	    tail->depth, in->failure / (double)p->blocks) != 0)
		return PLAN_EIMPOSSIBLE;
	sum_up(in, tail);
	return PLAN_OK;
}
