/* filter.c - see filter.h */
#include "firmware/filter.h"

#include <stdbool.h>
#include <string.h>

#include "firmware/link_frame.h"

static bool mac_ok(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, 6) != 0; /* bit 0: a group */
}

static bool conf_ok(const struct filter_conf *c, bool egress)
{
	if (!mac_ok(c->from.mac) || !mac_ok(c->to.mac) || c->from.ip == 0 || c->to.ip == 0 || c->to.port == 0)
		return false;
	if (egress && c->from.port == 0) /* has to be written into every frame */
		return false;
	return c->rate > 0 && (c->datagram_len == 0 ||
	    (c->datagram_len >= FRAME_MIN_LEN && c->datagram_len <= FRAME_MAX_LEN));
}

static int init(struct filter *f, const struct filter_conf *c, bool egress, uint64_t now_ns)
{
	memset(f, 0, sizeof *f);
	if (!conf_ok(c, egress))
		return -1;
	f->conf = *c;
	f->egress = egress;
	pacer_init(&f->bucket, c->rate, c->burst_ns, now_ns);
	f->open = 1;
	return 0;
}

int filter_ingress_init(struct filter *f, const struct filter_conf *c, uint32_t boot_epoch, uint64_t now_ns)
{
	int r = init(f, c, false, now_ns);

	f->epoch = boot_epoch;
	return r;
}

int filter_egress_init(struct filter *f, const struct filter_conf *c, uint64_t now_ns)
{
	return init(f, c, true, now_ns);
}

/* The datagram's own head, by the decoder of the hosts. */
static enum filter_why check_datagram(const struct filter *f, const uint8_t *d, uint16_t len)
{
	struct frame_head h;

	if (f->conf.datagram_len != 0 && len != f->conf.datagram_len)
		return FILTER_DATAGRAM_LEN;
	switch (frame_head(&h, d, len)) {
	case FRAME_OK: return FILTER_PASS;
	case FRAME_ESIZE: return FILTER_HEAD_SIZE;
	case FRAME_EMAGIC: return FILTER_HEAD_MAGIC;
	case FRAME_EKIND: return FILTER_HEAD_KIND;
	default: return FILTER_HEAD_FIELD;
	}
}

/* Last of all checks, so that what is refused anyhow takes no tokens. */
static enum filter_why check_rate(struct filter *f, size_t wire, uint64_t now_ns)
{
	if (pacer_wait(&f->bucket, now_ns) > 0)
		return FILTER_RATE;
	pacer_sent(&f->bucket, (uint32_t)wire, now_ns);
	return FILTER_PASS;
}

static enum filter_why ingress(struct filter *f, uint8_t *out, size_t *room, const uint8_t *frame, size_t n, uint64_t now_ns)
{
	struct link_frame link = { .epoch = f->epoch, .sequence = f->sequence + 1 };
	enum filter_why why = udp_frame_get(&link.len, frame, n, &f->conf.from, &f->conf.to);

	if (why != FILTER_PASS)
		return why;
	link.datagram = frame + UDP_FRAME_OVERHEAD;
	why = check_datagram(f, link.datagram, link.len);
	if (why != FILTER_PASS)
		return why;
	if (*room < (size_t)LINK_OVERHEAD + link.len)
		return FILTER_ROOM;
	why = check_rate(f, n + FILTER_WIRE_EXTRA, now_ns);
	if (why != FILTER_PASS)
		return why;
	*room = link_frame_put(out, *room, &link);
	f->sequence++;
	return FILTER_PASS;
}

/* Where in the ingress node's life is this frame?  Gaps are counted, not refused. */
static enum filter_why check_sequence(struct filter *f, const struct link_frame *link)
{
	if (link->sequence == 0)
		return FILTER_LINK_SEQUENCE;
	if (!f->seen || link->epoch != f->epoch) {
		/* What went by before this node's own start is not lost, but a
		 * restart of the other one begins at 1. */
		f->count.boots += f->seen != 0;
		f->count.lost += f->seen ? link->sequence - 1 : 0;
	} else if (link->sequence <= f->sequence) {
		return FILTER_LINK_SEQUENCE;
	} else {
		f->count.lost += link->sequence - f->sequence - 1;
	}
	f->seen = 1;
	f->epoch = link->epoch;
	f->sequence = link->sequence;
	return FILTER_PASS;
}

static enum filter_why egress(struct filter *f, uint8_t *out, size_t *room, const uint8_t *frame, size_t n, uint64_t now_ns)
{
	struct link_frame link;
	enum filter_why why = link_frame_get(&link, frame, n);

	if (why == FILTER_PASS)
		why = check_sequence(f, &link);
	if (why == FILTER_PASS)
		why = check_datagram(f, link.datagram, link.len);
	if (why == FILTER_PASS && *room < (size_t)UDP_FRAME_OVERHEAD + link.len)
		why = FILTER_ROOM;
	if (why == FILTER_PASS)
		why = check_rate(f, (size_t)UDP_FRAME_OVERHEAD + link.len + FILTER_WIRE_EXTRA, now_ns);
	if (why == FILTER_PASS)
		*room = udp_frame_put(out, *room, link.datagram, link.len, &f->conf.from, &f->conf.to);
	return why;
}

size_t filter_frame(struct filter *f, uint8_t *out, size_t room, const uint8_t *frame, size_t n, uint64_t now_ns)
{
	enum filter_why why = FILTER_CLOSED;

	if (f->open)
		why = f->egress ? egress(f, out, &room, frame, n, now_ns) : ingress(f, out, &room, frame, n, now_ns);
	f->count.why[why]++;
	return why == FILTER_PASS ? room : 0;
}

const char *filter_whystr(enum filter_why why)
{
	static const char *const name[FILTER_WHYS] = {
		[FILTER_PASS] = "pass", [FILTER_CLOSED] = "closed", [FILTER_SIZE] = "size", [FILTER_DST_MAC] = "dst-mac",
		[FILTER_SRC_MAC] = "src-mac", [FILTER_ETHERTYPE] = "ethertype", [FILTER_IHL] = "ihl", [FILTER_IP_LEN] = "ip-len",
		[FILTER_IP_SUM] = "ip-sum", [FILTER_FRAGMENT] = "fragment", [FILTER_PROTOCOL] = "protocol",
		[FILTER_SRC_IP] = "src-ip", [FILTER_DST_IP] = "dst-ip", [FILTER_SRC_PORT] = "src-port",
		[FILTER_DST_PORT] = "dst-port", [FILTER_UDP_LEN] = "udp-len", [FILTER_UDP_SUM] = "udp-sum",
		[FILTER_DATAGRAM_LEN] = "datagram-len", [FILTER_HEAD_SIZE] = "head-size", [FILTER_HEAD_MAGIC] = "head-magic",
		[FILTER_HEAD_KIND] = "head-kind", [FILTER_HEAD_FIELD] = "head-field", [FILTER_RATE] = "rate",
		[FILTER_LINK_MAC] = "link-mac", [FILTER_LINK_TYPE] = "link-type", [FILTER_LINK_VERSION] = "link-version",
		[FILTER_LINK_LEN] = "link-len", [FILTER_LINK_CRC] = "link-crc", [FILTER_LINK_SEQUENCE] = "link-sequence",
		[FILTER_ROOM] = "room",
	};

	return (unsigned)why < FILTER_WHYS ? name[why] : "unknown";
}
