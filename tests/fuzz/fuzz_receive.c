/* fuzz_receive.c - the whole receive path in one process: datagrams > authenticate > assemble > unseal > decompress >
 * inspect > transfer > verify, fed by a sender whose every layer the input may spoil.
 *
 * Input: byte 0, what the sender does (enum); byte 1, how many changes; so many times 4 bytes {layer, offset u16, xor};
 * 8 bytes of how datagrams are lost, doubled and swapped; then files: a byte for the name, a byte for the length, bytes.
 * A change in a layer is made before the layers around it are, so that it arrives there authenticated.
 *
 * Whatever comes: no file is believed that the manifest does not describe, no name that name_check() refuses, no manifest
 * but one that was signed; and what was not spoilt arrives. */
#include <sys/mman.h>
#include <zstd.h>

#include "codec/manifest.h"
#include "codec/record.h"
#include "codec/seal.h"
#include "codec/session.h"
#include "codec/tag.h"
#include "core/bytes.h"
#include "receiver/accept.h"
#include "receiver/authenticate.h"
#include "receiver/receiver_inspect.h"
#include "receiver/unseal.h"
#include "receiver/verify.h"
#include "tests/fuzz/fuzz_keys.h"
#include "tests/unit/receiver_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHECKED = 1 /* the channel that looks into contents */, NO_LENGTH = 2 /* SYMBOLs do not say it at first */,
	RESTART = 4 /* of the receiver, in the middle */, NO_SIGN = 8, TWICE = 16 /* all of it again */ };
enum layer { LAYER_MANIFEST, LAYER_RECORDS, LAYER_ZSTD, LAYER_SEALED, LAYER_SYMBOL /* tagged after the change */,
	LAYER_WIRE /* before: it is forged */, LAYERS };
enum { N = RIG_SLEN + FRAME_SYMBOL_OVERHEAD, KFULL = 12, MLOG = 3, M = 1 << MLOG, FILES = 3, CHANGES = 8, EPOCH = 7,
	DATAGRAMS_MAX = 4096, OUT_RING = 16 << 20, FILE_MAX = 1 << 20, SYMBOLS_MAX = 1024 };

struct bytes {
	uint8_t *b;
	size_t n, room;
};
struct input {
	const uint8_t *p, *end;
	uint8_t how, changes, order[8];
	struct { uint8_t layer, xor; uint16_t at; } change[CHANGES];
};

static struct party_secret *sender, *receiver;
static struct receiver_conf conf;
static struct session_keys session;
static uint8_t hello[N];
static struct authenticate *auth;
static struct accept *accepting;
static struct receiver_inspect inspect;
static struct pipeframe_out to_check, to_store;
static struct pipeframe_in at_check, at_store;
static struct outfile *outfile;
static uint8_t *unseal_room;
static const struct assemble_limits limits = { .object = 1 << 20, .objects = 3, .files = 16, .parity = 1 << 20, .meta = 1 << 20, .chunks = 1,
	.delivered = 4, .stale_ns = UINT64_MAX };
static uint32_t epoch = EPOCH; /* of the present input */

static int collect(void *ctx, const uint8_t *d, size_t n)
{
	struct bytes *o = ctx;

	if (o->n + n > o->room)
		fuzz_check((o->b = realloc(o->b, o->room = 2 * (o->n + n))) != NULL);
	if (n > 0)
		memcpy(o->b + o->n, d, n);
	o->n += n;
	return 0;
}

static void spoil(const struct input *in, enum layer layer, uint8_t *b, size_t n)
{
	for (unsigned i = 0; i < in->changes && n > 0; i++)
		if (in->change[i].layer % LAYERS == layer)
			b[in->change[i].at % n] ^= in->change[i].xor;
}

static int spoils(const struct input *in)
{
	for (unsigned i = 0; i < in->changes; i++)
		if (in->change[i].xor != 0)
			return 1;
	return (in->how & NO_SIGN) != 0;
}

/* --- the sender --- */
static void put(struct bytes *o, enum record_type type, const void *a, size_t n, const void *b, size_t m)
{
	uint8_t head[RECORD_HEAD_LEN];

	record_put_head(head, type, (uint32_t)(n + m));
	(void)collect(o, head, sizeof(head));
	(void)collect(o, a, n);
	(void)collect(o, b, m);
}

