/* hex.c - bytes as small hexadecimal digits (hex.h). */
#include "codec/hex.h"

void hex_put(char *out, const uint8_t *in, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[in[i] >> 4];
		out[2 * i + 1] = digit[in[i] & 15];
	}
	out[2 * n] = '\0';
}

/* Of a digit its value and 1; of anything else 0. */
static const uint8_t nibble[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

int hex_get(uint8_t *out, size_t n, const char *in, size_t len)
{
	if (len / 2 != n || len % 2 != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned hi = nibble[(uint8_t)in[2 * i]], lo = nibble[(uint8_t)in[2 * i + 1]];

		if (hi == 0 || lo == 0)
			return -1;
		out[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	return 0;
}
