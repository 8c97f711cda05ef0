/* proc_link.h - the receiver's link process: receive > authenticate > decode.
 *
 * It has the UDP socket, the tag keys that open gives it, and the part files
 * that store gives it; no path, no plaintext, no way to send. */
#ifndef KM_RECEIVER_PROC_LINK_H
#define KM_RECEIVER_PROC_LINK_H

enum { LINK_FD_SOCKET = 3, LINK_FD_OPEN, LINK_FD_STORE, LINK_FD_WINDOW, LINK_FD_END };
enum { LINK_CHUNKS = 80 }; /* of stage.h: the largest block three times; pieces of the window */

int receiver_link_run(void); /* returns the exit code */

#endif