static uint8_t take(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static void put_files(struct input *in, struct bytes *o, struct manifest *m)
{
	static const char *const names[] = { "a.csv", "a.xml", "a.zip", "b.pdf", "b.png", "c.jpg", "d", "\xE5\xAF\x8C.csv" };
	uint8_t kind = take(in), size[8], hash[HASH_LEN];

	for (unsigned i = 0, at = kind & 3u; i < FILES && at < 8; i++, at += 1 + (kind >> 2) % 3u) {
		size_t left = (size_t)(in->end - in->p), n = (size_t)take(in) * 9;
		n = n < left ? n : left > 0 ? left - 1 : 0;
		put64(size, n);
		crypto_sha256(hash, in->p, n);
		if (manifest_add(m, (const uint8_t *)names[at], strlen(names[at]), n, hash) != 0)
			abort();
		put(o, RECORD_FILE, size, 8, names[at], strlen(names[at]));
		if (n > 0)
			put(o, RECORD_DATA, in->p, n, NULL, 0);
		put(o, RECORD_END, hash, HASH_LEN, NULL, 0);
		in->p += n;
	}
}

static void put_manifest(const struct input *in, struct bytes *o, struct manifest *m)
{
	uint8_t signature[SIGN_LEN] = { 0 };
	size_t n;
	char *text;

	strcpy(m->channel, (in->how & CHECKED) != 0 ? "eltax" : "any");
	m->number = 1;
	memcpy(m->sender, sender->pub.fingerprint, HASH_LEN);
	memcpy(m->receiver, receiver->pub.fingerprint, HASH_LEN);
	fuzz_check((text = manifest_write(m, &n)) != NULL);
	spoil(in, LAYER_MANIFEST, (uint8_t *)text, n);
	if ((in->how & NO_SIGN) == 0)
		crypto_sign_bare(signature, sender->sign, text, n);
	put(o, RECORD_MANIFEST, text, n, NULL, 0);
	put(o, RECORD_SIGNATURE, signature, SIGN_LEN, NULL, 0);
	free(text);
}

/* The sealed object. */
static struct bytes make(struct input *in, const uint8_t id[16], struct manifest *m)
{
	const struct party *const to[] = { &receiver->pub };
	struct seal_inner inner = { .created_ms = 1 };
	struct bytes records = { NULL, 0, 0 }, sealed = { NULL, 0, 0 };

	put_files(in, &records, m);
	put_manifest(in, &records, m);
	spoil(in, LAYER_RECORDS, records.b, records.n);
	size_t room = ZSTD_compressBound(records.n);
	uint8_t *packed = malloc(room);
	fuzz_check(packed != NULL);
	size_t n = ZSTD_compress(packed, room, records.b, records.n, 1);
	fuzz_check(!ZSTD_isError(n));
	spoil(in, LAYER_ZSTD, packed, n);
	strcpy(inner.channel, m->channel);
	struct seal *s = seal_begin(SUITE_CHACHA20POLY1305, 12, id, sender, to, 1, NULL, &inner, collect, &sealed);
	fuzz_check(s != NULL && seal_write(s, packed, n) == 0 && seal_end(s) == 0);
	seal_free(s);
	free(packed);
	free(records.b);
	spoil(in, LAYER_SEALED, sealed.b, sealed.n);
	return sealed;
}

/* --- the receiver --- */
static void start(void)
{
	struct msg_peer peer;
	struct pipeframe_fds f;
	int floors = memfd_create("epochs", MFD_CLOEXEC), out = ring_create(OUT_RING);

	fuzz_check(crypto_init() == 0);
	sender = fuzz_party(PARTY_SENDER);
	receiver = fuzz_party(PARTY_RECEIVER);
	conf.peers = 1;
	strcpy(conf.peer[0].name, "fuzz");
	conf.peer[0].party = sender->pub;
	conf.channels = 2;
	strcpy(conf.channel[0].name, "any");
	strcpy(conf.channel[1].name, "eltax");
	for (unsigned i = 0; i < 2; i++) {
		conf.channel[i].max_file = conf.channel[i].max_transfer = FILE_MAX;
		conf.channel[i].max_files = FILES;
		content_policy_of_channel(&conf.channel[i].content, conf.channel[i].name);
	}
	conf.channel[0].content.programs = 1;
	accepting = accept_new(&conf, receiver, NULL, floors);
	auth = authenticate_new();
	fuzz_check(floors >= 0 && out >= 0 && accepting != NULL && auth != NULL);
	memcpy(peer.id, sender->pub.id, KEY_ID_LEN);
	fuzz_check(session_hello_key(peer.hello_key, receiver, &sender->pub, NULL) == 0);
	authenticate_peer(auth, &peer);
	pipeframe_pair(&f, PIPEFRAME_RING);
	fuzz_check(pipeframe_writer(&to_check, f.memory, f.writer) == 0 && pipeframe_reader(&at_check, f.memory, f.reader) == 0);
	/* Roomier than theirs: no other process empties it meanwhile. */
	struct pipeframe_fds g;
	pipeframe_pair(&g, PIPEFRAME_RING);
	fuzz_check(pipeframe_writer(&to_store, out, g.writer) == 0 && pipeframe_reader(&at_store, out, g.reader) == 0 &&
	    pipeframe_view(&at_store, f.memory) == 0);
	unseal_room = aligned_alloc(4096, UNSEAL_BUF);
	outfile = outfile_new();
	fuzz_check(receiver_inspect_open(&inspect, &at_check, &to_store) == 0 && unseal_room != NULL && outfile != NULL);
}

/* A session of its own for each input, so that packet numbers begin again: HELLO as link and open take it. */
static void begin_session(uint64_t now)
{
	struct msg_session s;
	struct frame_head h;
	uint32_t who;

	fuzz_check(session_start(hello, N, &session, sender, &receiver->pub, NULL, 0, ++epoch, 1000) == 0);
	enum link_counter c = authenticate(auth, hello, N, now, &h, &who);
	fuzz_check(c == LC_HELLO || c == LC_REPEAT); /* too many in so short a time */
	fuzz_check(accept_hello(accepting, 0, hello, N, &s) == ACCEPT_NEW);
	authenticate_session(auth, &s);
}

static void datagram(struct rig *r, const uint8_t *d)
{
	struct frame_head h;
	struct frame_symbol s;
	uint32_t who;

	if (authenticate(auth, d, N, r->now, &h, &who) != LC_TAKEN || frame_symbol(&s, &h, d) != FRAME_OK)
		return;
	(void)assemble_symbol(r->a, who, &s, d + FRAME_SYMBOL_HEAD_LEN, r->now += 1000);
	assemble_write(r->a); /* the datagram's memory is used again */
	if (assemble_slots_free(r->a) == 0 && r->slot < RIG_SLOTS)
		rig_fresh_slots(r, 1);
}

struct wire { /* all datagrams of an object, in the order of sending */
	uint8_t (*d)[N];
	uint32_t n;
};

static void parity_of(const struct geometry *g, uint32_t b, const uint8_t *padded, uint8_t parity[M][RIG_SLEN])
{
	const uint8_t *src[KFULL];
	uint8_t *out[M];
	uint32_t k = geometry_k(g, b);
	void *work = aligned_alloc(64, (fec_encode_work(k, M, RIG_SLEN) + 63) & ~(size_t)63);

	for (uint32_t i = 0; i < k; i++)
		src[i] = padded + ((size_t)b * KFULL + i) * RIG_SLEN;
	for (uint32_t j = 0; j < M; j++)
		out[j] = parity[j];
	fuzz_check(work != NULL && fec_encode(k, M, RIG_SLEN, src, 0, M, out, work) == FEC_OK);
	free(work);
}

static struct wire cut(const struct input *in, const struct bytes *o, const uint8_t id[16])
{
	struct geometry g;
	struct wire w = { NULL, 0 };
	uint8_t parity[M][RIG_SLEN];

	if (geometry_init(&g, o->n, RIG_SLEN, KFULL) != 0 || g.symbols > SYMBOLS_MAX)
		return w;
	uint8_t *padded = calloc(g.symbols, RIG_SLEN);
	w.d = calloc(g.symbols + (size_t)g.blocks * M, N);
	fuzz_check(padded != NULL && w.d != NULL);
	memcpy(padded, o->b, o->n);
	for (uint32_t b = 0; b < g.blocks; b++) {
		uint32_t k = geometry_k(&g, b);
		parity_of(&g, b, padded, parity);
		for (uint32_t i = 0; i < k + M; i++, w.n++) {
			const struct frame_head h = { .kind = FRAME_SYMBOL, .len = N, .mlog = MLOG, .epoch = epoch, .pn = w.n + 1 };
			struct frame_symbol s = { .kfull = KFULL, .block = b, .symbol = (uint16_t)i,
				.object_len = (in->how & NO_LENGTH) != 0 && b + 1 < g.blocks ? 0 : g.len };
			memcpy(s.id, id, 16);
			frame_put_symbol(w.d[w.n], &h, &s);
			memcpy(w.d[w.n] + FRAME_SYMBOL_HEAD_LEN, i < k ? padded + ((size_t)b * KFULL + i) * RIG_SLEN : parity[i - k], RIG_SLEN);
		}
	}
	free(padded);
	return w;
}

/* Change, tag, change again. */
static void tag_all(const struct input *in, struct wire *w)
{
	uint8_t once[TAG_ONCE_STRIDE];

	for (unsigned i = 0; i < in->changes && w->n > 0; i++)
		if (in->change[i].layer % LAYERS == LAYER_SYMBOL)
			w->d[in->change[i].at % w->n][8 + in->change[i].at / 7u % (FRAME_SYMBOL_HEAD_LEN - 8 + 4)] ^= in->change[i].xor;
	for (uint32_t i = 0; i < w->n; i++) {
		struct frame_head h;
		if (frame_head(&h, w->d[i], N) != FRAME_OK)
			continue; /* it no longer looks like one: nobody would tag it */
		tag_keys(once, session.tag, h.pn, 1);
		tag_make(w->d[i] + N - FRAME_TAG_LEN, once, w->d[i], N);
	}
	for (unsigned i = 0; i < in->changes && w->n > 0; i++)
		if (in->change[i].layer % LAYERS == LAYER_WIRE)
			w->d[in->change[i].at % w->n][in->change[i].at / 3u % N] ^= in->change[i].xor;
}

/* True: so much arrived that the object must be complete if nothing was changed. */
static bool deliver(const struct input *in, struct rig *r, const struct wire *w)
{
	unsigned lost = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t j = (in->order[0] & 1) != 0 ? (uint32_t)((i * 7u + in->order[1]) % w->n) : i; /* not all of them, if 7 divides */
		if (in->order[2] != 0 && (j * 131u + in->order[3]) % 251u < in->order[2]) {
			lost++;
			continue;
		}
		datagram(r, w->d[j]);
		if (in->order[4] != 0 && i % in->order[4] == 0)
			datagram(r, w->d[j]);
		if ((in->how & RESTART) != 0 && i == w->n / 2) {
			uint32_t last = r->slot;
			assemble_free(r->a);
			rig_start(r, &limits);
			for (uint32_t k = last > 4 ? last - 4 : 1; k < last; k++)
				rig_old_slot(r, k);
		}
	}
	return lost == 0 && (in->order[0] & 1) == 0;
}

