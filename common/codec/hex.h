/* hex.h - bytes as small hexadecimal digits. */
#ifndef KM_HEX_H
#define KM_HEX_H

#include <stddef.h>
#include <stdint.h>

/* out has 2n + 1 bytes. */
void hex_put(char *out, const uint8_t *in, size_t n);
/* Exactly 2n small digits and nothing more (in may go on only if len says so).  0 or -1. */
int hex_get(uint8_t *out, size_t n, const char *in, size_t len) __attribute__((warn_unused_result));

#endif
