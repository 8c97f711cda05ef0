/* clock.h - the two clocks. */
#ifndef KM_CLOCK_H
#define KM_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: for intervals and pacing */
uint64_t clock_wall_ms(void); /* CLOCK_REALTIME: for people and manifests */
void clock_iso(char out[static 21], uint64_t seconds); /* "2026-11-21T02:26:03Z" */
/* For tests: KATAMICHI_TEST_SERVICE_SPEED=N in the environment makes days pass in seconds (a warning says so); else 1. */
uint64_t clock_test_speed(void);
void clock_sleep_ns(uint64_t ns); /* returns early on a signal */


/* Did the wall clock jump?  Nothing depends on its being right, but people should know.  A jump is what it went further,
 * or less far, than the monotonic clock between two looks: CLOCK_JUMP_MS or more.  (A machine that slept seems to jump, too.) */
enum { CLOCK_JUMP_MS = 30000 };
struct clock_watch { /* zeroed before the first look */
	int64_t offset_ms;
	int known;
};
/* The jump since the last look, in ms; 0: none.  Slow corrections are followed and are none. */
int64_t clock_watch_look(struct clock_watch *w, uint64_t wall_ms, uint64_t mono_ns);

#endif
