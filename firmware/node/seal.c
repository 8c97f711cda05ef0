/* seal.c - see seal.h.  In a section of its own, outside of what it seals. */
#include "node/seal.h"

const struct seal seal __attribute__((section(".seal"), used)) = { 0, 0, 0 };
