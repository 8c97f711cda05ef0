/* ring.h and pipeframe.h: what is written is read, in order and whole, with
 * either side asleep at any time; and a peer that writes nonsense into the
 * shared memory is found out before it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/exits.h"
#include "receiver/pipeframe.h"
#include "tests/unit/seeded.h"

enum { SIZE = 65536, DATA = 4096 /* where records begin */ };

struct both {
	int memory, wake[2];
	struct ring w, r;
	uint8_t *raw; /* a third mapping: the hand of a hostile peer */
};

static void make(struct both *b)
{
	assert_true((b->memory = ring_create(SIZE)) >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, b->wake), 0);
	assert_int_equal(ring_open(&b->w, b->memory, b->wake[0], false), 0);
	assert_int_equal(ring_open(&b->r, b->memory, b->wake[1], true), 0);
	b->raw = mmap(NULL, DATA + SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->memory, 0);
	assert_true(b->raw != MAP_FAILED);
}

static void unmake(struct both *b)
{
	ring_close(&b->w);
	ring_close(&b->r);
	munmap(b->raw, DATA + SIZE);
	close(b->memory);
	close(b->wake[0]);
	close(b->wake[1]);
}

static void poke64(struct both *b, size_t at, uint64_t v)
{
	memcpy(b->raw + at, &v, 8);
}

static void poke32(struct both *b, size_t at, uint32_t v)
{
	memcpy(b->raw + at, &v, 4);
}

/* Lengths of all kinds, until the end of the memory was passed many times. */
static void in_order(void **state)
{
	struct both b;
	struct ring_record rec;
	uint8_t *room, n_of[256], byte = 0, expect = 0;
	size_t len[256];
	unsigned written = 0, read = 0;

	(void)state;
	make(&b);
	assert_int_equal(ring_peek(&b.r, &rec), RING_NOTHING);
	for (int i = 0; i < 200000; i++) {
		size_t n = seeded_below(4) == 0 ? seeded_below(ring_max(&b.w) + 1) : seeded_below(200);
		if (written - read < 256 && seeded_below(2) == 0 && ring_reserve(&b.w, n, &room) == RING_GOT) {
			memset(room, ++byte, n);
			ring_commit(&b.w, (uint64_t)byte << 40 | 7, n);
			n_of[written % 256] = byte;
			len[written++ % 256] = n;
		} else if (ring_peek(&b.r, &rec) == RING_GOT) {
			assert_true(read < written);
			assert_int_equal(rec.len, len[read % 256]);
			assert_int_equal(n_of[read++ % 256], ++expect);
			assert_true(rec.tag == ((uint64_t)expect << 40 | 7));
			for (size_t j = 0; j < rec.len; j += 97)
				assert_int_equal(rec.data[j], expect);
			ring_release(&b.r);
		} else {
			assert_int_equal(read, written);
		}
	}
	assert_true(read > 10000);
	unmake(&b);
}

/* A full ring says so and harms nothing; the longest record always fits an empty one. */
static void full(void **state)
{
	struct both b;
	struct ring_record rec;
	uint8_t *room;

	(void)state;
	make(&b);
	assert_int_equal(ring_reserve(&b.w, ring_max(&b.w) + 1, &room), RING_BAD);
	for (int turn = 0; turn < 100; turn++) {
		size_t n = seeded_below(ring_max(&b.w)) + 1;
		unsigned count = 0;
		while (ring_reserve(&b.w, n, &room) == RING_GOT) {
			ring_commit(&b.w, count++, n);
		}
		assert_true(ring_sleep(&b.w, n));
		assert_true(count >= 3);
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(ring_peek(&b.r, &rec), RING_GOT);
			assert_int_equal(rec.tag, i);
			ring_release(&b.r);
		}
		struct pollfd p = { .fd = b.wake[0], .events = POLLIN };
		assert_int_equal(poll(&p, 1, 0), 1); /* woken */
		assert_true(ring_awake(&b.w));
		assert_false(ring_sleep(&b.w, ring_max(&b.w)));
	}
	unmake(&b);
}

