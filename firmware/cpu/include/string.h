/* string.h - the three functions of a C library that the firmware needs (cpu/memory.c). */
#ifndef KM_FIRMWARE_STRING_H
#define KM_FIRMWARE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Let the compiler see what they are: a few bytes then need no call.  (A freestanding one assumes nothing.) */
#define memcpy(to, from, n) __builtin_memcpy(to, from, n)
#define memset(to, byte, n) __builtin_memset(to, byte, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)

#endif
