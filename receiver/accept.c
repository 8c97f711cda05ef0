/* accept.c - HELLO and BEAT (accept.h). */
#include "receiver/accept.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/log.h"
#include "receiver/crowd.h"

enum { SESSIONS = CROWD_MAX, ROWS_MAX = RECEIVER_PEERS_MAX * ACCEPT_LANES };

struct row {
	uint8_t id[KEY_ID_LEN];
	uint8_t lane;
	uint32_t epoch;
};

struct kept {
	uint32_t sender, lane, epoch;
	uint64_t serial; /* 0: free */
	uint64_t beat;   /* counter of the last beat */
};

struct accept {
	const struct receiver_conf *conf;
	const struct party_secret *receiver;
	const struct party_secret *const *retired;
	unsigned retireds;
	bool revoked[RECEIVER_PEERS_MAX];
	const uint8_t *psk;
	int floor_fd;
	struct row row[ROWS_MAX];
	unsigned rows;
	struct kept kept[SESSIONS];
	struct session_keys *keys; /* of kept[], secret memory; the last is scratch */
	uint64_t serial;
};

/* Rows of peers that are no longer pinned stay: the floor must hold when they return. */
static void read_floors(struct accept *a)
{
	uint8_t b[ACCEPT_ROW];

	while (a->rows < ROWS_MAX &&
	    pread(a->floor_fd, b, sizeof(b), (off_t)a->rows * ACCEPT_ROW) == (ssize_t)sizeof(b)) {
		struct row *r = &a->row[a->rows++];
		memcpy(r->id, b, KEY_ID_LEN);
		r->lane = b[8];
		r->epoch = get32(b + 12);
	}
}

struct accept *accept_new(const struct receiver_conf *c, const struct party_secret *receiver, const uint8_t *psk, int floor_fd)
{
	struct accept *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->conf = c;
	a->receiver = receiver;
	a->psk = psk;
	a->floor_fd = floor_fd;
	a->keys = crypto_secret_alloc((SESSIONS + 1) * sizeof(*a->keys));
	if (a->keys == NULL) {
		free(a);
		return NULL;
	}
	read_floors(a);
	return a;
}

void accept_free(struct accept *a)
{
	if (a == NULL)
		return;
	crypto_secret_free(a->keys);
	free(a);
}

static struct row *find_row(struct accept *a, uint32_t sender, uint32_t lane)
{
	for (unsigned i = 0; i < a->rows; i++)
		if (a->row[i].lane == lane && memcmp(a->row[i].id, a->conf->peer[sender].party.id, KEY_ID_LEN) == 0)
			return &a->row[i];
	return NULL;
}

uint32_t accept_floor(const struct accept *a, uint32_t sender, uint32_t lane)
{
	const struct row *r = find_row((struct accept *)(uintptr_t)a, sender, lane);

	return r == NULL ? 0 : r->epoch;
}

/* A row never crosses a sector, so it is old or new after a power cut. */
static int raise_floor(struct accept *a, uint32_t sender, uint32_t lane, uint32_t epoch)
{
	struct row *r = find_row(a, sender, lane);
	unsigned i = r == NULL ? a->rows : (unsigned)(r - a->row);
	uint8_t b[ACCEPT_ROW] = { 0 };

	if (r != NULL && r->epoch == epoch)
		return 0;
	if (i == ROWS_MAX)
		return -1;
	memcpy(b, a->conf->peer[sender].party.id, KEY_ID_LEN);
	b[8] = (uint8_t)lane;
	put32(b + 12, epoch);
	if (pwrite(a->floor_fd, b, sizeof(b), (off_t)i * ACCEPT_ROW) != (ssize_t)sizeof(b) ||
	    fdatasync(a->floor_fd) != 0) {
		log_error("the epoch of peer %s cannot be stored: %s; its session waits", a->conf->peer[sender].name,
		    strerror(errno));
		return -1;
	}
	memcpy(a->row[i].id, b, KEY_ID_LEN);
	a->row[i].lane = (uint8_t)lane;
	a->row[i].epoch = epoch;
	if (i == a->rows)
		a->rows++;
	return 0;
}

/* All places are taken: the one to give up for a session of this sender. */
static unsigned one_too_many(const struct accept *a, uint32_t sender)
{
	struct crowd_member m[SESSIONS];

	for (unsigned i = 0; i < SESSIONS; i++)
		m[i] = (struct crowd_member){ a->kept[i].sender, a->kept[i].serial };
	return crowd_too_many(m, SESSIONS, sender);
}

