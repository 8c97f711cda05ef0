/* witness.c - see witness.h */
#include "receiver/witness.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "core/bytes.h"
#include "host/log.h"

enum { FLOOR_LEN = 8 + HASH_LEN };

static enum witness_result raise_floor(struct msg_checkpoint *m, int fd)
{
	struct checkpoint *c = &m->checkpoint;
	uint8_t old[FLOOR_LEN] = { 0 }, new[FLOOR_LEN];

	if (hex_get(new + 8, HASH_LEN, c->hash, strnlen(c->hash, sizeof(c->hash))) != 0)
		return WITNESS_BAD;
	put64(new, c->rows);
	if (pread(fd, old, sizeof(old), 0) == (ssize_t)sizeof(old))
		m->before = get64(old);
	if (c->rows < m->before || (c->rows == m->before && memcmp(old, new, sizeof(new)) != 0))
		return WITNESS_BACK;
	if (c->rows == m->before)
		return WITNESS_SIGNED;
	if (pwrite(fd, new, sizeof(new), 0) == (ssize_t)sizeof(new) && fdatasync(fd) == 0)
		return WITNESS_SIGNED;
	log_error("the checkpoint's number cannot be stored: %s; it is not signed now", strerror(errno));
	return WITNESS_UNSAVED;
}

void witness_answer(struct msg_checkpoint *m, const struct party_secret *receiver, int floor_fd)
{
	m->before = 0;
	m->result = raise_floor(m, floor_fd);
	if (m->result == WITNESS_SIGNED && checkpoint_sign(&m->checkpoint, receiver) != 0)
		m->result = WITNESS_BAD;
}
