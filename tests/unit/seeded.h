/* seeded.h - randomness of a test that can be had again: the seed is printed,
 * and KATAMICHI_SEED in the environment sets it. */
#ifndef KM_SEEDED_H
#define KM_SEEDED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t seeded_state;

static inline void seeded_init(void)
{
	const char *env = getenv("KATAMICHI_SEED");

	seeded_state = env != NULL ? strtoull(env, NULL, 10) : (uint64_t)time(NULL);
	fprintf(stderr, "KATAMICHI_SEED=%llu\n", (unsigned long long)seeded_state);
}

/* splitmix64 */
static inline uint64_t seeded(void)
{
	uint64_t z = seeded_state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static inline size_t seeded_below(size_t n)
{
	return (size_t)(seeded() % n);
}

static inline void seeded_bytes(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)seeded();
}

#endif
