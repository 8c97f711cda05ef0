/* hash_aside.c - see hash_aside.h. */
#include "sender/hash_aside.h"

#include <stdlib.h>

#include "host/errand.h"

struct piece {
	struct errand errand; /* first: the thread gets its address */
	struct crypto_hasher *hasher;
	const uint8_t *data;
	size_t n;
};

struct hash_aside {
	struct errands *thread;
	struct piece piece[HASH_ASIDE_PIECES]; /* used in turn: they end in their order */
	unsigned turn;
};

static void run(struct errand *e)
{
	const struct piece *p = (const struct piece *)(const void *)e;

	crypto_hasher_add(p->hasher, p->data, p->n);
}

struct hash_aside *hash_aside_start(void)
{
	struct hash_aside *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->thread = errands_start();
	if (a->thread == NULL) {
		free(a);
		return NULL;
	}
	for (unsigned i = 0; i < HASH_ASIDE_PIECES; i++)
		a->piece[i].errand.run = run;
	return a;
}

void hash_aside_stop(struct hash_aside *a)
{
	if (a == NULL)
		return;
	errands_stop(a->thread);
	free(a);
}

/* Until so many or fewer are not hashed yet. */
static void wait(struct hash_aside *a, unsigned most)
{
	while (errands_pending(a->thread) > most)
		(void)errands_take_wait(a->thread);
}

void hash_aside_add(struct hash_aside *a, struct crypto_hasher *h, const uint8_t *data, size_t n)
{
	struct piece *p = &a->piece[a->turn++ % HASH_ASIDE_PIECES];

	wait(a, HASH_ASIDE_PIECES - 1);
	p->hasher = h;
	p->data = data;
	p->n = n;
	errands_submit(a->thread, &p->errand);
}

void hash_aside_settle(struct hash_aside *a)
{
	if (a != NULL)
		wait(a, 0);
}