static int opened(void *ctx, const struct msg_opened *o)
{
	fuzz_check(o->sender == 0 && memchr(o->channel, '\0', sizeof(o->channel)) != NULL);
	*(struct msg_opened *)ctx = *o;
	return 0;
}

/* What check does with its ring. */
static void check_all(void)
{
	struct pipeframe f;

	while (pipeframe_next(&at_check, &f, false) == PIPEFRAME_GOT) {
		if (f.type == PIPE_BEGIN) {
			const struct receiver_channel *ch = receiver_conf_channel(&conf, ((const struct pipe_begin *)(const void *)f.body)->channel);
			fuzz_check(ch != NULL);
			struct record_limits l = receiver_channel_limits(ch);
			receiver_inspect_begin(&inspect, f.job, &l, &ch->content);
			fuzz_check(pipeframe_write(&to_store, PIPE_BEGIN, f.job, f.body, f.len) == 0);
		} else {
			receiver_inspect_bytes(&inspect, f.body, f.len);
		}
	}
}

/* What store does with its ring; true: published. */
static bool store_all(struct rig *r, const struct msg_opened *inner, struct manifest *m, bool *begun)
{
	struct transfer t;
	struct pipeframe f;
	struct pipe_finish finish = { .bad = 1 };

	*begun = false;
	while (pipeframe_next(&at_store, &f, false) == PIPEFRAME_GOT) {
		if (f.type == PIPE_BEGIN) {
			transfer_begin(&t, r->dir_fd, "work", outfile);
			*begun = true;
		} else if (f.type == PIPE_FILE) {
			uint64_t size;
			memcpy(&size, f.body, 8);
			transfer_file(&t, f.body + 8, f.len - 8, size);
		} else if (f.type == PIPE_DATA) {
			transfer_data(&t, f.body, f.len);
		} else if (f.type == PIPE_BAD) {
			struct pipe_bad bad;
			fuzz_check(f.len == sizeof(bad));
			memcpy(&bad, f.body, sizeof(bad));
			fuzz_check(bad.checks[sizeof(bad.checks) - 1] == '\0' && bad.reason[sizeof(bad.reason) - 1] == '\0');
			transfer_bad(&t, bad.checks, bad.reason);
		} else if (f.type == PIPE_FILE_END) {
			fuzz_check(f.len == HASH_LEN);
			transfer_file_end(&t, f.body);
		} else if (f.type == PIPE_MANIFEST) {
			transfer_manifest(&t, f.body, f.len);
		} else if (f.type == PIPE_SIGNATURE) {
			transfer_signature(&t, f.body, f.len);
		} else {
			fuzz_check(f.type == PIPE_FINISH && f.len == sizeof(finish));
			memcpy(&finish, f.body, sizeof(finish));
		}
	}
	if (!*begun)
		return false;
	const struct verify_expected e = { &sender->pub, receiver->pub.fingerprint, inner->generation, inner->channel, 1 };
	bool good;
	transfer_close(&t);
	if (finish.bad != 0)
		transfer_refuse(&t, "%s", finish.reason);
	fuzz_check(t.error == 0);
	good = verify_received(&t, &e, m) == 0;
	fuzz_check(good == (t.reason[0] == '\0'));
	if (good)
		verify_write(&t, m);
	fuzz_check(t.error == 0);
	transfer_remove(&t);
	return good;
}

