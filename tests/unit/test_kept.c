/* kept.h: bytes of small files in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "sender/kept.h"

enum { FILES_MAX = KEPT_BLOCKS_MAX * (KEPT_BLOCK / KEPT_FILE_MAX) };

/* Takes as much as there is; how many files of n bytes. */
static unsigned fill(struct kept *k, struct kept_room *room, size_t n)
{
	unsigned files = 0;
	uint8_t *p;

	for (; (p = kept_take(k, room, n)) != NULL; files++)
		memset(p, (int)files, n);
	return files;
}

/* made: all at once, before the first file. */
static void is_bounded(bool made)
{
	struct kept_room room = { 0 };
	struct kept a = { 0 }, b = { 0 };
	unsigned files;

	if (made)
		kept_make(&room);
	files = fill(&a, &room, KEPT_FILE_MAX);
	assert_in_range(files, FILES_MAX / 2, FILES_MAX);
	assert_null(kept_take(&b, &room, KEPT_FILE_MAX)); /* others find none either */
	kept_end(&a);
	assert_null(a.first);
	assert_int_equal(fill(&b, &room, KEPT_FILE_MAX), files); /* all of it came back */
	kept_end(&b);
	kept_end(&b); /* nothing */
	assert_int_equal(room.made, KEPT_BLOCKS_MAX);
	kept_room_end(&room);
	assert_int_equal(fill(&a, &room, KEPT_FILE_MAX), files); /* a room like any other */
	kept_end(&a);
	kept_room_end(&room);
}

static void bounded(void **state)
{
	(void)state;
	is_bounded(false);
	is_bounded(true);
}

static void apart(void **state)
{
	struct kept_room room = { 0 };
	struct kept a = { 0 }, b = { 0 };
	uint8_t *p[64], *q = NULL;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		p[i] = kept_take(&a, &room, 10000 + i);
		assert_non_null(p[i]);
		memset(p[i], (int)i, 10000 + i);
		q = kept_take(&b, &room, 1);
		assert_non_null(q);
		*q = 0xff;
	}
	for (unsigned i = 0; i < 64; i++)
		for (unsigned n = 0; n < 10000 + i; n++)
			assert_int_equal(p[i][n], i);
	assert_null(kept_take(&a, &room, KEPT_FILE_MAX + 1));
	kept_end(&a);
	assert_int_equal(*q, 0xff); /* the other's stay */
	kept_end(&b);
	kept_room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bounded), cmocka_unit_test(apart) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
