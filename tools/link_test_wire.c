/* link_test_wire.c - see link_test_wire.h */
#include "tools/link_test_wire.h"

#include <string.h>

#include "core/bytes.h"

#define GOLDEN 0x9E3779B97F4A7C15u
#define MIX 0xBF58476D1CE4E5B9u

enum { AT_TABLE = 48, AT_CHECK = LINK_TEST_HEAD - 8 };

uint64_t link_test_planned(const struct link_test_plan *p, unsigned step)
{
	/* 1e12 bit/s * 3.6e6 ms stays below 2^62 */
	uint64_t n = p->rate[step] * p->step_ms / 1000 / ((uint64_t)(p->len + LINK_TEST_EXTRA) * 8);

	return n > 0 ? n : 1;
}

double link_test_spacing(const struct link_test_plan *p, unsigned step)
{
	return (double)(p->len + LINK_TEST_EXTRA) * 8e9 / (double)p->rate[step];
}

/* A sum of products: the words do not wait for one another, and any one changed word changes it (an odd factor
 * is invertible).  The fold keeps two top bits from cancelling. */
static uint64_t check_of(const uint8_t *buf)
{
	uint64_t sum = LINK_TEST_MAGIC, factor = GOLDEN;

	for (size_t i = 0; i < AT_CHECK; i += 8) {
		uint64_t w = get64(buf + i);
		sum += (w ^ w >> 32) * factor;
		factor += 2 * MIX;
	}
	return sum ^ sum >> 29;
}

/* Where the pattern begins to count; each further word is GOLDEN more, then folded. */
static uint64_t pattern_key(const struct link_test_head *h)
{
	uint64_t k = h->plan.run + ((uint64_t)h->kind << 8 | h->step) * MIX + h->seq * 0x94D049BB133111EBu;

	k = (k ^ k >> 30) * MIX;
	return k ^ k >> 27;
}

static uint64_t pattern_word(uint64_t k)
{
	return k ^ k >> 31;
}

void link_test_encode(uint8_t *buf, const struct link_test_head *h)
{
	const struct link_test_plan *p = &h->plan;
	uint64_t k = pattern_key(h);

	put32(buf, LINK_TEST_MAGIC);
	put16(buf + 4, (uint16_t)p->len);
	buf[6] = (uint8_t)h->kind;
	buf[7] = (uint8_t)p->steps;
	buf[8] = (uint8_t)h->step;
	memset(buf + 9, 0, 3);
	put32(buf + 12, p->step_ms);
	put64(buf + 16, p->run);
	put64(buf + 24, h->seq);
	put64(buf + 32, h->age_ns);
	put64(buf + 40, p->begin_ms);
	for (unsigned i = 0; i < LINK_TEST_STEPS; i++) {
		put64(buf + AT_TABLE + 16 * (size_t)i, i < p->steps ? p->rate[i] : 0);
		put64(buf + AT_TABLE + 16 * (size_t)i + 8, i < p->steps ? h->sent[i] : 0);
	}
	put64(buf + AT_CHECK, check_of(buf));
	for (size_t at = LINK_TEST_HEAD; at < p->len; at += 8, k += GOLDEN)
		put64(buf + at, pattern_word(k));
}

/* Rates and counts; -1 where they could not come from link_test_encode(). */
static int read_table(struct link_test_head *h, const uint8_t *buf)
{
	struct link_test_plan *p = &h->plan;

	for (unsigned i = 0; i < LINK_TEST_STEPS; i++) {
		uint64_t rate = get64(buf + AT_TABLE + 16 * (size_t)i), sent = get64(buf + AT_TABLE + 16 * (size_t)i + 8);
		int ended = i < h->step || (i == h->step && h->kind == LINK_TEST_END);

		p->rate[i] = rate;
		h->sent[i] = sent;
		if (i >= p->steps) {
			if (rate != 0 || sent != 0)
				return -1;
			continue;
		}
		if (rate < LINK_TEST_RATE_MIN || rate > LINK_TEST_RATE_MAX || (i > 0 && rate <= p->rate[i - 1]))
			return -1;
		if (ended ? sent > link_test_planned(p, i) : sent != 0)
			return -1;
	}
	return 0;
}

static int read_head(struct link_test_head *h, const uint8_t *buf, size_t n)
{
	struct link_test_plan *p = &h->plan;

	p->len = get16(buf + 4);
	p->steps = buf[7];
	h->step = buf[8];
	p->step_ms = get32(buf + 12);
	p->run = get64(buf + 16);
	h->seq = get64(buf + 24);
	h->age_ns = get64(buf + 32);
	p->begin_ms = get64(buf + 40);
	if (p->len != n || (buf[6] != LINK_TEST_DATA && buf[6] != LINK_TEST_END) || buf[9] != 0 || buf[10] != 0 || buf[11] != 0)
		return -1;
	h->kind = buf[6] == LINK_TEST_DATA ? LINK_TEST_DATA : LINK_TEST_END;
	if (p->steps == 0 || p->steps > LINK_TEST_STEPS || h->step >= p->steps || p->step_ms == 0 || p->step_ms > LINK_TEST_STEP_MS_MAX)
		return -1;
	if (read_table(h, buf) != 0)
		return -1;
	return h->kind == LINK_TEST_END ? -(h->seq != 0) : -(h->seq >= link_test_planned(p, h->step));
}

enum link_test_err link_test_decode(struct link_test_head *h, const uint8_t *buf, size_t n)
{
	struct link_test_head t;

	if (n < LINK_TEST_LEN_MIN || n > LINK_TEST_LEN_MAX || n % 8 != 0 || get32(buf) != LINK_TEST_MAGIC)
		return LINK_TEST_EFOREIGN;
	if (get64(buf + AT_CHECK) != check_of(buf) || read_head(&t, buf, n) != 0)
		return LINK_TEST_EHEAD;

	uint64_t k = pattern_key(&t), differ = 0;

	for (size_t at = LINK_TEST_HEAD; at < n; at += 8, k += GOLDEN)
		differ |= get64(buf + at) ^ pattern_word(k);
	*h = t;
	return differ == 0 ? LINK_TEST_OK : LINK_TEST_EPATTERN;
}
