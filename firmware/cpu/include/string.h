/* string.h - the three functions of a C library that the firmware needs (cpu/memory.c). */
#ifndef KM_FIRMWARE_STRING_H
#define KM_FIRMWARE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
