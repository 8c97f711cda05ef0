/* copy.h: the bytes of memcpy(), and none beside them, wherever both ends lie in a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "host/copy.h"
#include "tests/unit/seeded.h"

enum { MAX = 4096 + 300, EDGE = 128, ROOM = EDGE + MAX + EDGE };

static void as_memcpy(void **state)
{
	static const size_t length[] = { 0, 1, 15, 16, 63, 64, 65, 127, 128, 129, 191, 192, 193, 4096, 4097, MAX - 64 };
	static uint8_t from[ROOM], to[ROOM], want[ROOM];

	(void)state;
	seeded_bytes(from, sizeof(from));
	for (size_t i = 0; i < sizeof(length) / sizeof(length[0]); i++)
		for (size_t a = 0; a < 64; a++) {
			size_t b = seeded_below(64), n = length[i];

			memset(to, (int)(a + i), sizeof(to));
			memcpy(want, to, sizeof(to));
			memcpy(want + EDGE + a, from + EDGE + b, n);
			copy_away(to + EDGE + a, from + EDGE + b, n);
			assert_memory_equal(to, want, sizeof(to));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_memcpy) };

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
