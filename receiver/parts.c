/* parts.c - the head of a map file (parts.h). */
#include "receiver/parts.h"

#include <string.h>
#include <unistd.h>

#include "core/bytes.h"

static uint64_t fnv(const uint8_t *p, size_t n)
{
	uint64_t h = 0xCBF29CE484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001B3u;
	return h;
}

void parts_put_head(uint8_t out[static PARTS_LINK_LEN], const struct parts_head *h)
{
	memset(out, 0, PARTS_LINK_LEN);
	memcpy(out, "KMPART01", 8);
	memcpy(out + 8, h->sender, 8);
	memcpy(out + 16, h->id, 16);
	put32(out + 32, h->geo.slen);
	put16(out + 36, h->geo.kfull);
	put64(out + 40, h->geo.len);
	put64(out + 48, fnv(out, 48));
}

int parts_get_head(struct parts_head *h, const uint8_t *in, size_t n)
{
	struct parts_head r;

	if (n < PARTS_LINK_LEN || memcmp(in, "KMPART01", 8) != 0 || get64(in + 48) != fnv(in, 48))
		return -1;
	memcpy(r.sender, in + 8, 8);
	memcpy(r.id, in + 16, 16);
	if (geometry_init(&r.geo, get64(in + 40), get32(in + 32), get16(in + 36)) != 0)
		return -1;
	*h = r;
	return 0;
}

int parts_read_head(struct parts_head *h, int map_fd)
{
	uint8_t b[PARTS_LINK_LEN];
	ssize_t n = pread(map_fd, b, sizeof(b), 0);

	return n == (ssize_t)sizeof(b) && parts_get_head(h, b, sizeof(b)) == 0;
}

uint32_t parts_attempts(int map_fd)
{
	uint8_t b[4];

	return pread(map_fd, b, 4, PARTS_ATTEMPTS_AT) == 4 ? get32(b) : 0;
}

void parts_set_attempts(int map_fd, uint32_t n)
{
	uint8_t b[4];

	/* Not synced: it is there to survive the death of a process.  A lost
	 * count costs one more attempt. */
	put32(b, n);
	if (pwrite(map_fd, b, 4, PARTS_ATTEMPTS_AT) != 4)
		return;
}