static unsigned fill(struct both *b, size_t n)
{
	unsigned count = 0;
	uint8_t *room;

	for (; ring_reserve(&b->w, n, &room) == RING_GOT; count++)
		ring_commit(&b->w, count, n);
	assert_true(ring_sleep(&b->w, n));
	return count;
}

static void take(struct both *b, unsigned count)
{
	struct ring_record rec;

	for (; count > 0; count--) {
		assert_int_equal(ring_peek(&b->r, &rec), RING_GOT);
		ring_release(&b->r);
	}
}

static bool is_woken(const struct both *b)
{
	struct pollfd p = { .fd = b->wake[0], .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* A writer that sleeps is woken when half of the ring is free, however long ago the reader looked how full it is: one that
 * is woken for the room of each record is dearer than what it writes. */
static void woken_at_half(void **state)
{
	enum { N = 1024 - 16, ALL = SIZE / 1024 };
	struct both b;

	(void)state;
	make(&b);
	assert_int_equal(fill(&b, N), ALL);
	take(&b, ALL / 2 - 1);
	assert_false(is_woken(&b));
	take(&b, 1);
	assert_true(is_woken(&b));
	assert_true(ring_awake(&b.w));
	assert_int_equal(fill(&b, N), ALL / 2); /* while the reader still works off what it saw before */
	take(&b, ALL / 2 - 1);
	assert_false(is_woken(&b));
	take(&b, 1);
	assert_true(is_woken(&b));
	unmake(&b);
}

/* Records that are kept stay the reader's, over the end of the memory too, until they are given back; the writer is woken
 * for what it asked for and for nothing less. */
static void kept(void **state)
{
	enum { N = 5000, MANY = 12 };
	struct both b;
	struct ring_record rec[MANY];
	uint64_t upto[MANY];
	uint8_t *room;
	struct pollfd p;

	(void)state;
	make(&b);
	p = (struct pollfd){ .fd = b.wake[0], .events = POLLIN };
	for (int turn = 0; turn < 50; turn++) {
		for (unsigned i = 0; i < MANY; i++) {
			assert_int_equal(ring_reserve(&b.w, N, &room), RING_GOT);
			memset(room, (int)(i + 1), N);
			ring_commit(&b.w, i, N);
			assert_int_equal(ring_peek(&b.r, &rec[i]), RING_GOT);
			upto[i] = ring_keep(&b.r);
			assert_true(upto[i] == ring_written(&b.w));
		}
		assert_int_equal(ring_peek(&b.r, &rec[0]), RING_NOTHING);
		assert_int_equal(ring_reserve(&b.w, N + 1000, &room), RING_NOTHING);
		for (unsigned i = 0; i < MANY; i++)
			assert_true(rec[i].data[0] == i + 1 && rec[i].data[N - 1] == i + 1);
		assert_false(ring_given(&b.w, upto[0]));
		assert_false(ring_ask(&b.w, upto[3]));
		ring_give(&b.r, upto[2]);
		assert_int_equal(poll(&p, 1, 0), 0);
		assert_true(ring_given(&b.w, upto[2]));
		assert_false(ring_given(&b.w, upto[3]));
		ring_give(&b.r, upto[4]);
		assert_int_equal(poll(&p, 1, 0), 1);
		assert_true(ring_awake(&b.w));
		assert_true(ring_ask(&b.w, upto[3])); /* already */
		ring_give(&b.r, upto[MANY - 1]);
		assert_int_equal(poll(&p, 1, 0), 0); /* nobody asked */
	}
	unmake(&b);
}

/* The reader is asked to believe this head and these first bytes of a record. */
static void hostile_writer(void **state)
{
	static const struct {
		uint64_t head;
		uint32_t len, kind;
		enum ring_result want;
		const char *why;
	} row[] = {
		{ 32, 16, 0, RING_GOT, "as it should be" },
		{ 16, 0, 0, RING_GOT, "an empty one" },
		{ 8, 0, 0, RING_BAD, "head not aligned" },
		{ SIZE + 16, 0, 0, RING_BAD, "more than there is room for" },
		{ UINT64_MAX - 15, 0, 0, RING_BAD, "far beyond" },
		{ 1ull << 63, 0, 0, RING_BAD, "sign" },
		{ 32, 17, 0, RING_BAD, "longer than what was written" },
		{ 16, 1, 0, RING_BAD, "its bytes lie behind head" },
		{ SIZE, SIZE / 4, 0, RING_BAD, "longer than any record" },
		{ SIZE, 0x7FFFFFFF, 0, RING_BAD, "absurd" },
		{ SIZE, UINT32_MAX, 0, RING_BAD, "its padded length wraps in 32 bits" },
		{ SIZE, UINT32_MAX - 15, 0, RING_BAD, "likewise, exactly" },
		{ 32, 16, 2, RING_BAD, "unknown kind" },
		{ 32, 16, UINT32_MAX, RING_BAD, "likewise" },
		{ SIZE, UINT32_MAX, 1, RING_BAD, "filling beyond the end" },
		{ SIZE, SIZE, 1, RING_BAD, "filling that reaches behind the end by a head" },
		{ 32, 32, 1, RING_BAD, "filling beyond what was written" },
		{ SIZE, SIZE - 16, 1, RING_BAD, "filling of the whole ring, which could go on for ever" },
		{ 32, 16, 1, RING_BAD, "filling that does not go up to the end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct both b;
		struct ring_record rec;
		make(&b);
		poke32(&b, DATA, row[i].len);
		poke32(&b, DATA + 4, row[i].kind);
		poke64(&b, 0, row[i].head);
		enum ring_result r = ring_peek(&b.r, &rec);
		if (r != row[i].want)
			fail_msg("%s: %d", row[i].why, (int)r);
		unmake(&b);
	}
}

/* Moved back, or on beyond what is possible, in the middle of work. */
static void hostile_indexes(void **state)
{
	static const struct {
		int64_t move;
		int bad;
	} row[] = { { 0, 0 }, { -16, 1 }, { -64, 1 }, { 3, 1 }, { SIZE + 16, 1 }, { INT64_MAX, 1 }, { INT64_MIN, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct both b;
		struct ring_record rec;
		uint8_t *room;
		uint64_t head, tail;
		make(&b);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(ring_reserve(&b.w, 100, &room), RING_GOT);
			ring_commit(&b.w, 1, 100);
			assert_int_equal(ring_peek(&b.r, &rec), RING_GOT);
			ring_release(&b.r);
		}
		memcpy(&head, b.raw, 8);
		memcpy(&tail, b.raw + 64, 8);
		assert_true(head == tail);
		poke64(&b, 0, head + (uint64_t)row[i].move);
		assert_int_equal(ring_peek(&b.r, &rec), row[i].bad ? RING_BAD : RING_NOTHING);
		poke64(&b, 0, head);
		/* Fill it, so that the writer has to look at the tail. */
		while (ring_reserve(&b.w, 5000, &room) == RING_GOT)
			ring_commit(&b.w, 1, 5000);
		poke64(&b, 64, tail + (uint64_t)row[i].move);
		assert_int_equal(ring_reserve(&b.w, 5000, &room), row[i].bad ? RING_BAD : RING_NOTHING);
		unmake(&b);
	}
}

/* Random bytes over all of it: whatever is answered, nothing outside is touched. */
static void noise(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct both b;
		struct ring_record rec;
		uint8_t *room;
		volatile uint8_t sum = 0;
		make(&b);
		for (int j = 0; j < 20; j++) {
			size_t at = seeded_below(3) == 0 ? seeded_below(96) : DATA + seeded_below(2048);
			b.raw[at] = (uint8_t)seeded();
			for (int k = 0; k < 50 && ring_peek(&b.r, &rec) == RING_GOT; k++) {
				assert_true(rec.len <= ring_max(&b.r));
				assert_true(rec.data >= b.r.data && rec.data + rec.len <= b.r.data + SIZE);
				for (size_t n = 0; n < rec.len; n++)
					sum = (uint8_t)(sum + rec.data[n]);
				ring_release(&b.r);
			}
			size_t n = seeded_below(ring_max(&b.w));
			if (ring_reserve(&b.w, n, &room) == RING_GOT) {
				assert_true(room >= b.w.data && room + n <= b.w.data + SIZE);
				memset(room, 1, n);
				ring_commit(&b.w, 9, n);
			}
		}
		unmake(&b);
	}
}

static void not_rings(void **state)
{
	struct ring r;
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ring_create(SIZE + 1), -1);
	assert_int_equal(ring_create(4096), -1);
	assert_int_equal(ftruncate(fd, DATA + SIZE), 0);
	assert_int_equal(ring_open(&r, fd, -1, true), -1); /* could shrink, and the next access would end us */
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ftruncate(fd, DATA + SIZE - 1), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(ring_open(&r, fd, -1, true), -1); /* another size */
	assert_int_equal(ring_open(&r, -1, -1, true), -1);
	close(fd);
	fd = ring_create(SIZE);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 10 * SIZE), -1);
	close(fd);
}

