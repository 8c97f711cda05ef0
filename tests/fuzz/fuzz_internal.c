/* fuzz_internal.c - what a process of ours that is taken over may say to the others.
 *
 * Byte 0 says who speaks: 0 the writer of a ring, 1 its reader, 2 check to store, 3 store to link (a part file's map),
 * 4 link to open.  The listener must stay within its memory and its limits, and believe nothing that is not signed. */
#include <sys/mman.h>

#include "codec/session.h"
#include "core/bytes.h"
#include "host/ring.h"
#include "receiver/accept.h"
#include "receiver/parts.h"
#include "receiver/verify.h"
#include "tests/fuzz/fuzz_keys.h"
#include "tests/unit/receiver_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RING = 65536, PAGE = 4096, RECORDS = 4096, EVENTS = 256, EVENT_HEAD = 4, FLOORS_AT = 1 };

static struct party_secret *sender, *receiver;
static struct outfile *outfile;

/* --- a ring --- */
static uint8_t *ring_memory(int fd)
{
	uint8_t *p = mmap(NULL, PAGE + RING, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	fuzz_check(p != MAP_FAILED);
	return p;
}

/* Steps of {index u32, at u16, bytes u8...16}: bytes appear in the ring, then an index. */
static void hostile_peer(const uint8_t *d, size_t n, bool reader)
{
	struct ring r;
	int fd = ring_create(RING), wake = memfd_create("wake", MFD_CLOEXEC);
	uint8_t *p = ring_memory(fd);
	uint64_t theirs = 0;

	fuzz_check(fd >= 0 && wake >= 0 && ring_open(&r, fd, wake, reader) == 0);
	for (; n >= 22; d += 22, n -= 22) {
		size_t at = get16(d + 4) % (RING - 16);
		theirs = (d[0] & 1) != 0 ? theirs + get16(d + 2) * 16u : (uint64_t)get32(d) << (d[4] % 40);
		memcpy(p + PAGE + at, d + 6, 16);
		memcpy(p + (reader ? 0 : 64), &theirs, sizeof(theirs));
		for (int i = 0; i < RECORDS; i++) {
			struct ring_record rec;
			uint8_t *room;
			if (reader) {
				if (ring_peek(&r, &rec) != RING_GOT)
					break;
				fuzz_check(rec.len <= ring_max(&r) && rec.data >= r.data && rec.data + rec.len <= r.data + r.size);
				if (d[7] % 2 == 0) /* else it stays, and so do those before it */
					ring_release(&r);
				else
					(void)ring_keep(&r);
			} else {
				size_t want = (size_t)d[6] * d[7] % (ring_max(&r) + 2);
				if (ring_reserve(&r, want, &room) != RING_GOT)
					break;
				fuzz_check(room >= r.data && room + want <= r.data + r.size);
				memset(room, 0xA5, want);
				ring_commit(&r, get32(d), want / 2);
			}
		}
		(void)ring_sleep(&r, d[8]);
	}
	ring_close(&r);
	(void)munmap(p, PAGE + RING);
	(void)close(fd);
	(void)close(wake);
}

/* --- check to store: events in any order --- */
static void event(struct transfer *t, uint8_t what, const uint8_t *d, size_t n, uint8_t more)
{
	static const uint64_t sizes[] = { 0, 1, 9, 255, 256, 65536, 1ull << 32, UINT64_MAX };
	uint8_t hash[HASH_LEN];

	switch (what % 8) {
	case 0:
		if (n > 0)
			transfer_file(t, d, n, (more & 8) != 0 ? n : sizes[more % 8]);
		break;
	case 1:
		transfer_data(t, d, n);
		break;
	case 2:
		crypto_sha256(hash, d, n);
		transfer_file_end(t, hash);
		break;
	case 3:
		transfer_manifest(t, d, n);
		break;
	case 4:
		transfer_signature(t, d, n);
		break;
	case 5:
		transfer_bad(t, "csv", "it is ragged");
		break;
	case 6:
		transfer_bad_file(t, more, "xml", "it is not well-formed");
		break;
	default:
		transfer_refuse(t, "%u", more);
	}
	fuzz_check(t->found.file_count <= RECORD_FILES_MAX && t->manifest_len <= RECORD_MANIFEST_MAX && t->bads <= RECORD_FILES_MAX);
	for (uint32_t i = 0; i < t->found.file_count; i++)
		fuzz_check(name_check(t->found.file[i].name, t->found.file[i].name_len) == NAME_OK);
}

/* Steps of {what, more, length u16, bytes}. */
static void check_to_store(const uint8_t *d, size_t n)
{
	const struct verify_expected e = { &sender->pub, receiver->pub.fingerprint, sender->pub.fingerprint, "eltax", 1 };
	const char *tmp = getenv("TMPDIR");
	char dir[64];
	struct manifest m;
	struct transfer t;
	int fd;

	snprintf(dir, sizeof(dir), "%.40s/km-internal-XXXXXX", tmp != NULL ? tmp : "/tmp");
	fuzz_check(mkdtemp(dir) != NULL);
	fuzz_check((fd = durable_open_dir(dir)) >= 0);
	transfer_begin(&t, fd, "work", outfile);
	for (int i = 0; i < EVENTS && n >= EVENT_HEAD; i++) {
		size_t len = get16(d + 2);
		len = len < n - EVENT_HEAD ? len : n - EVENT_HEAD;
		event(&t, d[0], d + EVENT_HEAD, len, d[1]);
		d += EVENT_HEAD + len;
		n -= EVENT_HEAD + len;
	}
	transfer_close(&t);
	/* Nobody has the sender's key here. */
	fuzz_check(verify_received(&t, &e, &m) != 0);
	transfer_remove(&t);
	close(fd);
	fuzz_check(durable_remove_tree(AT_FDCWD, dir) == 0);
}

/* --- store to link: a part file of before, of any content --- */
static void store_to_link(const uint8_t *d, size_t n)
{
	static const struct assemble_limits limits = { .object = 1 << 20, .objects = 3, .files = 16, .parity = 1 << 20, .meta = 1 << 20, .chunks = 1,
		.delivered = 4, .stale_ns = UINT64_MAX };
	static struct rig r;
	struct msg_stats s;
	int data, map;

	if (n < 8)
		return;
	rig_init(&r, &limits);
	for (unsigned i = 0; i < 2; i++, r.slot++) {
		uint8_t head[PARTS_LINK_LEN] = { 0 };
		struct parts_head h = { .id = { d[0] } };
		rig_open(&r, r.slot, &data, &map, O_CREAT | O_EXCL);
		memcpy(h.sender, rig_keys[d[1] & 1], 8);
		fuzz_check(pwrite(data, d, n, 0) == (ssize_t)n && pwrite(map, d, n, 0) == (ssize_t)n);
		/* With a head that is one, so that the bits are looked at. */
		if (i == 1 && geometry_init(&h.geo, (uint64_t)get16(d + 2) << (d[4] % 12), 64u * (1 + d[5] % 8u), (uint16_t)(1 + d[6])) == 0) {
			parts_put_head(head, &h);
			fuzz_check(pwrite(map, head, sizeof(head), 0) == (ssize_t)sizeof(head));
		}
		assemble_slot(r.a, r.slot, data, map, rig_direct(&r, r.slot), r.now);
	}
	rig_settle(&r);
	assemble_stats(r.a, &s);
	fuzz_check(s.objects <= STATS_OBJECTS_MAX);
	for (uint32_t i = 0; i < s.objects; i++)
		fuzz_check(s.object[i].length == 0 || s.object[i].have <= s.object[i].symbols);
	fuzz_check(r.completed == 0 || r.last.length != 0);
	rig_end(&r);
}

/* --- link to open: any fields, any datagram --- */
static void link_to_open(const uint8_t *d, size_t n)
{
	static struct receiver_conf conf;
	static struct beat b;
	struct msg_datagram m;
	struct msg_session s;
	int floors = memfd_create("epochs", MFD_CLOEXEC);

	if (n >= sizeof(m) + FLOORS_AT && floors >= 0) {
		conf.peers = 1;
		conf.peer[0].party = sender->pub;
		/* The epochs on disk are not to be believed either: link's host may have lost power. */
		fuzz_check(pwrite(floors, d, n, 0) == (ssize_t)n);
		struct accept *a = accept_new(&conf, receiver, NULL, floors);
		fuzz_check(a != NULL);
		memcpy(&m, d, sizeof(m));
		m.n = (uint32_t)(n - sizeof(m));
		(void)accept_hello(a, m.sender, d + sizeof(m), m.n, &s);
		(void)accept_hello(a, 0, d + sizeof(m), m.n, &s);
		fuzz_check(accept_beat(a, &m, d + sizeof(m), &b) != 0);
		accept_free(a);
	}
	(void)close(floors);
}

static void start(void)
{
	fuzz_check(crypto_init() == 0);
	sender = fuzz_party(PARTY_SENDER);
	receiver = fuzz_party(PARTY_RECEIVER);
	fuzz_check((outfile = outfile_new()) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sender == NULL)
		start();
	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
	case 1:
		hostile_peer(data + 1, size - 1, data[0] % 5 == 0);
		break;
	case 2:
		check_to_store(data + 1, size - 1);
		break;
	case 3:
		store_to_link(data + 1, size - 1);
		break;
	default:
		link_to_open(data + 1, size - 1);
	}
	return 0;
}
