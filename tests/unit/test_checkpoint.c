/* checkpoint.h against the vector, and witness.h: what is signed only grows. */
#include "tests/unit/vectors.h"

#include <fcntl.h>
#include <unistd.h>

#include "codec/checkpoint.h"
#include "receiver/witness.h"

static void get_receiver(struct party_secret *s)
{
	struct vector seed = vector_get("party", "receiver.ed25519_seed"), dh = vector_get("party", "receiver.x25519_secret");

	memset(s, 0, sizeof(*s));
	s->pub.role = PARTY_RECEIVER;
	crypto_sign_keypair_seed(s->pub.sign, s->sign, seed.b);
	memcpy(s->dh, dh.b, KEY_LEN);
	crypto_dh_public(s->pub.dh, s->dh);
	party_finish(&s->pub);
}

static void vector(void **state)
{
	struct vector text = vector_get("checkpoint", "text");
	struct party_secret *me = crypto_secret_alloc(sizeof(*me));
	char out[CHECKPOINT_TEXT_MAX];
	struct checkpoint c, again;

	(void)state;
	assert_non_null(me);
	get_receiver(me);
	assert_int_equal(checkpoint_read(&c, (const char *)text.b, text.n), 0);
	assert_int_equal(c.rows, 3);
	assert_int_equal(checkpoint_verify(&c, &me->pub), 0);
	again = c;
	memset(again.signature, 0, SIGN_LEN);
	assert_int_equal(checkpoint_sign(&again, me), 0);
	assert_int_equal(checkpoint_write(out, &again), text.n);
	assert_memory_equal(out, text.b, text.n);
	again.rows++;
	assert_int_equal(checkpoint_verify(&again, &me->pub), -1);
	/* every byte counts, and nothing may be added or left out */
	for (size_t i = 0; i < text.n; i++) {
		text.b[i] ^= 1;
		assert_true(checkpoint_read(&again, (const char *)text.b, text.n) != 0 || checkpoint_verify(&again, &me->pub) != 0);
		text.b[i] ^= 1;
		assert_int_equal(checkpoint_read(&again, (const char *)text.b, i), -1);
	}
	memcpy(out, text.b, text.n);
	out[text.n] = '\n';
	assert_int_equal(checkpoint_read(&again, out, text.n + 1), -1);
	crypto_secret_free(me);
}

/* Some spellings of the same that sscanf() would take. */
static void spellings(void **state)
{
	struct vector text = vector_get("checkpoint", "text");
	char out[CHECKPOINT_TEXT_MAX];
	struct checkpoint c;
	static const char *const change[][2] = { { "rows 3\n", "rows 03\n" }, { "rows 3\n", "rows +3\n" }, { "rows 3\n", "rows 0\n" },
		{ "rows 3\n", "rows -3\n" }, { "rows 3\n", "rows 18446744073709551615\n" }, { "\nrows", "\n\nrows" }, { "at 2", "at  2" },
		{ "Z\n", "z\n" } };

	(void)state;
	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		const char *at = strstr((const char *)text.b, change[i][0]);
		assert_non_null(at);
		int n = snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - (const char *)text.b), (const char *)text.b, change[i][1],
		    at + strlen(change[i][0]));
		if (checkpoint_read(&c, out, (size_t)n) != -1)
			fail_msg("taken: %s", change[i][1]);
	}
}

static int ask(struct msg_checkpoint *m, const struct party_secret *me, int fd, uint64_t rows, char digit)
{
	memset(m, 0, sizeof(*m));
	strcpy(m->checkpoint.at, "2026-11-21T02:26:03Z");
	m->checkpoint.rows = rows;
	memset(m->checkpoint.hash, digit, CHAIN_HEX_LEN);
	witness_answer(m, me, fd);
	return m->result;
}

/* What was signed is never taken back, also not by the next process. */
static void only_forward(void **state)
{
	char path[] = "/tmp/km-checkpoint-XXXXXX";
	struct party_secret *me = crypto_secret_alloc(sizeof(*me));
	static const struct {
		uint64_t rows;
		char digit;
		int result;
	} step[] = { { 5, 'a', WITNESS_SIGNED }, { 5, 'a', WITNESS_SIGNED }, { 5, 'b', WITNESS_BACK }, { 4, 'a', WITNESS_BACK },
		{ 6, 'c', WITNESS_SIGNED }, { 5, 'a', WITNESS_BACK }, { 7, 'g', WITNESS_BAD }, { 0, 'a', WITNESS_BACK } };
	struct msg_checkpoint m;
	int fd = mkstemp(path);

	(void)state;
	assert_non_null(me);
	get_receiver(me);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		assert_int_equal(ask(&m, me, fd, step[i].rows, step[i].digit), step[i].result);
		assert_int_equal(checkpoint_verify(&m.checkpoint, &me->pub) == 0, step[i].result == WITNESS_SIGNED);
		if (step[i].result == WITNESS_BACK)
			assert_true(m.before >= 5);
		close(fd);
		fd = open(path, O_RDWR);
	}
	close(fd);
	fd = open(path, O_RDONLY); /* cannot be written: not signed */
	assert_int_equal(ask(&m, me, fd, 9, 'a'), WITNESS_UNSAVED);
	close(fd);
	unlink(path);
	crypto_secret_free(me);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vector), cmocka_unit_test(spellings), cmocka_unit_test(only_forward)};

	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
