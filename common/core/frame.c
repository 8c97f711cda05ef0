/* frame.c - see frame.h */
#include "core/frame.h"

#include <string.h>

#include "core/bytes.h"
#include "core/geometry.h"

/* Offsets of section 3.1 and 3.2. */
enum {
	AT_MAGIC = 0, AT_VERSION = 2, AT_KIND = 3, AT_LEN = 4, AT_LANE = 6, AT_MLOG = 7, AT_EPOCH = 8, AT_PN = 12,
	AT_KFULL = 18, AT_ID = 20, AT_OBJECT_LEN = 36, AT_BLOCK = 42, AT_SYMBOL = 46,
	CODE_LEN_MAX = 65536, /* k + M: elements of GF(2^16) */
};
_Static_assert(AT_PN + 6 == FRAME_HEAD_LEN && AT_KFULL - AT_PN == 6, "PROTOCOL.md, section 3.1");
_Static_assert(AT_SYMBOL + 2 == FRAME_SYMBOL_HEAD_LEN, "PROTOCOL.md, section 3.2");

enum frame_err frame_head(struct frame_head *h, const uint8_t *buf, size_t n)
{
	uint64_t pn;
	uint8_t kind;

	if (n < FRAME_MIN_LEN || n > FRAME_MAX_LEN)
		return FRAME_ESIZE;
	if (get16(buf + AT_MAGIC) != FRAME_MAGIC || buf[AT_VERSION] != FRAME_VERSION)
		return FRAME_EMAGIC;
	/* Equal, not "fits": bytes behind the tag would cross unread. */
	if (get16(buf + AT_LEN) != n)
		return FRAME_ESIZE;
	kind = buf[AT_KIND];
	pn = get48(buf + AT_PN);
	if (kind != FRAME_HELLO && kind != FRAME_SYMBOL && kind != FRAME_BEAT)
		return FRAME_EKIND;
	if (buf[AT_MLOG] > (kind == FRAME_SYMBOL ? FRAME_MLOG_MAX : 0) || (kind == FRAME_HELLO) != (pn == 0))
		return FRAME_EKIND;
	if (buf[AT_LANE] > FRAME_LANE_MAX || get32(buf + AT_EPOCH) == 0)
		return FRAME_EFIELD;
	h->kind = (enum frame_kind)kind;
	h->len = (uint16_t)n;
	h->lane = buf[AT_LANE];
	h->mlog = buf[AT_MLOG];
	h->epoch = get32(buf + AT_EPOCH);
	h->pn = pn;
	return FRAME_OK;
}

enum frame_err frame_symbol(struct frame_symbol *s, const struct frame_head *h, const uint8_t *buf)
{
	const uint32_t slen = (uint32_t)h->len - FRAME_SYMBOL_OVERHEAD, m = (uint32_t)1 << h->mlog;
	const uint16_t kfull = get16(buf + AT_KFULL), symbol = get16(buf + AT_SYMBOL);
	const uint32_t block = get32(buf + AT_BLOCK);
	struct geometry g;
	uint16_t k;

	if (h->kind != FRAME_SYMBOL || kfull + m > CODE_LEN_MAX)
		return FRAME_EGEOM;
	if (geometry_init(&g, get48(buf + AT_OBJECT_LEN), slen, kfull) != 0) /* odd slen, kfull 0, too many symbols */
		return FRAME_EGEOM;
	k = geometry_k(&g, block);
	if (k == 0 || symbol >= k + m)
		return FRAME_EGEOM;
	memcpy(s->id, buf + AT_ID, FRAME_ID_LEN);
	s->kfull = kfull;
	s->object_len = g.len;
	s->block = block;
	s->symbol = symbol;
	s->k = k;
	s->m = m;
	s->slen = (uint16_t)slen;
	return FRAME_OK;
}

void frame_put_head(uint8_t *buf, const struct frame_head *h)
{
	put16(buf + AT_MAGIC, FRAME_MAGIC);
	buf[AT_VERSION] = FRAME_VERSION;
	buf[AT_KIND] = (uint8_t)h->kind;
	put16(buf + AT_LEN, h->len);
	buf[AT_LANE] = h->lane;
	buf[AT_MLOG] = h->mlog;
	put32(buf + AT_EPOCH, h->epoch);
	put48(buf + AT_PN, h->pn);
}

void frame_put_symbol(uint8_t *buf, const struct frame_head *h, const struct frame_symbol *s)
{
	frame_put_head(buf, h);
	put16(buf + AT_KFULL, s->kfull);
	memcpy(buf + AT_ID, s->id, FRAME_ID_LEN);
	put48(buf + AT_OBJECT_LEN, s->object_len);
	put32(buf + AT_BLOCK, s->block);
	put16(buf + AT_SYMBOL, s->symbol);
}

const char *frame_strerror(enum frame_err e)
{
	switch (e) {
	case FRAME_OK: return "ok";
	case FRAME_ESIZE: return "size";
	case FRAME_EMAGIC: return "magic";
	case FRAME_EKIND: return "kind";
	case FRAME_EFIELD: return "field";
	case FRAME_EGEOM: return "geometry";
	}
	return "unknown";
}
