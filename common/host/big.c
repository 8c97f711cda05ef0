/* big.c - see big.h */
#include "host/big.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SMALL_PAGE ((size_t)4096)
#define LARGE_PAGE ((size_t)2 << 20)

void *big_alloc(size_t n)
{
	size_t align = n < LARGE_PAGE ? SMALL_PAGE : LARGE_PAGE;
	size_t size = (n + align - 1) / align * align;

	if (size < n)
		return NULL;
	void *p = aligned_alloc(align, size > 0 ? size : align);
	if (p != NULL && align == LARGE_PAGE)
		(void)madvise(p, size, MADV_HUGEPAGE); /* a wish; without it only slower */
	return p;
}

void big_make(void *p, size_t n)
{
	(void)madvise(p, n, MADV_POPULATE_WRITE);
}
