/* big.h - memory that is gone through as a whole: blocks of source and parity
 * symbols, work memory of the erasure code.
 *
 * The code reads such memory in rows a symbol apart, thousands of them side by
 * side, so that nearly every row is a page of 4 KB to itself and some of the time
 * goes to finding pages (measured: 5 to 15 % in all, tests/BENCH.md).  Pages of 2 MB,
 * where the kernel has them to give (transparent_hugepage is madvise or always),
 * end that; where it has none this is ordinary memory.
 *
 * The first touch of a page is dear, too: 0.2 to 1 GB/s on a virtual machine whose
 * host takes free pages back, and a receiver that is busy with it loses what
 * arrives meanwhile.  Where a link is fast, what large files go through
 * is therefore made when the service starts. */
#ifndef KM_BIG_H
#define KM_BIG_H

#include <stddef.h>

#define BIG_EARLY_RATE 1000000000ull /* bit/s: a link that is fast in this sense */

/* At least n bytes aligned to 4096 (as reads past the page cache want them), in
 * large pages from 2 MB on; at most 2 MB more than n is ever resident.  NULL: none left.  free() it. */
void *big_alloc(size_t n);
/* Its pages are made now; what cannot be, at their first touch. */
void big_make(void *p, size_t n);

#endif
