/* store_slots.c - part files for link (store.h): it gathers objects in them, and can make none. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "receiver/peer_gone.h"
#include "receiver/receiver_proc.h"
#include "receiver/store.h"

enum { SLOTS_MAX = 512 /* that link may ask for at once */ };
#define DISK_LOG_NS 10000000000ull /* between two lines about it */

void store_give_slot(struct store *s, uint32_t slot, int data, int map)
{
	struct msg_slot m = { .slot = slot };
	int fd[3] = { data, map, part_store_data(&s->parts, slot, O_RDWR | O_DIRECT) };

	if (ipc_send_fds(STORE_FD_LINK, MSG_SLOT, &m, sizeof(m), fd, fd[2] >= 0 ? 3 : 2) != 1)
		peer_gone(s->stop_fd, "link");
	if (fd[2] >= 0)
		close(fd[2]);
}

uint32_t store_give_slots(struct store *s, uint32_t count)
{
	uint32_t slot, i;
	int data, map;

	for (i = 0; i < count && i < SLOTS_MAX; i++) {
		if (part_store_create(&s->parts, &slot, &data, &map) != 0) {
			uint64_t now = clock_mono_ns();
			if (s->disk_log_ns == 0 || now - s->disk_log_ns > DISK_LOG_NS) {
				s->disk_log_ns = now;
				log_about(.event = LOG_EVENT_DISK);
				log_error("parts: no new file: %s; what arrives now is left to a later round", strerror(errno));
			}
			break; /* link asks again */
		}
		store_give_slot(s, slot, data, map);
		close(data);
		close(map);
	}
	return i;
}
