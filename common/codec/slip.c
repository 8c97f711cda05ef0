/* slip.c - the resend slip (slip.h; PROTOCOL.md, section 11). */
#include "codec/slip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	VERSION = 1,
	REF_SYMBOLS = SLIP_REF_BITS / 5,
	DAY_SYMBOLS = 3,
	HEAD = 1 + REF_SYMBOLS + DAY_SYMBOLS,
	CHECK = 6,
	MORE = 16,             /* bit of a symbol: the number goes on */
	NUMBER_SYMBOLS = 16,   /* of 4 bits: 62 bits fit */
};

/* Crockford's: no I, L, O, U. */
static const char alphabet[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* --- check symbols: the BCH code of BIP 350 over GF(32) --- */
static uint32_t check_step(uint32_t c, uint8_t symbol)
{
	static const uint32_t generator[5] = { 0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3 };
	uint32_t top = c >> 25;

	c = (c & 0x1FFFFFF) << 5 ^ symbol;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			c ^= generator[i];
	return c;
}

#define CHECK_GOOD 0x2BC830A3u

static uint32_t check_of(const uint8_t *symbol, size_t n)
{
	uint32_t c = 1;

	for (size_t i = 0; i < n; i++)
		c = check_step(c, symbol[i]);
	return c;
}

/* --- numbers: 4 bits a symbol, the highest first --- */
static size_t put_number(uint8_t *out, uint64_t v)
{
	size_t n = 1;

	while (n < NUMBER_SYMBOLS && v >> 4 * n != 0)
		n++;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((v >> 4 * (n - 1 - i) & 15) | (i + 1 < n ? MORE : 0));
	return n;
}

/* Symbols read, or 0: cut off, too large, or longer than need be. */
static size_t get_number(uint64_t *v, const uint8_t *in, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n && i < NUMBER_SYMBOLS; i++) {
		x = x << 4 | (in[i] & 15);
		if (in[i] & MORE) {
			if (x == 0)
				return 0;
			continue;
		}
		*v = x;
		return x <= SLIP_NUMBER_MAX ? i + 1 : 0;
	}
	return 0;
}

/* A range is said by what lies between it and the one before, and by how much more than one number it has. */
static size_t put_ranges(uint8_t *out, const struct slip *s)
{
	uint64_t next = 1;
	size_t n = 0;

	for (unsigned i = 0; i < s->ranges; i++) {
		n += put_number(out + n, s->range[i].first - next);
		n += put_number(out + n, s->range[i].last - s->range[i].first);
		next = s->range[i].last + 2;
	}
	return n;
}

static int get_ranges(struct slip *s, const uint8_t *in, size_t n)
{
	uint64_t next = 1, skip, more;
	size_t at = 0, used;

	while (at < n) {
		if (s->ranges == SLIP_RANGES_MAX || (used = get_number(&skip, in + at, n - at)) == 0)
			return -1;
		at += used;
		if ((used = get_number(&more, in + at, n - at)) == 0)
			return -1;
		at += used;
		/* Each term is below 2^62, so the sums do not wrap. */
		if (next + skip > SLIP_NUMBER_MAX || next + skip + more > SLIP_NUMBER_MAX)
			return -1;
		s->range[s->ranges++] = (struct slip_range){ next + skip, next + skip + more };
		next += skip + more + 2;
	}
	return s->ranges > 0 ? 0 : -1;
}

/* --- the whole --- */
uint32_t slip_ref(const uint8_t sender[static HASH_LEN], const uint8_t receiver[static HASH_LEN],
    const uint8_t generation[static 16], const char *channel)
{
	static const char context[] = "katamichi v1 slip"; /* with its NUL */
	uint8_t in[sizeof(context) + 2 * HASH_LEN + 16 + 32], hash[HASH_LEN];
	size_t len = strnlen(channel, 32);

	memset(in, 0, sizeof(in));
	memcpy(in, context, sizeof(context));
	memcpy(in + sizeof(context), sender, HASH_LEN);
	memcpy(in + sizeof(context) + HASH_LEN, receiver, HASH_LEN);
	memcpy(in + sizeof(context) + 2 * HASH_LEN, generation, 16);
	memcpy(in + sizeof(context) + 2 * HASH_LEN + 16, channel, len);
	crypto_sha256(hash, in, sizeof(in));
	return ((uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3]) >> (32 - SLIP_REF_BITS);
}

uint32_t slip_day(uint64_t wall_s)
{
	uint64_t day = wall_s < SLIP_EPOCH_S ? 0 : (wall_s - SLIP_EPOCH_S) / 86400;

	return day < SLIP_DAY_MAX ? (uint32_t)day : SLIP_DAY_MAX;
}

