/* fuzz_slip.c - slip.h: what is read is in order and in bounds, and there is one way only to write it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
	if (!true_)
		abort();
}

static void check(const struct slip *s)
{
	uint64_t next = 1;

	must(s->ranges >= 1 && s->ranges <= SLIP_RANGES_MAX && s->day <= SLIP_DAY_MAX && s->ref >> SLIP_REF_BITS == 0);
	for (unsigned i = 0; i < s->ranges; i++) {
		must(s->range[i].first >= next && s->range[i].last >= s->range[i].first && s->range[i].last <= SLIP_NUMBER_MAX);
		next = s->range[i].last + 2;
	}
}

/* The check symbols stop nearly everything; so the ranges are also taken from the bytes. */
static void made(const uint8_t *data, size_t size)
{
	struct slip s = { .ref = 0x155AA, .day = 7 }, t;
	char text[SLIP_TEXT_MAX];

	for (size_t i = 0; i + 16 <= size; i += 16) {
		uint64_t v[2];
		memcpy(v, data + i, 16);
		if (slip_add(&s, v[0] >> (v[1] & 63), (v[0] >> (v[1] & 63)) + (v[1] >> 6)) != 0)
			continue;
	}
	if (s.ranges == 0)
		return;
	check(&s);
	slip_write(text, &s);
	must(strlen(text) < SLIP_TEXT_MAX && slip_read(&t, text, NULL) == SLIP_OK);
	must(t.ranges == s.ranges && memcmp(t.range, s.range, s.ranges * sizeof(s.range[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[SLIP_TEXT_MAX], *typed = malloc(size + 1);
	struct slip s, t;
	size_t at = 0;
	enum slip_err e;

	must(typed != NULL);
	memcpy(typed, data, size);
	typed[size] = '\0';
	e = slip_read(&s, typed, &at);
	must(slip_strerror(e)[0] != '\0' && at <= size);
	if (e == SLIP_OK) {
		check(&s);
		slip_write(text, &s);
		must(slip_read(&t, text, NULL) == SLIP_OK && t.ref == s.ref && t.day == s.day && t.ranges == s.ranges);
	}
	free(typed);
	made(data, size);
	return 0;
}
