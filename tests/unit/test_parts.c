/* The small pieces under assembly: parts.h, part_store.h, parity.h,
 * delivered.h, errand.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "receiver/delivered.h"
#include "host/errand.h"
#include "receiver/parity.h"
#include "receiver/part_store.h"
#include "tests/unit/seeded.h"

static void head(void **state)
{
	struct parts_head h = { .sender = "senderid", .id = "0123456789abcde" }, g;
	uint8_t b[PARTS_LINK_LEN];

	(void)state;
	assert_int_equal(geometry_init(&h.geo, 123456789, 1408, 4096), 0);
	parts_put_head(b, &h);
	assert_int_equal(parts_get_head(&g, b, sizeof(b)), 0);
	assert_memory_equal(g.sender, h.sender, 8);
	assert_memory_equal(g.id, h.id, 16);
	assert_int_equal(g.geo.len, 123456789);
	assert_int_equal(g.geo.symbols, h.geo.symbols);
	for (size_t n = 0; n < sizeof(b); n++)
		assert_int_equal(parts_get_head(&g, b, n), -1);
	for (size_t bit = 0; bit < sizeof(b) * 8; bit++) { /* torn anywhere */
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(parts_get_head(&g, b, sizeof(b)), -1);
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	h.geo.slen = 3; /* a true check, an impossible geometry */
	parts_put_head(b, &h);
	assert_int_equal(parts_get_head(&g, b, sizeof(b)), -1);
}

static unsigned kept;

static int found(void *ctx, uint32_t slot, const struct parts_head *h)
{
	(void)h;
	kept++;
	return slot == *(uint32_t *)ctx ? 0 : -1;
}

static void store(void **state)
{
	char dir[64];
	const char *tmp = getenv("TMPDIR");
	struct part_store p;
	struct parts_head h = { .id = { 1 } };
	uint8_t b[PARTS_LINK_LEN];
	uint32_t slot[3], want;
	int fd, data, map;

	(void)state;
	snprintf(dir, sizeof(dir), "%.40s/km-parts-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	fd = durable_open_dir(dir);
	want = 0;
	assert_int_equal(part_store_open(&p, fd, found, &want), 0);
	assert_int_equal(geometry_init(&h.geo, 1000, 192, 20), 0);
	parts_put_head(b, &h);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(part_store_create(&p, &slot[i], &data, &map), 0);
		if (i < 2)
			assert_int_equal(pwrite(map, b, sizeof(b), 0), sizeof(b));
		assert_int_equal(parts_attempts(map), 0);
		parts_set_attempts(map, 3);
		assert_int_equal(parts_attempts(map), 3);
		close(data);
		close(map);
	}
	assert_true(slot[0] < slot[1] && slot[1] < slot[2]);
	close(openat(fd, "stray", O_CREAT | O_WRONLY, 0600)); /* not ours: left alone */
	close(openat(fd, "0000000009.data", O_CREAT | O_WRONLY, 0600)); /* half a pair */
	kept = 0;
	want = slot[1];
	assert_int_equal(part_store_open(&p, fd, found, &want), 0);
	assert_int_equal(kept, 2); /* those with a head */
	assert_int_equal(part_store_data(&p, slot[0], O_RDONLY), -1);
	assert_int_equal(part_store_data(&p, slot[2], O_RDONLY), -1);
	assert_int_equal(part_store_data(&p, 9, O_RDONLY), -1);
	map = part_store_map(&p, slot[1], O_RDONLY);
	assert_int_equal(parts_attempts(map), 3);
	close(map);
	assert_int_equal(part_store_create(&p, &slot[0], &data, &map), 0);
	assert_int_equal(slot[0], 10); /* no number twice */
	close(data);
	close(map);
	close(fd);
	assert_int_equal(durable_remove_tree(AT_FDCWD, dir), 0);
}