/* Keep the session's beat key; of each lane the two newest epochs. */
static int keep(struct accept *a, uint32_t sender, uint32_t lane, uint32_t epoch, const struct session_keys *k)
{
	unsigned free_at = SESSIONS, mine = SESSIONS, count = 0;

	for (unsigned i = 0; i < SESSIONS; i++) {
		struct kept *s = &a->kept[i];
		if (s->serial == 0) {
			free_at = i;
			continue;
		}
		if (s->sender != sender || s->lane != lane)
			continue;
		if (s->epoch == epoch && crypto_equal(&a->keys[i], k, sizeof(*k)))
			return 0;
		count++;
		if (mine == SESSIONS || s->serial < a->kept[mine].serial)
			mine = i;
	}
	unsigned at = count >= 2 ? mine : free_at != SESSIONS ? free_at : one_too_many(a, sender);
	a->kept[at] = (struct kept){ sender, lane, epoch, ++a->serial, 0 };
	a->keys[at] = *k;
	return 1;
}

/* For this receiver, under whichever of its keys. */
static bool authentic(const struct accept *a, uint32_t sender, const uint8_t *d, size_t n, struct session_keys *k)
{
	const struct party *p = &a->conf->peer[sender].party;

	if (session_accept(d, n, k, a->receiver, p, a->psk) == SESSION_OK)
		return true;
	for (unsigned i = 0; i < a->retireds; i++)
		if (session_accept(d, n, k, a->retired[i], p, a->psk) == SESSION_OK)
			return true;
	return false;
}

void accept_retired(struct accept *a, const struct party_secret *const *retired, unsigned count)
{
	a->retired = retired;
	a->retireds = count;
}

void accept_revoke(struct accept *a, uint32_t sender)
{
	if (sender >= RECEIVER_PEERS_MAX)
		return;
	a->revoked[sender] = true;
	for (unsigned i = 0; i < SESSIONS; i++)
		if (a->kept[i].serial != 0 && a->kept[i].sender == sender) {
			a->kept[i] = (struct kept){ 0 };
			crypto_wipe(&a->keys[i], sizeof(a->keys[i]));
		}
}

int accept_reset(struct accept *a, uint32_t sender, int lane, uint32_t *was)
{
	*was = 0;
	for (int l = 0; l < ACCEPT_LANES; l++) {
		uint32_t floor = accept_floor(a, sender, (uint32_t)l);
		if (floor == 0 || (lane >= 0 && l != lane))
			continue;
		if (floor > *was)
			*was = floor;
		if (raise_floor(a, sender, (uint32_t)l, 0) != 0)
			return errno != 0 ? errno : EIO;
	}
	return 0;
}

enum accept_result accept_hello(struct accept *a, uint32_t sender, const uint8_t *d, size_t n, struct msg_session *out)
{
	struct session_keys *k = &a->keys[SESSIONS];
	struct frame_head h;
	int fresh;

	if (sender >= a->conf->peers || frame_head(&h, d, n) != FRAME_OK || h.kind != FRAME_HELLO || !authentic(a, sender, d, n, k))
		return ACCEPT_REFUSED;
	if (a->revoked[sender]) {
		crypto_wipe(k, sizeof(*k));
		return ACCEPT_REVOKED;
	}
	if (h.epoch < accept_floor(a, sender, h.lane)) {
		/* The one before the newest is in use beside it for a moment (section 4.5). */
		int known = 0;
		for (unsigned i = 0; i < SESSIONS; i++)
			known |= a->kept[i].serial != 0 && a->kept[i].sender == sender && a->kept[i].lane == h.lane &&
			    a->kept[i].epoch == h.epoch && crypto_equal(&a->keys[i], k, sizeof(*k));
		crypto_wipe(k, sizeof(*k));
		return known ? ACCEPT_KNOWN : ACCEPT_OLD_EPOCH;
	}
	if (raise_floor(a, sender, h.lane, h.epoch) != 0) {
		crypto_wipe(k, sizeof(*k));
		return ACCEPT_UNSAVED;
	}
	fresh = keep(a, sender, h.lane, h.epoch, k);
	*out = (struct msg_session){ .sender = sender, .lane = h.lane, .epoch = h.epoch, .n = (uint32_t)n };
	memcpy(out->tag_key, k->tag, KEY_LEN);
	crypto_wipe(k, sizeof(*k));
	return fresh ? ACCEPT_NEW : ACCEPT_KNOWN;
}

int accept_beat(struct accept *a, const struct msg_datagram *m, const uint8_t *d, struct beat *b)
{
	if (m->sender >= a->conf->peers)
		return -1;
	for (unsigned i = 0; i < SESSIONS; i++) {
		struct kept *s = &a->kept[i];
		if (s->serial == 0 || s->sender != m->sender || s->lane != m->lane || s->epoch != m->epoch ||
		    beat_open(b, d, m->n, a->keys[i].beat, &a->conf->peer[m->sender].party) != 0)
			continue;
		if (b->counter <= s->beat)
			return -1; /* heard already */
		s->beat = b->counter;
		return 0;
	}
	return -1;
}
