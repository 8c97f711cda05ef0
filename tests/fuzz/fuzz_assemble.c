/* fuzz_assemble.c - the symbols of an authenticated sender that lies: fields
 * and bytes of its choice, in any order, with restarts, into the assembler on
 * real part files.
 *
 * Input: steps of 16 bytes.  Byte 0 says what (symbol, batch end, restart,
 * forget, done); the others choose the fields, from values where arithmetic
 * has its edges.  Whatever comes, memory stays within the limits, and an
 * object is completed only with a length and all its symbols.  A sender's share of
 * the parity is at least one slab of 1 MiB (parity.h), so two senders have two. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/receiver_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP = 16, IDS = 4, STEPS_MAX = 512 };

static const struct assemble_limits limits = { .object = 1 << 20, .objects = 3, .files = 16, .parity = 2 << 20, .meta = 1 << 20,
	.chunks = 4, .delivered = 4, .stale_ns = UINT64_MAX };

static void symbol(struct rig *r, const uint8_t *p)
{
	static const uint16_t kfull[] = { 1, 2, 3, 8, 20, 255, 256, 4096, 32768, 65535, 0, 65534 };
	static const uint64_t length[] = { 0, 1, 191, 192, 193, 256, 3840, 3841, 7679, 65536, (1 << 20) - 1, 1 << 20,
		(1 << 20) + 1, 1ull << 32, (1ull << 48) - 1 };
	static uint8_t d[1024];
	struct frame_head h = { .kind = FRAME_SYMBOL, .epoch = 1, .pn = 1, .mlog = p[1] & 15,
		.len = (uint16_t)(256 + 64 * (p[2] & 3)) };
	struct frame_symbol f = { .kfull = kfull[p[3] % 12], .object_len = length[p[4] % 15],
		.block = p[5] < 128 ? p[5] % 8 : (uint32_t)p[6] << (p[7] % 25),
		.symbol = (uint16_t)(p[8] < 192 ? p[8] % 48 : p[9] << 8 | p[10]) };

	f.id[0] = p[11] % IDS;
	memset(d, p[12], sizeof(d));
	frame_put_symbol(d, &h, &f);
	if (frame_symbol(&f, &h, d) == FRAME_OK)
		assemble_symbol(r->a, p[13] & 1, &f, d + FRAME_SYMBOL_HEAD_LEN, r->now += 1000);
}

static void restart(struct rig *r)
{
	uint32_t last = r->slot;

	assemble_free(r->a);
	rig_start(r, &limits);
	for (uint32_t i = last > 6 ? last - 6 : 1; i < last; i++)
		rig_old_slot(r, i);
}

static void step(struct rig *r, const uint8_t *p)
{
	uint8_t id[16] = { 0 };

	id[0] = p[1] % IDS;
	switch (p[0] % 16) {
	case 0:
		rig_settle(r);
		break;
	case 1:
		restart(r);
		break;
	case 2:
		assemble_forget(r->a, p[2] & 1, id);
		break;
	case 3:
		assemble_done(r->a, p[2] & 1, id);
		break;
	case 4:
		r->deaf = p[1] & 1;
		break;
	case 5:
		assemble_write(r->a);
		assemble_tick(r->a, r->now += 200000000);
		break;
	default:
		symbol(r, p);
		break;
	}
	if (assemble_slots_free(r->a) == 0 && r->slot < RIG_SLOTS)
		rig_fresh_slots(r, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig r;
	struct msg_stats s;

	rig_init(&r, &limits);
	rig_fresh_slots(&r, 2);
	for (size_t i = 0; i + STEP <= size && i < STEPS_MAX * STEP; i += STEP) {
		step(&r, data + i);
		assemble_stats(r.a, &s);
		if (s.open > limits.objects || s.parity_bytes > limits.parity)
			abort();
		for (uint32_t j = 0; j < s.objects; j++)
			if (s.object[j].length != 0 && s.object[j].have > s.object[j].symbols)
				abort();
	}
	assemble_write(r.a);
	if (r.completed != 0 && r.last.length == 0)
		abort();
	rig_end(&r);
	return 0;
}
