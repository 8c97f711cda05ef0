/* mac.h - one Ethernet controller in one direction: what driver/gem.c and driver/enet.c both are.
 *
 * A node has two, one that receives and one that transmits, for as long as it
 * runs; the driver's state is static and there is one of each.  regs: where the
 * controller's registers are.  Nothing here switches a controller round: the
 * direction that is not the one stays disabled, and its ring is one parked
 * descriptor that the hardware may not use.
 *
 * Frames are without the frame check sequence. */
#ifndef KM_FIRMWARE_MAC_H
#define KM_FIRMWARE_MAC_H

#include <stddef.h>
#include <stdint.h>

enum { MAC_FRAME_MAX = 1518 }; /* bytes that the hardware may put into a buffer */

/* A register that does not read as it must. */
struct mac_fault {
	uint32_t offset, want, got;
};

/* Both directions off, interrupts off. */
void mac_off(uintptr_t regs);

/* All frames come up, whatever their address: the filter judges and counts them. */
void mac_receive_start(uintptr_t regs, const uint8_t mac[6]);
/* The next frame and its length, or NULL = none; it stays the driver's and must be given back before the
 * next one is asked for.  Length 0: the piece of a frame too long for a buffer. */
const uint8_t *mac_receive(uintptr_t regs, size_t *n);
void mac_receive_done(void);
uint32_t mac_receive_full(void); /* how often the ring was found full, that is, frames may have been lost */

void mac_transmit_start(uintptr_t regs, const uint8_t mac[6]);
/* Room for a frame of up to MAC_FRAME_MAX bytes, or NULL while all are on their way. */
uint8_t *mac_transmit_room(void);
void mac_transmit(uintptr_t regs, size_t n); /* what stands in the room */

/* Are the direction and everything that serves it as they were set up?  0, or -1 and *fault. */
int mac_receive_check(uintptr_t regs, struct mac_fault *fault) __attribute__((warn_unused_result));
int mac_transmit_check(uintptr_t regs, struct mac_fault *fault) __attribute__((warn_unused_result));

#endif