/* --- pipeframe.h --- */
static struct pipeframe_fds fds;

static void *writer(void *arg)
{
	static struct pipeframe_out out;
	static uint8_t body[PIPEFRAME_MAX];
	unsigned seed = 1;

	(void)arg;
	if (pipeframe_writer(&out, fds.memory, fds.writer) != 0)
		return NULL;
	for (uint32_t i = 0; i < 30000; i++) {
		size_t n = rand_r(&seed) % 50 == 0 ? (size_t)rand_r(&seed) % (PIPEFRAME_MAX + 1) : (size_t)rand_r(&seed) % 300;
		memset(body, (int)i, n);
		if (pipeframe_write(&out, i, ~i, body, n) != 0)
			return NULL;
		if (i % 4 == 0)
			pipeframe_tell(&out);
		if (rand_r(&seed) % 1000 == 0)
			usleep(1000); /* so that the reader falls asleep */
	}
	ring_close(&out.ring);
	close(fds.writer);
	return &fds;
}

static void frames(void **state)
{
	static struct pipeframe_in in;
	struct pipeframe f;
	pthread_t thread;
	unsigned seed = 1;
	void *well;

	(void)state;
	for (int wait = 0; wait < 2; wait++) {
		pipeframe_pair(&fds, wait ? PIPEFRAME_RING : PIPEFRAME_RING_LARGE);
		assert_int_equal(pipeframe_reader(&in, fds.memory, fds.reader), 0);
		assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
		seed = 1;
		for (uint32_t i = 0; i < 30000; i++) {
			size_t n = rand_r(&seed) % 50 == 0 ? (size_t)rand_r(&seed) % (PIPEFRAME_MAX + 1) : (size_t)rand_r(&seed) % 300;
			rand_r(&seed);
			enum pipeframe_result r;
			while ((r = pipeframe_next(&in, &f, wait)) == PIPEFRAME_AGAIN) {
				struct pollfd p = { .fd = fds.reader, .events = POLLIN };
				assert_int_equal(poll(&p, 1, 10000), 1); /* a missed wake-up would hang here */
			}
			assert_int_equal(r, PIPEFRAME_GOT);
			assert_int_equal(f.type, i);
			assert_int_equal(f.job, ~i);
			assert_int_equal(f.len, n);
			for (size_t j = 0; j < n; j += 61)
				assert_int_equal(f.body[j], (uint8_t)i);
			if (seeded_below(2000) == 0)
				usleep(2000); /* so that the writer does */
		}
		pthread_join(thread, &well);
		assert_non_null(well);
		assert_int_equal(pipeframe_next(&in, &f, wait), PIPEFRAME_CLOSED); /* all was read, and nobody writes */
		ring_close(&in.ring);
		close(fds.memory);
		close(fds.reader);
	}
}

