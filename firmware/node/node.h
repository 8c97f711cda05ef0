/* node.h - a node of the diode box from reset to power-off.
 *
 *   start-up: ports off, self-tests, watchdog, ports on
 *   loop:     every frame through the filter (filter.h), and out
 *   10 ms:    the direction registers, the stack's end and a piece of the image are checked; the watchdog is fed
 *   1 s:      one line of counters on the console
 *
 * Fail closed: whatever goes wrong ends in node_fault(), which shuts both ports
 * before it does anything else, says why, and resets the board. */
#ifndef KM_FIRMWARE_NODE_H
#define KM_FIRMWARE_NODE_H

#include <stdint.h>

enum node_fault {
	FAULT_NONE = 0,
	FAULT_RAM,
	FAULT_IMAGE,
	FAULT_FILTER,    /* its known answers */
	FAULT_CONFIG,
	FAULT_DIRECTION, /* a register of a port does not read as it must */
	FAULT_STACK,
	FAULT_EXCEPTION,
	FAULT_RESET,     /* the last run ended without a word: watchdog, or the reset line */
	FAULTS
};

/* Called by the start-up code, in this order; none returns. */
_Noreturn void node_ram_fault(volatile const uint32_t *where);
_Noreturn void node_main(void);
_Noreturn void node_exception(uint32_t kind, uintptr_t where);

#endif
