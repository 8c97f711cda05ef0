/* transmit.c - see transmit.h. */
#include "sender/transmit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"

#define NS_PER_MS 1000000ull
#define COMPLAIN_NS (60 * 1000 * NS_PER_MS) /* one warning a minute while a fault lasts */

void transmit_init(struct transmit *t, int fd, uint32_t n)
{
	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->n = n;
	t->buf = calloc(TRANSMIT_SLOTS, n);
	if (t->buf == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	for (unsigned i = 0; i < TRANSMIT_SLOTS; i++) {
		t->iov[i].iov_base = transmit_slot(t, i);
		t->iov[i].iov_len = n;
		t->msg[i].msg_hdr.msg_iov = &t->iov[i];
		t->msg[i].msg_hdr.msg_iovlen = 1;
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
		int sent = sendmmsg(t->fd, t->msg + t->gone, t->filled - t->gone, MSG_DONTWAIT);
		if (sent > 0) {
			t->gone += (unsigned)sent;
			t->datagrams += (unsigned)sent;
			again = false;
			continue;
		}
		int error = errno;
		uint64_t wait = judge(t, error, now_ns);
		if (wait != 0)
			return wait;
		/* ECONNREFUSED tells of an earlier datagram, so this one is tried again, once.  EPERM is about this
		 * one; it is left out, as if lost on the way. */
		if (error == ECONNREFUSED && !again) {
			again = true;
			continue;
		}
		t->gone++;
		t->datagrams++;
		again = false;
	}
	t->filled = t->gone = 0;
	return 0;
}
