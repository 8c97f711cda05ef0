/* chain.h against the vectors, and what a change does. */
#include "tests/unit/vectors.h"

#include "codec/chain.h"

static void vectors(void **state)
{
	char prev[CHAIN_HEX_LEN + 1], next[CHAIN_HEX_LEN + 1], name[32];

	(void)state;
	memcpy(prev, chain_first, sizeof(prev));
	assert_int_equal(strspn(prev, "0"), CHAIN_HEX_LEN);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "entry%d", i);
		struct vector entry = vector_get("chain", name);

		chain_next(next, prev, (const char *)entry.b, entry.n);
		(void)snprintf(name, sizeof(name), "hash%d", i);
		assert_vector(vector_get("chain", name), next, CHAIN_HEX_LEN);
		memcpy(prev, next, sizeof(prev));
	}
}

/* A changed, moved or removed row changes every hash behind it; in place is fine. */
static void links(void **state)
{
	char a[CHAIN_HEX_LEN + 1], b[CHAIN_HEX_LEN + 1];

	(void)state;
	chain_next(a, chain_first, "{}", 2);
	chain_next(b, chain_first, "{ }", 3);
	assert_string_not_equal(a, b);
	chain_next(b, a, "{}", 2);
	assert_string_not_equal(a, b);
	chain_next(a, a, "{}", 2);
	assert_string_equal(a, b);
	/* The border between hash and entry cannot move. */
	chain_next(b, chain_first, "", 0);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vectors), cmocka_unit_test(links)};

	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
