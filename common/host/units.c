/* units.c - see units.h */
#include "units.h"

#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t scale;
};

static const struct unit sizes[] = {
	{ "", 1 }, { "B", 1 },
	{ "K", 1ull << 10 }, { "M", 1ull << 20 },
	{ "G", 1ull << 30 }, { "T", 1ull << 40 },
	{ "KiB", 1ull << 10 }, { "MiB", 1ull << 20 },
	{ "GiB", 1ull << 30 }, { "TiB", 1ull << 40 },
	{ NULL, 0 },
};

static const struct unit rates[] = {
	{ "", 1 }, { "bit", 1 },
	{ "k", 1000 }, { "kbit", 1000 }, { "K", 1000 }, { "Kbit", 1000 },
	{ "M", 1000000 }, { "Mbit", 1000000 },
	{ "G", 1000000000 }, { "Gbit", 1000000000 },
	{ "T", 1000000000000 }, { "Tbit", 1000000000000 },
	{ NULL, 0 },
};

static const struct unit times[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 }, { "min", 60000000000 },
	{ "h", 3600000000000 }, { "d", 86400000000000 },
	{ NULL, 0 },
};

/* The number at *s as digits * 10^-places; moves *s behind it. */
static int decimal(const char **s, uint64_t *digits, unsigned *places)
{
	const char *p = *s;
	int point = 0;

	*digits = 0;
	*places = 0;
	for (;; p++) {
		if (*p == '.' && !point && p != *s && p[1] >= '0' &&
		    p[1] <= '9') {
			point = 1;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		uint64_t d = (uint64_t)(*p - '0');
		if (*digits > (UINT64_MAX - d) / 10)
			return -1;
		*digits = *digits * 10 + d;
		*places += (unsigned)point;
	}
	if (p == *s)
		return -1;
	*s = p;
	return 0;
}

static int scaled(const char *s, const struct unit *table, uint64_t *out)
{
	uint64_t digits;
	unsigned places;

	if (s == NULL || decimal(&s, &digits, &places) != 0)
		return -1;
	while (table->name != NULL && strcmp(table->name, s) != 0)
		table++;
	if (table->name == NULL)
		return -1;

	/* Tens leave the number and then the unit: no overflow on the way. */
	uint64_t scale = table->scale;
	for (; places > 0; places--) {
		if (digits % 10 == 0)
			digits /= 10;
		else if (scale % 10 == 0)
			scale /= 10;
		else
			break;
	}
	for (uint64_t five = 5; places > 0; places--) {
		/* binary units: 1.5K = 15 * 1024 / 10 */
		if (scale % 2 != 0 || digits % five != 0)
			return -1;
		scale /= 2;
		digits /= five;
	}
	if (digits != 0 && scale > UINT64_MAX / digits)
		return -1;
	*out = digits * scale;
	return 0;
}

int units_size(const char *s, uint64_t *out)
{
	return scaled(s, sizes, out);
}

int units_rate(const char *s, uint64_t *out)
{
	return scaled(s, rates, out);
}

int units_time(const char *s, uint64_t *ns)
{
	if (s != NULL && strcmp(s, "0") == 0) {
		*ns = 0;
		return 0;
	}
	return scaled(s, times, ns);
}

int units_ratio(const char *s, double *out)
{
	uint64_t digits;
	unsigned places, e = 0;

	if (s == NULL || decimal(&s, &digits, &places) != 0)
		return -1;
	if (s[0] == 'e' && s[1] == '-') {
		s += 2;
		if (*s < '0' || *s > '9')
			return -1;
		for (; *s >= '0' && *s <= '9'; s++)
			if ((e = e * 10 + (unsigned)(*s - '0')) > 300)
				return -1;
	}
	if (*s == '%') {
		e += 2;
		s++;
	}
	if (*s != '\0')
		return -1;

	/* One division by an exact power of ten rounds once, so "1%", "0.01"
	 * and "1e-2" are the same double. */
	double power = 1, v = (double)digits;
	for (e += places; e > 0; e--) {
		if (e > 22 && power >= 1e22) {
			v /= power;
			power = 1;
		}
		power *= 10;
	}
	v /= power;
	if (v > 1)
		return -1;
	*out = v;
	return 0;
}
