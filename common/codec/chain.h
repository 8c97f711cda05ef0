/* chain.h - the hash chain of the ledger (PROTOCOL.md, section 9.1). */
#ifndef KM_CHAIN_H
#define KM_CHAIN_H

#include <stddef.h>

enum { CHAIN_HEX_LEN = 64 };
extern const char chain_first[CHAIN_HEX_LEN + 1]; /* 64 zeros: the hash before row 1 */
/* hash of a row from the previous row's hash (64 hex digits) and its entry. */
void chain_next(char out[static CHAIN_HEX_LEN + 1], const char prev[static CHAIN_HEX_LEN], const char *entry, size_t n);

#endif