static void parity(void **state)
{
	struct parity_pool *p = parity_new(3 << 20);
	static uint8_t *s[4096];
	uint32_t n = 0;

	(void)state;
	while ((s[n] = parity_get(p, 1408)) != NULL) {
		assert_int_equal((uintptr_t)s[n] % 64, 0);
		memset(s[n], (int)n, 1408);
		n++;
	}
	assert_int_equal(n, 3 * ((1 << 20) / 1408));
	for (uint32_t i = 0; i < n; i++) /* none overlaps another */
		for (uint32_t j = 0; j < 1408; j += 1407)
			assert_int_equal(s[i][j], (uint8_t)i);
	assert_null(parity_get(p, 64));
	for (uint32_t i = 0; i < n; i++)
		parity_put(p, s[n - 1 - i]);
	assert_int_equal(parity_used(p), 0);
	/* another length, at once */
	assert_non_null(s[0] = parity_get(p, 1 << 20));
	assert_non_null(s[1] = parity_get(p, 8896));
	assert_non_null(s[2] = parity_get(p, 2));
	assert_null(parity_get(p, 1 << 20));
	assert_null(parity_get(p, 0));
	assert_null(parity_get(p, (1 << 20) + 1));
	parity_put(p, s[2]);
	assert_non_null(parity_get(p, 1 << 20));
	/* random use against a list of what is out */
	parity_free(p);
	p = parity_new(1 << 20);
	memset(s, 0, sizeof(s));
	for (int i = 0; i < 100000; i++) {
		size_t k = seeded_below(200);
		if (s[k] != NULL) {
			assert_int_equal(s[k][0], (uint8_t)k);
			assert_int_equal(s[k][8191], (uint8_t)k);
			parity_put(p, s[k]);
			s[k] = NULL;
		} else if ((s[k] = parity_get(p, 8192)) != NULL) {
			memset(s[k], (int)k, 8192);
		}
	}
	parity_free(p);
}

static void remembered(void **state)
{
	struct delivered *d = delivered_new(100);
	uint8_t id[16] = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 150; i++) {
		id[3] = i;
		assert_false(delivered_has(d, 0, id));
		delivered_add(d, 0, id);
		delivered_add(d, 0, id); /* twice is once */
		assert_true(delivered_has(d, 0, id));
		assert_false(delivered_has(d, 1, id));
	}
	for (uint8_t i = 0; i < 150; i++) { /* the oldest made room */
		id[3] = i;
		assert_int_equal(delivered_has(d, 0, id), i >= 50);
	}
	delivered_remove(d, 0, id);
	assert_false(delivered_has(d, 0, id));
	delivered_remove(d, 0, id);
	delivered_add(d, 0, id);
	assert_true(delivered_has(d, 0, id));
	for (int i = 0; i < 10000; i++) { /* adding and removing at random keeps the chains whole */
		bool add = seeded() % 2;
		id[3] = (uint8_t)seeded();
		if (add)
			delivered_add(d, 0, id);
		else
			delivered_remove(d, 0, id);
		assert_int_equal(delivered_has(d, 0, id), add);
	}
	delivered_free(d);
}

struct number {
	struct errand e;
	int n, done;
};

static void square(struct errand *e)
{
	struct number *x = (struct number *)e;

	x->done = x->n * x->n;
}

static void errands(void **state)
{
	struct errands *t = errands_start();
	struct number x[50];
	struct errand *e;

	(void)state;
	assert_null(errands_take_wait(t)); /* nothing under way: does not hang */
	for (int i = 0; i < 50; i++) {
		x[i] = (struct number){ { NULL, square }, i, -1 };
		errands_submit(t, &x[i].e);
	}
	for (int i = 0; i < 50; i++) { /* in order */
		e = i % 2 ? errands_take_wait(t) : NULL;
		while (e == NULL)
			e = errands_take(t);
		assert_ptr_equal(e, &x[i]);
		assert_int_equal(x[i].done, i * i);
	}
	assert_int_equal(errands_pending(t), 0);
	x[0].done = -1;
	x[0].n = 9;
	errands_submit(t, &x[0].e);
	errands_stop(t); /* lets it finish */
	assert_int_equal(x[0].done, 81);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head),
		cmocka_unit_test(store),
		cmocka_unit_test(parity),
		cmocka_unit_test(remembered),
		cmocka_unit_test(errands),
	};

	seeded_init();
	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
