/* clock.h - the two clocks. */
#ifndef KM_CLOCK_H
#define KM_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: for intervals and pacing */
uint64_t clock_wall_ms(void); /* CLOCK_REALTIME: for people and manifests */
void clock_iso(char out[static 21], uint64_t seconds); /* "2026-11-21T02:26:03Z" */
void clock_sleep_ns(uint64_t ns); /* returns early on a signal */

#endif
