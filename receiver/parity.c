/* parity.c - memory for repair symbols (parity.h). */
#include "receiver/parity.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLAB = 1 << 20, NONE = -1 };

struct slab {
	uint32_t stride; /* 0: not in use */
	uint32_t used;   /* symbols handed out */
	uint32_t fresh;  /* never handed out from here on */
	uint8_t *freed;  /* list through the first 8 bytes of each */
};

struct parity_pool {
	uint8_t *mem;
	size_t slabs, in_use;
	int current;     /* slab to take from first, or NONE */
	struct slab slab[];
};

struct parity_pool *parity_new(size_t bytes)
{
	size_t n = bytes < SLAB ? 1 : bytes / SLAB;
	struct parity_pool *p = calloc(1, sizeof(*p) + n * sizeof(struct slab));

	if (p == NULL)
		return NULL;
	p->mem = mmap(NULL, n * SLAB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->mem == MAP_FAILED) {
		free(p);
		return NULL;
	}
	p->slabs = n;
	p->current = NONE;
	return p;
}

void parity_free(struct parity_pool *p)
{
	if (p == NULL)
		return;
	munmap(p->mem, p->slabs * SLAB);
	free(p);
}

static int has_room(const struct slab *s, uint32_t stride)
{
	return s->stride == stride && (s->freed != NULL || (s->fresh + 1) * stride <= SLAB);
}

/* A slab with room for this stride: the current one, another in use, or a new
 * one.  The search is over a hundred entries and happens once a slab. */
static int find(struct parity_pool *p, uint32_t stride)
{
	int empty = NONE;

	if (p->current != NONE && has_room(&p->slab[p->current], stride))
		return p->current;
	for (size_t i = 0; i < p->slabs; i++) {
		if (has_room(&p->slab[i], stride))
			return p->current = (int)i;
		if (p->slab[i].stride == 0 && empty == NONE)
			empty = (int)i;
	}
	if (empty != NONE) {
		p->slab[empty] = (struct slab){ .stride = stride };
		p->in_use++;
		p->current = empty;
	}
	return empty;
}

uint8_t *parity_get(struct parity_pool *p, uint32_t len)
{
	uint32_t stride = (len + 63) & ~63u;
	struct slab *s;
	uint8_t *r;
	int i;

	if (len == 0 || len > SLAB || (i = find(p, stride)) == NONE)
		return NULL;
	s = &p->slab[i];
	s->used++;
	if ((r = s->freed) != NULL)
		memcpy(&s->freed, r, sizeof(s->freed));
	else
		r = p->mem + (size_t)i * SLAB + (size_t)s->fresh++ * stride;
	return r;
}

void parity_put(struct parity_pool *p, uint8_t *symbol)
{
	struct slab *s = &p->slab[(size_t)(symbol - p->mem) / SLAB];

	if (--s->used == 0) {
		s->stride = 0;
		p->in_use--;
		return;
	}
	memcpy(symbol, &s->freed, sizeof(s->freed));
	s->freed = symbol;
}

size_t parity_used(const struct parity_pool *p)
{
	return p->in_use * SLAB;
}
