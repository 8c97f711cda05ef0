/* ram_march.h - the RAM test, which also clears: start-up runs it before there is a stack. */
#ifndef KM_FIRMWARE_RAM_MARCH_H
#define KM_FIRMWARE_RAM_MARCH_H

#include <stdint.h>

/* Up with a value for each word, up again with its complement, down with the value, up to zero: stuck bits,
 * bits that follow others, and addresses that fall together.  NULL: all is well and zero; else the first
 * bad word.  Uses no memory but [from, to): the build checks that its stack frame is empty (stack.py). */
volatile uint32_t *ram_march(volatile uint32_t *from, volatile uint32_t *to);

#endif
