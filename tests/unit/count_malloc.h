/* count_malloc.h - how often memory was asked for, by this program and by every
 * library in it: malloc() and its kin are replaced for the whole process.
 *
 * Not under a sanitizer, which replaces them itself: COUNT_MALLOC is 0 there. */
#ifndef KM_COUNT_MALLOC_H
#define KM_COUNT_MALLOC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define COUNT_MALLOC 0
#endif
#endif
#if !defined(COUNT_MALLOC) && defined(__SANITIZE_ADDRESS__)
#define COUNT_MALLOC 0
#endif
#ifndef COUNT_MALLOC
#define COUNT_MALLOC 1
#endif

static atomic_ulong malloc_count;

#if COUNT_MALLOC
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
	malloc_count++;
	return __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
	malloc_count++;
	return __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
	malloc_count++;
	return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	malloc_count++;
	return __libc_memalign(align, n);
}
#endif

#endif
