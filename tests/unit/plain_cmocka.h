/* plain_cmocka.h - the few parts of cmocka that test_fec.c uses, for targets
 * where there is none (tests/checks/neon.sh). */
#ifndef KATAMICHI_PLAIN_CMOCKA_H
#define KATAMICHI_PLAIN_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};

#define cmocka_unit_test(f) { #f, f }

#define assert_true(c) do { \
	if (!(c)) { \
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #c); \
		exit(1); \
	} \
} while (0)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)

static inline int run_plain_tests(const struct CMUnitTest *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		t[i].run(NULL);
		printf("ok %s\n", t[i].name);
	}
	return 0;
}
#define cmocka_run_group_tests(tests, setup, teardown) \
	run_plain_tests(tests, sizeof tests / sizeof *tests)

#endif