/* --- frames passed on --- */
enum { FRAMES_PASSED = 4000 };
static struct pipeframe_fds second;

static size_t piece_of(unsigned *seed)
{
	return rand_r(seed) % 3 == 0 ? (size_t)rand_r(seed) % 300 : (size_t)rand_r(seed) % (PIPEFRAME_MAX + 1);
}

static void *first_of_three(void *arg)
{
	static struct pipeframe_out out;
	static uint8_t body[PIPEFRAME_MAX];
	unsigned seed = 1;

	(void)arg;
	if (pipeframe_writer(&out, fds.memory, fds.writer) != 0)
		return NULL;
	for (uint32_t i = 0; i < FRAMES_PASSED; i++) {
		size_t n = piece_of(&seed);
		for (size_t at = 0; at < n; at += 61)
			body[at] = (uint8_t)(i + at);
		if (pipeframe_write(&out, i, 3, body, n) != 0)
			return NULL;
	}
	ring_close(&out.ring);
	close(fds.writer);
	return &fds;
}

/* As check does it: some copied, some passed on in two parts, some not at all; and it sleeps for both at once. */
static void *second_of_three(void *arg)
{
	static struct pipeframe_in in;
	static struct pipeframe_out out;
	enum pipeframe_result r;
	struct pipeframe f;
	unsigned passed = 0;

	(void)arg;
	if (pipeframe_reader(&in, fds.memory, fds.reader) != 0 || pipeframe_writer(&out, second.memory, second.writer) != 0)
		return NULL;
	while ((r = pipeframe_next(&in, &f, false)) != PIPEFRAME_CLOSED) {
		if (r == PIPEFRAME_AGAIN) {
			pipeframe_tell(&out);
			pipeframe_settle(&in);
			struct pollfd p[2] = { { .fd = fds.reader, .events = POLLIN }, { .fd = second.writer, .events = POLLIN } };
			if (poll(p, 2, 10000) < 1 || (p[1].revents != 0 && !ring_awake(&out.ring)))
				return NULL;
			continue;
		}
		size_t half = f.len / 2;
		if (f.type % 7 == 0)
			continue;
		if (f.len <= PIPEFRAME_COPIED || f.type % 5 == 0) {
			if (pipeframe_is_shared(&in, f.body) != (f.len > PIPEFRAME_COPIED) ||
			    pipeframe_write(&out, f.type, f.job, f.body, f.len) != 0)
				return NULL;
		} else {
			passed++;
			if (!pipeframe_is_shared(&in, f.body) || pipeframe_pass_on(&out, &in, f.type, f.job, f.body, half) != 0 ||
			    pipeframe_pass_on(&out, &in, f.type, f.job, f.body + half, f.len - half) != 0)
				return NULL;
		}
	}
	close(second.writer);
	return passed > FRAMES_PASSED / 3 ? &fds : NULL;
}

