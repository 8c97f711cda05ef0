/* link_test_send.h - the sending half of `katamichi link-test`.  The rates, the
 * pacer and the transmit stage are those of the daemon: what is measured is
 * what the daemon will do. */
#ifndef KM_LINK_TEST_SEND_H
#define KM_LINK_TEST_SEND_H

#include <netinet/in.h>

#include "tools/link_test_wire.h"

/* plan: steps, step_ms and rate are set; the rest is filled here.  mtu: of the link.  An exit code, after a line of
 * explanation where it is not 0. */
int link_test_send(const struct sockaddr_in *to, uint64_t mtu, struct link_test_plan *plan);

#endif
