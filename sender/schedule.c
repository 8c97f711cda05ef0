/* schedule.c - see schedule.h. */
#include "sender/schedule.h"

static bool can_go(const struct schedule_item *it, uint64_t now_ns)
{
	return it->used && !it->blocked && it->ready_ns <= now_ns;
}

static uint64_t given(const struct schedule *s, const struct schedule_item *it)
{
	return s->given[it->channel] > s->floor ? s->given[it->channel] : s->floor;
}

static bool better(const struct schedule *s, const struct schedule_item *a, const struct schedule_item *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->channel != b->channel && given(s, a) != given(s, b))
		return given(s, a) < given(s, b);
	return a->left < b->left || (a->left == b->left && a->since_ns < b->since_ns);
}

static int best_of(const struct schedule *s, const struct schedule_item *item, unsigned n, bool repeat, uint64_t now_ns)
{
	int best = -1;

	for (unsigned i = 0; i < n; i++) {
		if (!can_go(&item[i], now_ns) || item[i].repeat != repeat)
			continue;
		if (best < 0 || better(s, &item[i], &item[best]))
			best = (int)i;
	}
	return best;
}

/* Of those below this priority. */
static int oldest_of(const struct schedule_item *item, unsigned n, bool repeat, uint32_t below, uint64_t now_ns)
{
	int oldest = -1;

	for (unsigned i = 0; i < n; i++) {
		if (!can_go(&item[i], now_ns) || item[i].repeat != repeat || item[i].priority >= below)
			continue;
		if (oldest < 0 || item[i].since_ns < item[oldest].since_ns)
			oldest = (int)i;
	}
	return oldest;
}

static int choose(const struct schedule *s, const struct schedule_item *item, unsigned n, bool repeat, uint64_t now_ns)
{
	int best = best_of(s, item, n, repeat, now_ns), low;

	if (best < 0 || s->turn % SCHEDULE_OLDEST_EVERY != SCHEDULE_OLDEST_EVERY - 1)
		return best;
	low = oldest_of(item, n, repeat, item[best].priority, now_ns);
	return low >= 0 ? low : oldest_of(item, n, repeat, UINT32_MAX, now_ns);
}

/* Whoever begins to send again begins where the others are. */
static void raise_floor(struct schedule *s, const struct schedule_item *item, unsigned n, uint64_t now_ns)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < n; i++)
		if (can_go(&item[i], now_ns) && given(s, &item[i]) < least)
			least = given(s, &item[i]);
	if (least != UINT64_MAX)
		s->floor = least;
}

int schedule_pick(struct schedule *s, const struct schedule_item *item, unsigned n, uint64_t now_ns, uint64_t *wake_ns)
{
	int fresh = choose(s, item, n, false, now_ns), again = choose(s, item, n, true, now_ns);

	*wake_ns = UINT64_MAX;
	if (fresh >= 0 || again >= 0) {
		s->turn++;
		raise_floor(s, item, n, now_ns);
		/* A batch may overdraw the credit; then it has to be earned again first. */
		return fresh < 0 || (again >= 0 && s->credit > 0) ? again : fresh;
	}
	for (unsigned i = 0; i < n; i++)
		if (item[i].used && !item[i].blocked && item[i].ready_ns < *wake_ns)
			*wake_ns = item[i].ready_ns;
	return -1;
}

void schedule_sent(struct schedule *s, const struct schedule_item *item, uint64_t bytes)
{
	s->given[item->channel] = given(s, item) + bytes;
	if (item->repeat)
		s->credit -= (int64_t)bytes;
	else
		s->credit += (int64_t)(bytes / (SCHEDULE_REPEAT_SHARE - 1));
	if (s->credit > SCHEDULE_CREDIT_MAX)
		s->credit = SCHEDULE_CREDIT_MAX;
	if (s->credit < -SCHEDULE_CREDIT_MAX)
		s->credit = -SCHEDULE_CREDIT_MAX;
}

uint64_t schedule_due(const uint64_t *repeat, unsigned repeats, uint32_t rounds, uint64_t now)
{
	uint32_t i = rounds == 0 ? 0 : rounds - 1;

	return now + repeat[i < repeats ? i : repeats - 1];
}