static void passed_on(void **state)
{
	static struct pipeframe_in in;
	struct pipeframe f;
	pthread_t thread[2];
	unsigned seed = 1;
	void *well[2];

	(void)state;
	pipeframe_pair(&fds, PIPEFRAME_RING);
	pipeframe_pair(&second, PIPEFRAME_RING);
	assert_int_equal(pipeframe_reader(&in, second.memory, second.reader), 0);
	assert_int_equal(pipeframe_view(&in, fds.memory), 0);
	assert_int_equal(pthread_create(&thread[0], NULL, first_of_three, NULL), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, second_of_three, NULL), 0);
	for (uint32_t i = 0; i < FRAMES_PASSED; i++) {
		size_t n = piece_of(&seed), at = 0;
		if (i % 7 == 0)
			continue;
		do {
			assert_int_equal(pipeframe_next(&in, &f, true), PIPEFRAME_GOT); /* a missed wake-up would hang here */
			assert_int_equal(f.type, i);
			assert_int_equal(f.job, 3);
			assert_true(f.len <= n - at);
			for (size_t j = (61 - at % 61) % 61; j < f.len; j += 61)
				assert_int_equal(f.body[j], (uint8_t)(i + at + j));
			at += f.len;
		} while (at < n);
		if (seeded_below(500) == 0)
			usleep(2000); /* so that both before it have to wait */
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], &well[i]);
		assert_non_null(well[i]);
	}
	assert_int_equal(pipeframe_next(&in, &f, true), PIPEFRAME_CLOSED);
	ring_close(&in.ring);
	ring_view_close(&in.view);
	close(fds.memory);
	close(fds.reader);
	close(second.memory);
	close(second.reader);
}

