/* transmit.c - see transmit.h. */
#include "sender/transmit.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"

#define NS_PER_MS 1000000ull
#define COMPLAIN_NS (60 * 1000 * NS_PER_MS) /* one warning a minute while a fault lasts */

unsigned transmit_segments(uint32_t n)
{
	unsigned fit = n > 0 && n <= TRANSMIT_MESSAGE_MAX ? TRANSMIT_MESSAGE_MAX / n : 1;

	return fit < TRANSMIT_SEGMENTS_MAX ? fit : TRANSMIT_SEGMENTS_MAX;
}

static int set_segment(const struct transmit *t, uint32_t n)
{
	int size = (int)n;

	return setsockopt(t->fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
}

void transmit_init(struct transmit *t, int fd, uint32_t n)
{
	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->n = n;
	t->buf = calloc(TRANSMIT_SLOTS, n);
	if (t->buf == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	t->segments = transmit_segments(n);
	if (t->segments > 1 && set_segment(t, n) != 0) {
		log_warn("degraded: no segmentation offload (%s); one datagram a message takes more CPU", strerror(errno));
		t->segments = 1;
	}
}

void transmit_free(struct transmit *t)
{
	free(t->buf);
	t->buf = NULL;
}

static void complain(struct transmit *t, int error, uint64_t now_ns)
{
	if (t->complained_ns != 0 && now_ns - t->complained_ns < COMPLAIN_NS)
		return;
	t->complained_ns = now_ns;
	log_warn("the link does not take datagrams: %s; sending goes on when it does", strerror(error));
}

/* The kernel knows the option, but not on this way: said by the first message of several datagrams. */
static bool refuses_segments(struct transmit *t, int error)
{
	if (t->segments == 1 || (error != EIO && error != EINVAL && error != EOPNOTSUPP))
		return false;
	log_warn("degraded: no segmentation offload on this link (%s); one datagram a message takes more CPU", strerror(error));
	t->segments = 1;
	if (set_segment(t, 0) != 0)
		log_die(EXIT_SYSTEM, "segmentation offload cannot be switched off: %s", strerror(errno));
	return true;
}

void transmit_own(struct transmit *t)
{
	for (unsigned i = t->gone; i < t->filled; i++)
		if (t->symbol[i] != NULL) {
			memcpy(transmit_slot(t, i) + FRAME_SYMBOL_HEAD_LEN, t->symbol[i], t->n - FRAME_SYMBOL_OVERHEAD);
			t->symbol[i] = NULL;
		}
}

/* One more piece of the message: a tag and the next head lie side by side, and so do whole slots. */
static void add_piece(struct msghdr *h, uint8_t *from, size_t n)
{
	struct iovec *last = h->msg_iovlen > 0 ? &h->msg_iov[h->msg_iovlen - 1] : NULL;

	if (last != NULL && (uint8_t *)last->iov_base + last->iov_len == from)
		last->iov_len += n;
	else
		h->msg_iov[h->msg_iovlen++] = (struct iovec){ from, n };
}

static void add_slot(const struct transmit *t, struct msghdr *h, unsigned i)
{
	uint8_t *d = transmit_slot(t, i);

	if (t->symbol[i] == NULL) {
		add_piece(h, d, t->n);
		return;
	}
	add_piece(h, d, FRAME_SYMBOL_HEAD_LEN);
	add_piece(h, (uint8_t *)(uintptr_t)t->symbol[i], t->n - FRAME_SYMBOL_OVERHEAD); /* only read */
	add_piece(h, d + t->n - FRAME_TAG_LEN, FRAME_TAG_LEN);
}

/* Slots gone .. filled-1 as messages; their number. */
static unsigned cut(struct transmit *t)
{
	struct iovec *iov = t->iov;
	unsigned messages = 0;

	for (unsigned at = t->gone; at < t->filled; messages++) {
		struct msghdr *h = &t->msg[messages].msg_hdr;
		unsigned end = t->filled - at < t->segments ? t->filled : at + t->segments;
		*h = (struct msghdr){ .msg_iov = iov };
		for (; at < end; at++)
			add_slot(t, h, at);
		iov += h->msg_iovlen;
	}
	return messages;
}

/* The first `messages` of what cut() made are with the kernel, or given up. */
static void account(struct transmit *t, unsigned messages)
{
	unsigned count = messages * t->segments, left = t->filled - t->gone;

	count = count < left ? count : left;
	t->gone += count;
	t->datagrams += count;
}

/* What to do about errno: 0 = the datagram counts as sent, else ns to wait. */
static uint64_t judge(struct transmit *t, int error, uint64_t now_ns)
{
	switch (error) {
	case ECONNREFUSED:
	case EPERM:
		t->refused++;
		return 0;
	case EINTR:
		return 1;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		t->blocked++;
		return NS_PER_MS;
	case EMSGSIZE:
		log_die(EXIT_SYSTEM, "the link refuses datagrams of %u bytes: its MTU is smaller than the configured one",
		    t->n);
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case ENODEV:
		t->blocked++;
		complain(t, error, now_ns);
		return 200 * NS_PER_MS;
	default:
		log_die(EXIT_SYSTEM, "sending: %s", strerror(error));
	}
}

uint64_t transmit_flush(struct transmit *t, uint64_t now_ns)
{
	bool again = false;

	while (t->gone < t->filled) {
		int sent = sendmmsg(t->fd, t->msg, cut(t), MSG_DONTWAIT);
		if (sent > 0) {
			account(t, (unsigned)sent);
			again = false;
			continue;
		}
		int error = errno;
		if (refuses_segments(t, error))
			continue;
		uint64_t wait = judge(t, error, now_ns);
		if (wait != 0)
			return wait;
		/* ECONNREFUSED tells of an earlier datagram, so this message is tried again, once.  EPERM is about this
		 * one; it is left out, as if lost on the way. */
		if (error == ECONNREFUSED && !again) {
			again = true;
			continue;
		}
		account(t, 1);
		again = false;
	}
	t->filled = t->gone = 0;
	return 0;
}
