/* diode_conf.h - the file by which the diode box and both hosts agree.
 *
 *   [sender]    mac, ip          of the sending host's device; device = eth0 (its name, for the printed commands)
 *   [receiver]  mac, ip, device  the same of the receiving host
 *   [ingress]   mac              of the ingress node towards the sender
 *   [egress]    mac              of the egress node towards the receiver
 *   [link]      port             UDP
 *               rate             bit/s on the wire, with all headers, preamble and gap; more is dropped; 1M to 1G
 *               mtu = 1500       576 to 1500: every datagram has exactly mtu - 28 bytes
 *               burst = 20ms     how much of the rate may come at once; up to 1s
 *
 * The two MACs on the fibre are no setting: firmware/link_frame.h fixes them. */
#ifndef KM_DIODE_CONF_H
#define KM_DIODE_CONF_H

#include <stdint.h>

struct diode_end {
	uint8_t mac[6];
	int has_mac;
	uint32_t ip; /* 10.77.0.1 = 0x0A4D0001; of the hosts only */
	char device[16];
};

struct diode_conf {
	struct diode_end sender, receiver, ingress, egress;
	uint64_t port, rate, mtu, burst;
};

/* 0, or EXIT_CONFIG or EXIT_SYSTEM after a message (FILE:LINE). */
int diode_conf_read(struct diode_conf *c, const char *file) __attribute__((warn_unused_result));

#endif
