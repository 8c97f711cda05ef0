/* schedule.c - see schedule.h. */
#include "sender/schedule.h"

static bool can_go(const struct schedule_item *it, uint64_t now_ns)
{
	return it->used && !it->blocked && it->ready_ns <= now_ns;
}

static bool better(const struct schedule_item *a, const struct schedule_item *b, bool oldest)
{
	if (oldest)
		return a->since_ns < b->since_ns;
	return a->left < b->left || (a->left == b->left && a->since_ns < b->since_ns);
}

static int best_of(const struct schedule_item *item, unsigned n, bool repeat, bool oldest, uint64_t now_ns)
{
	int best = -1;

	for (unsigned i = 0; i < n; i++) {
		if (!can_go(&item[i], now_ns) || item[i].repeat != repeat)
			continue;
		if (best < 0 || better(&item[i], &item[best], oldest))
			best = (int)i;
	}
	return best;
}

int schedule_pick(struct schedule *s, const struct schedule_item *item, unsigned n, uint64_t now_ns, uint64_t *wake_ns)
{
	bool oldest = s->turn % SCHEDULE_OLDEST_EVERY == SCHEDULE_OLDEST_EVERY - 1;
	int fresh = best_of(item, n, false, oldest, now_ns);
	int again = best_of(item, n, true, oldest, now_ns);

	*wake_ns = UINT64_MAX;
	if (fresh >= 0 || again >= 0) {
		s->turn++;
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