int slip_add(struct slip *s, uint64_t first, uint64_t last)
{
	uint8_t symbols[SLIP_RANGES_MAX * 2 * NUMBER_SYMBOLS];
	uint64_t next = s->ranges == 0 ? 1 : s->range[s->ranges - 1].last + 2;

	if (first < next || first > last || last > SLIP_NUMBER_MAX || s->ranges == SLIP_RANGES_MAX)
		return -1;
	s->range[s->ranges++] = (struct slip_range){ first, last };
	if (HEAD + put_ranges(symbols, s) + CHECK <= SLIP_SYMBOLS_MAX)
		return 0;
	s->ranges--;
	return -1;
}

void slip_write(char out[static SLIP_TEXT_MAX], const struct slip *s)
{
	uint8_t v[SLIP_SYMBOLS_MAX + CHECK];
	size_t n = 0, len = 0;
	uint32_t c;

	v[n++] = VERSION;
	for (int shift = SLIP_REF_BITS - 5; shift >= 0; shift -= 5)
		v[n++] = (uint8_t)(s->ref >> shift & 31);
	for (int shift = 10; shift >= 0; shift -= 5)
		v[n++] = (uint8_t)(s->day >> shift & 31);
	n += put_ranges(v + n, s);
	memset(v + n, 0, CHECK);
	c = check_of(v, n + CHECK) ^ CHECK_GOOD;
	for (int shift = 25; shift >= 0; shift -= 5)
		v[n++] = (uint8_t)(c >> shift & 31);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && i % 4 == 0)
			out[len++] = '-';
		out[len++] = alphabet[v[i]];
	}
	out[len] = '\0';
}

const char *slip_numbers(char out[static SLIP_NUMBERS_MAX], const struct slip *s)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < s->ranges; i++) {
		const struct slip_range *g = &s->range[i];
		int len = snprintf(out + n, SLIP_NUMBERS_MAX - n, "%s%" PRIu64, i > 0 ? ", " : "", g->first);
		n += (size_t)len;
		if (g->first != g->last)
			n += (size_t)snprintf(out + n, SLIP_NUMBERS_MAX - n, "-%" PRIu64, g->last);
	}
	return out;
}

uint64_t slip_count(const struct slip *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->ranges; i++)
		n += s->range[i].last - s->range[i].first + 1;
	return n;
}

/* 0 to 31; -1: to be passed over; -2: no such character. */
static int symbol_of(char c)
{
	const char *at;

	if (c == ' ' || c == '-' || c == '\t' || c == '\n' || c == '\r')
		return -1;
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	at = c == '\0' ? NULL : strchr(alphabet, c);
	return at == NULL ? -2 : (int)(at - alphabet);
}

enum slip_err slip_read(struct slip *s, const char *text, size_t *at)
{
	uint8_t v[SLIP_SYMBOLS_MAX] = { 0 };
	struct slip t = { 0 };
	size_t n = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		int x = symbol_of(text[i]);
		if (x == -1)
			continue;
		if (x < 0) {
			if (at != NULL)
				*at = i;
			return SLIP_ECHAR;
		}
		if (n == SLIP_SYMBOLS_MAX)
			return SLIP_ELENGTH;
		v[n++] = (uint8_t)x;
	}
	if (n < HEAD + 2 + CHECK)
		return SLIP_ELENGTH;
	if (check_of(v, n) != CHECK_GOOD)
		return SLIP_ECHECK;
	if (v[0] != VERSION)
		return SLIP_EVERSION;
	for (unsigned i = 0; i < REF_SYMBOLS; i++)
		t.ref = t.ref << 5 | v[1 + i];
	for (unsigned i = 0; i < DAY_SYMBOLS; i++)
		t.day = t.day << 5 | v[1 + REF_SYMBOLS + i];
	if (get_ranges(&t, v + HEAD, n - HEAD - CHECK) != 0)
		return SLIP_EFORM;
	*s = t;
	return SLIP_OK;
}

const char *slip_strerror(enum slip_err e)
{
	switch (e) {
	case SLIP_OK:
		return "it is right";
	case SLIP_ECHAR:
		return "it has a character that no slip has (digits and letters without U)";
	case SLIP_ELENGTH:
		return "it is too short or too long: a part is missing, or there is more than one";
	case SLIP_ECHECK:
		return "it is mistyped somewhere: compare it with the slip, group by group";
	case SLIP_EVERSION:
		return "it was made by another version of katamichi";
	case SLIP_EFORM:
		return "its check symbols are right, but it makes no sense";
	}
	return "?";
}
