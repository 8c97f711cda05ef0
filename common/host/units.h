/* units.h - numbers with units, as people write them in configuration files
 * and on command lines.
 *
 * All four are strict: a plain ASCII decimal number ("10", "1.5"), then the
 * unit, then the end of the string.  No sign, no spaces, no hexadecimal, no
 * locale.  Return 0, or -1 with *out untouched where the text is anything else
 * or the value does not fit.  Fractions must come out whole ("1.5K" is 1536;
 * "1.5" bytes is an error). */
#ifndef KATAMICHI_UNITS_H
#define KATAMICHI_UNITS_H

#include <stdint.h>

/* Bytes.  K M G T, also KiB MiB GiB TiB, are powers of 1024; B or none is 1. */
int units_size(const char *s, uint64_t *out) __attribute__((warn_unused_result));

/* Bits a second.  k (or K) M G T are powers of 1000; "bit" may follow. */
int units_rate(const char *s, uint64_t *out) __attribute__((warn_unused_result));

/* A share, 0 .. 1: "1%", "0.01" or "1e-9". */
int units_ratio(const char *s, double *out) __attribute__((warn_unused_result));

/* Nanoseconds.  ns us ms s m (or min) h d; a bare "0" needs no unit. */
int units_time(const char *s, uint64_t *ns) __attribute__((warn_unused_result));

#endif