/* The completed object through open, check and store; true: published as *m. */
static bool intake(struct rig *r, struct manifest *m)
{
	struct msg_opened inner = { 0 };
	struct unseal_job j = { .conf = &conf, .receiver = receiver, .job = r->last.slot, .length = r->last.length, .ready = r->last.length,
		.buf = unseal_room, .out = &to_check, .opened = opened, .ctx = &inner };
	int map, result;
	bool begun, good;

	memcpy(j.id, r->last.id, 16);
	rig_open(r, r->last.slot, &j.fd, &map, 0);
	fuzz_check(j.fd >= 0);
	result = unseal_run(&j);
	close(j.fd);
	close(map);
	check_all();
	if (j.told) {
		receiver_inspect_end(&inspect, result);
		fuzz_check(pipeframe_write(&to_store, PIPE_FINISH, inspect.job, &inspect.finish, sizeof(inspect.finish)) == 0);
	}
	good = store_all(r, &inner, m, &begun);
	pipeframe_settle(&at_check);
	fuzz_check(begun == (j.told != 0) && (result == 0 || !good));
	return good;
}

static void believed(const struct manifest *m, const struct manifest *sent, const struct input *in)
{
	fuzz_check((in->how & NO_SIGN) == 0 && m->file_count > 0 && m->file_count <= FILES);
	for (uint32_t i = 0; i < m->file_count; i++)
		fuzz_check(name_check(m->file[i].name, m->file[i].name_len) == NAME_OK && m->file[i].size <= FILE_MAX);
	if (spoils(in))
		return; /* what it signed then is its own affair */
	fuzz_check(m->file_count == sent->file_count);
	for (uint32_t i = 0; i < m->file_count; i++)
		fuzz_check(memcmp(m->file[i].sha256, sent->file[i].sha256, HASH_LEN) == 0);
}