/* Where the bytes lie is the middle one's word: what lies nowhere ends the reader, before it looks there. */
static void passed_on_from_nowhere(void **state)
{
	static const struct {
		uint64_t at, n;
		uint32_t len;
		bool good;
		const char *why;
	} row[] = {
		{ 0, 8000, 16, true, "as it should be" },
		{ PIPEFRAME_RING - PIPEFRAME_MAX, PIPEFRAME_MAX, 16, true, "the last that is possible" },
		{ PIPEFRAME_RING - PIPEFRAME_MAX + 1, PIPEFRAME_MAX, 16, false, "a byte beyond the end" },
		{ PIPEFRAME_RING, 1, 16, false, "behind the end" },
		{ UINT64_MAX, 1, 16, false, "before the beginning" },
		{ UINT64_MAX - 4095, 4096, 16, false, "whose end wraps" },
		{ 0, PIPEFRAME_MAX + 1, 16, false, "longer than a frame" },
		{ 0, UINT64_MAX, 16, false, "absurd" },
		{ 0, (1ull << 32) + 1, 16, false, "longer than 32 bits say" },
		{ 0, 0, 15, false, "half a place" },
		{ 0, 0, 17, false, "more than a place" },
	};

	(void)state;
	for (size_t i = 0; i <= sizeof(row) / sizeof(row[0]); i++) {
		bool no_view = i == sizeof(row) / sizeof(row[0]); /* the last: one that has nowhere to look */
		size_t k = no_view ? 0 : i;
		int status;
		pipeframe_pair(&fds, PIPEFRAME_RING);
		pipeframe_pair(&second, PIPEFRAME_RING);
		pid_t pid = fork();
		if (pid == 0) {
			static struct pipeframe_in in;
			static struct ring out;
			struct pipeframe f;
			const uint64_t where[3] = { row[k].at, row[k].n };
			uint8_t *room;
			volatile uint8_t sum = 0;
			close(STDERR_FILENO);
			if (ring_open(&out, second.memory, second.writer, false) != 0 || ring_reserve(&out, row[k].len, &room) != RING_GOT ||
			    pipeframe_reader(&in, second.memory, second.reader) != 0 || (!no_view && pipeframe_view(&in, fds.memory) != 0))
				_exit(1);
			memcpy(room, where, row[k].len);
			ring_commit(&out, 1ull << 63 | 5ull << 32, row[k].len);
			if (pipeframe_next(&in, &f, false) != PIPEFRAME_GOT || f.len != row[k].n || f.type != 5)
				_exit(2);
			for (size_t j = 0; j < f.len; j++)
				sum = (uint8_t)(sum + f.body[j]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != (row[k].good && !no_view ? 0 : EXIT_INTERNAL))
			fail_msg("%s: %d", no_view ? "nothing to look into" : row[k].why, status);
		for (int j = 0; j < 2; j++) {
			const struct pipeframe_fds *x = j == 0 ? &fds : &second;
			close(x->memory);
			close(x->writer);
			close(x->reader);
		}
	}
}

/* The other side dies: a writer that waits for room hears of it. */
static void reader_dies(void **state)
{
	static struct pipeframe_out out;
	static uint8_t body[PIPEFRAME_MAX];

	(void)state;
	pipeframe_pair(&fds, PIPEFRAME_RING);
	assert_int_equal(pipeframe_writer(&out, fds.memory, fds.writer), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds.writer);
		usleep(50000);
		_exit(0);
	}
	close(fds.reader);
	int r = 0;
	for (int i = 0; i < 100 && r == 0; i++)
		r = pipeframe_write(&out, 1, 1, body, sizeof(body));
	assert_int_equal(r, -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ring_close(&out.ring);
	close(fds.memory);
	close(fds.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(full),
		cmocka_unit_test(woken_at_half),
		cmocka_unit_test(kept),
		cmocka_unit_test(hostile_writer),
		cmocka_unit_test(hostile_indexes),
		cmocka_unit_test(noise),
		cmocka_unit_test(not_rings),
		cmocka_unit_test(frames),
		cmocka_unit_test(passed_on),
		cmocka_unit_test(passed_on_from_nowhere),
		cmocka_unit_test(reader_dies),
	};

	signal(SIGPIPE, SIG_IGN); /* as in the daemons */
	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
