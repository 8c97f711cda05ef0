/* link_store.h - link's side of what it and store say to each other
 * (receiver_messages.h): complete objects, and part files for the next ones. */
#ifndef KM_LINK_STORE_H
#define KM_LINK_STORE_H

#include "host/ipc_recv.h"
#include "receiver/assemble.h"

struct link_store { /* zeroed, then assemble set */
	struct assemble *assemble;
	uint64_t asked_at_ns;
	uint32_t asked; /* part files of a MSG_NEED that store has not answered yet; 0: none */
	bool refused;   /* its last answer was fewer, for want of disk */
	bool gone;      /* store closed its end */
	struct ipc_msg msg;
};

extern const struct assemble_sink link_store_sink; /* ctx: struct link_store */
/* Read what store said, some messages at most. */
void link_store_read(struct link_store *s, uint64_t now_ns);
/* Ask for part files where there are few. */
void link_store_want(struct link_store *s, uint64_t now_ns);
/* No part file is left, and store is to bring some: a new object can be gathered in a moment, not now. */
bool link_store_owes(const struct link_store *s);

#endif
