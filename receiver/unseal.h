/* unseal.h - a sealed object becomes plaintext, in the open process
 * (PROTOCOL.md, section 5).  Neither parses nor stores what comes out. */
#ifndef KM_UNSEAL_H
#define KM_UNSEAL_H

#include "codec/seal.h"
#include "host/window.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_conf.h"

struct unseal_job {
	const struct receiver_conf *conf;
	const struct party_secret *receiver;
	const struct party_secret *const *retired; /* its keys that were replaced */
	unsigned retireds;
	const uint8_t *psk;    /* or NULL */
	uint32_t job;
	int fd;                /* the sealed object, read from its beginning */
	const struct window *window; /* what of it was written just now, under the number of the job; or NULL */
	uint64_t length;       /* 0: not known yet */
	uint64_t ready;        /* bytes from the beginning that can be read */
	/* All that is ready was read: wait until more is, or the length is known.  0, or -1 to stop. */
	int (*more)(struct unseal_job *j);
	uint8_t id[SEAL_ID_LEN]; /* as the datagrams said */
	uint8_t *buf;          /* UNSEAL_BUF bytes */
	struct pipeframe_out *out; /* to check */
	/* The inner header is authentic.  0, or -1 to stop. */
	int (*opened)(void *ctx, const struct msg_opened *o);
	void *ctx;
	/* while it runs */
	struct seal_inner inner;
	struct open *open;
	int told;
	uint8_t *room;         /* for the next piece of plaintext; NULL: none */
	int result;            /* UNSEAL_*, where it was stopped */
};

/* buf is aligned to a page: the file may be open past the page cache. */
enum { UNSEAL_PAGE = 4096, UNSEAL_BUF = 4 << 20 };

/* 0 or why not: an enum open_err or UNSEAL_*.  The stream has been begun if told is set; its end is the caller's. */
int unseal_run(struct unseal_job *j);
const char *unseal_strerror(int result);

#endif
