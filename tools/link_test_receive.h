/* link_test_receive.h - the receiving half of `katamichi link-test`. */
#ifndef KM_LINK_TEST_RECEIVE_H
#define KM_LINK_TEST_RECEIVE_H

#include <netinet/in.h>
#include <stdint.h>

struct link_test_listen {
	struct sockaddr_in at;
	uint64_t limit_ns;  /* listen no longer than that; 0: until the test is over */
	uint64_t buffer;    /* bytes of socket buffer */
	const char *out;    /* directory for the evidence */
};

/* Receive one test, print what came out, save it.  An exit code; EXIT_NO where nothing can be proposed.  The socket
 * is never connected and is shut for sending; nothing is ever sent. */
int link_test_receive(const struct link_test_listen *l);

#endif
