/* fuzz_frame.c - frame.h and geometry.h: whatever decodes fits together, and is written back as the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "core/geometry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
	if (!true_)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[FRAME_SYMBOL_HEAD_LEN];
	struct frame_head h;
	struct frame_symbol s;
	struct geometry g;

	if (frame_head(&h, data, size) != FRAME_OK)
		return 0;
	must(h.len == size && h.lane <= FRAME_LANE_MAX && h.epoch > 0 && h.mlog <= FRAME_MLOG_MAX);
	frame_put_head(again, &h);
	must(memcmp(again, data, FRAME_HEAD_LEN) == 0);
	if (frame_symbol(&s, &h, data) != FRAME_OK)
		return 0;
	must(h.kind == FRAME_SYMBOL && s.k >= 1 && s.k <= s.kfull && s.symbol < s.k + s.m);
	must((uint32_t)s.kfull + s.m <= 65536 && s.slen % 2 == 0 && s.slen + (size_t)FRAME_SYMBOL_OVERHEAD == size);
	frame_put_symbol(again, &h, &s);
	must(memcmp(again, data, sizeof again) == 0);
	must(geometry_init(&g, s.object_len, s.slen, s.kfull) == 0 && geometry_k(&g, s.block) == s.k);
	if (s.object_len > 0) { /* every byte of every source symbol lies in the object */
		must(s.block < g.blocks);
		uint64_t at = geometry_offset(&g, s.block, s.k - 1u);
		uint32_t n = geometry_bytes(&g, s.block, s.k - 1u);
		must(n >= 1 && n <= s.slen && at < s.object_len && n <= s.object_len - at);
	}
	return 0;
}
