/* link_main.c - katamichi-receiver-link, the one process of the receiver that
 * holds the link's socket.
 *
 * An executable of its own, so that what it cannot do can be read off the
 * binary: `nm -u` shows no send*, connect or socket call, and of libcrypto
 * nothing that could lead to one (a test).  It is
 * started by katamichi-receiver and is of no use by itself. */
#include <string.h>

#include "codec/crypto.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/proc_link.h"

int main(int argc, char **argv)
{
	log_init("katamichi-receiver", "link");
	if (argc < 3 || strcmp(argv[1], "--role") != 0 || strcmp(argv[2], "link") != 0)
		log_die(EXIT_USAGE, "this program is started by katamichi-receiver");
	if (argc > 4 && strcmp(argv[4], "--no-sandbox") == 0)
		sandbox_off();
	proc_child_init("link", LINK_FD_END - PROC_FD_FIRST);
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	sandbox_begin(SANDBOX_RECEIVER_LINK, NULL, 0);
	return receiver_link_run();
}
