/* clock.c - see clock.h */
#include "host/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/log.h"

static struct timespec now(clockid_t id)
{
	struct timespec t = { 0, 0 };

	/* Neither clock can fail with a valid pointer. */
	(void)clock_gettime(id, &t);
	return t;
}

uint64_t clock_mono_ns(void)
{
	struct timespec t = now(CLOCK_MONOTONIC);

	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
	struct timespec t = now(CLOCK_REALTIME);

	if (t.tv_sec < 0) /* a clock before 1970 is as good as none */
		return 0;
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void clock_iso(char out[static 21], uint64_t seconds)
{
	const uint64_t last = 253402300799u; /* 9999-12-31T23:59:59Z: the year keeps four digits */
	time_t t = (time_t)(seconds < last ? seconds : last);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm) != 20)
		memcpy(out, "1970-01-01T00:00:00Z", 21);
}

uint64_t clock_test_speed(void)
{
	const char *text = getenv("KATAMICHI_TEST_SERVICE_SPEED");
	unsigned long v = text == NULL ? 1 : strtoul(text, NULL, 10);

	if (v < 2 || v > 1000000)
		return 1;
	log_warn("KATAMICHI_TEST_SERVICE_SPEED: repeats and retention run %lu times as fast; this is for tests only", v);
	return v;
}

void clock_sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

int64_t clock_watch_look(struct clock_watch *w, uint64_t wall_ms, uint64_t mono_ns)
{
	int64_t offset = (int64_t)(wall_ms - mono_ns / 1000000u), jump = w->known ? offset - w->offset_ms : 0;

	w->offset_ms = offset;
	w->known = 1;
	return jump >= CLOCK_JUMP_MS || jump <= -CLOCK_JUMP_MS ? jump : 0;
}