static bool head(struct input *in, const uint8_t *data, size_t size)
{
	*in = (struct input){ .p = data, .end = data + size };
	in->how = take(in);
	in->changes = take(in) % (CHANGES + 1);
	for (unsigned i = 0; i < in->changes; i++) {
		in->change[i].layer = take(in);
		in->change[i].at = (uint16_t)(take(in) << 8);
		in->change[i].at |= take(in);
		in->change[i].xor = take(in);
	}
	for (unsigned i = 0; i < sizeof(in->order); i++)
		in->order[i] = take(in);
	return in->p < in->end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig r;
	const uint8_t id[16] = { 0x66, 0x7A };
	struct input in;
	struct manifest sent, got;
	bool enough, published = false;

	if (sender == NULL)
		start();
	if (!head(&in, data, size))
		return 0;
	rig_init(&r, &limits);
	rig_fresh_slots(&r, 2);
	begin_session(r.now);
	manifest_init(&sent);
	struct bytes object = make(&in, id, &sent);
	struct wire w = cut(&in, &object, id);
	tag_all(&in, &w);
	enough = w.n > 0 && deliver(&in, &r, &w);
	if ((in.how & TWICE) != 0)
		(void)deliver(&in, &r, &w);
	rig_settle(&r);
	if (r.completed > 0) {
		manifest_init(&got);
		if ((published = intake(&r, &got)))
			believed(&got, &sent, &in);
		manifest_free(&got);
	}
	/* Nothing was lost or changed, and nobody looked into the files: then it is there. */
	fuzz_check(!enough || spoils(&in) || (in.how & CHECKED) != 0 || published);
	rig_end(&r);
	manifest_free(&sent);
	free(object.b);
	free(w.d);
	return 0;
}
