/* link_test_runs.c - see link_test_runs.h */
#include "tools/link_test_runs.h"

#include <stddef.h>
#include <string.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

static int same_plan(const struct link_test_plan *a, const struct link_test_plan *b)
{
	return a->begin_ms == b->begin_ms && a->len == b->len && a->step_ms == b->step_ms && a->steps == b->steps &&
	    memcmp(a->rate, b->rate, sizeof(a->rate)) == 0;
}

/* The step from here on is followed, from number `first`. */
static struct link_test_step *begin_step(struct link_test_run *run, unsigned i, uint64_t first)
{
	struct link_test_step *s = &run->step[i];

	if (s->begun)
		return s;
	s->begun = 1;
	memset(&s->gaps, 0, sizeof(s->gaps));
	link_test_track_init(&s->track, first, link_test_spacing(&run->plan, i));
	return s;
}

/* Of the step's track only what begin_step() does not set. */
static void begin_run(struct link_test_run *run, const struct link_test_head *h, uint64_t listening_ns)
{
	int late = h->age_ns > listening_ns;

	run->used = 1;
	run->done = 0;
	run->plan = h->plan;
	run->newest = 0;
	run->datagrams = 0;
	for (unsigned i = 0; i < LINK_TEST_STEPS; i++) {
		struct link_test_step *s = &run->step[i];
		memset(s, 0, offsetof(struct link_test_step, track));
		s->deaf = late && i <= h->step;
	}
	/* In the middle of a step: only what follows is ours to judge. */
	if (late && h->kind == LINK_TEST_DATA)
		begin_step(run, h->step, h->seq);
}

/* The run of the datagram, or a place for it; NULL if it is not to be followed. */
static struct link_test_run *find_run(struct link_test_runs *r, const struct link_test_head *h, uint64_t listening_ns)
{
	struct link_test_run *place = NULL;

	for (unsigned i = 0; i < LINK_TEST_RUNS; i++) {
		struct link_test_run *run = &r->run[i];
		if (run->used && run->plan.run == h->plan.run) {
			if (same_plan(&run->plan, &h->plan))
				return run;
			r->contradicting++;
			return NULL;
		}
		if (place == NULL || (place->used && (!run->used || run->datagrams < place->datagrams)))
			place = run;
	}
	if (place->used && place->datagrams >= LINK_TEST_RUN_WEAK) {
		r->crowded++;
		return NULL;
	}
	begin_run(place, h, listening_ns);
	return place;
}

/* Step i is known to have had `sent` datagrams. */
static void end_step(struct link_test_runs *r, struct link_test_run *run, unsigned i, uint64_t sent)
{
	struct link_test_step *s = &run->step[i];

	if (s->ended)
		return;
	s->ended = 1;
	if (s->deaf && !s->begun)
		return;
	begin_step(run, i, 0);
	/* What the kernel dropped before this datagram was the tail of that step, as far as it had one. */
	uint64_t tail = sent > s->track.high ? sent - s->track.high : 0, mine = tail < r->pending ? tail : r->pending;

	link_test_track_end(&s->track, sent, mine);
	r->pending -= mine;
}

static void note_times(struct link_test_step *s, const struct link_test_head *h, uint64_t rx_ns)
{
	if (s->first_ns == 0) {
		s->first_ns = rx_ns;
		s->first_seq = h->seq;
		s->first_age = h->age_ns;
	} else if (rx_ns >= s->last_ns) {
		link_test_gaps_add(&s->gaps, rx_ns - s->last_ns);
	} else {
		s->backwards++;
	}
	s->last_ns = rx_ns;
	s->arrivals++;
	if (h->seq >= s->last_seq) {
		s->last_seq = h->seq;
		s->last_age = h->age_ns;
	}
}

static void take_data(struct link_test_runs *r, struct link_test_run *run, const struct link_test_head *h, int whole, uint64_t rx_ns)
{
	struct link_test_step *s = begin_step(run, h->step, 0);

	if (!whole) {
		s->damaged++;
		return;
	}
	/* A number beyond the count that was told: not of this sender. */
	if (s->ended && h->seq >= s->track.high) {
		r->contradicting++;
		return;
	}
	enum link_test_arrival a = link_test_track_take(&s->track, h->seq, r->pending);

	r->pending = 0;
	if (a == LINK_TEST_NEW || a == LINK_TEST_LATE)
		note_times(s, h, rx_ns);
}

void link_test_runs_take(struct link_test_runs *r, const uint8_t *buf, size_t n, uint64_t rx_ns, uint64_t now_ns,
    uint64_t listening_ns, uint64_t drops)
{
	struct link_test_head h;
	enum link_test_err e = link_test_decode(&h, buf, n);
	const struct link_test_run *known = link_test_runs_main(r);
	struct link_test_run *run;

	r->drops += drops;
	r->pending += drops;
	if (e == LINK_TEST_EFOREIGN || e == LINK_TEST_EHEAD) {
		/* Of the length that the test has, it is rather one whose first bytes were hit. */
		if (e == LINK_TEST_EHEAD || (known != NULL && known->plan.len == n))
			r->unreadable++;
		else
			r->foreign++;
		return;
	}
	run = find_run(r, &h, listening_ns);
	if (run == NULL)
		return;
	run->datagrams++;
	run->last_mono_ns = now_ns;
	if (h.step > run->newest)
		run->newest = h.step;
	for (unsigned i = 0; i < h.step; i++)
		end_step(r, run, i, h.sent[i]);
	if (h.kind == LINK_TEST_DATA) {
		take_data(r, run, &h, e == LINK_TEST_OK, rx_ns);
		return;
	}
	end_step(r, run, h.step, h.sent[h.step]);
	run->step[h.step].marks++;
	if (h.step + 1 == run->plan.steps)
		run->done = 1;
}

void link_test_runs_finish(struct link_test_runs *r, uint64_t drops)
{
	r->drops += drops;
	for (unsigned i = 0; i < LINK_TEST_RUNS; i++)
		for (unsigned j = 0; r->run[i].used && j < r->run[i].plan.steps; j++)
			if (r->run[i].step[j].begun)
				link_test_track_finish(&r->run[i].step[j].track);
}

const struct link_test_run *link_test_runs_main(const struct link_test_runs *r)
{
	const struct link_test_run *best = NULL;

	for (unsigned i = 0; i < LINK_TEST_RUNS; i++) {
		const struct link_test_run *run = &r->run[i];
		if (!run->used)
			continue;
		if (best == NULL || run->done > best->done || (run->done == best->done && run->datagrams > best->datagrams))
			best = run;
	}
	return best;
}

/* How long this run may be silent before it counts as over: an ended one for the rest of its markers, others for
 * what is still planned, or, if that is long, two whole steps. */
static uint64_t patience(const struct link_test_run *run)
{
	/* A slow sender takes up to twice as long. */
	uint64_t step = 2 * (uint64_t)run->plan.step_ms + LINK_TEST_PAUSE_MS, left = (run->plan.steps - run->newest) * step + 3000;
	uint64_t two = 2 * step + 5000 > 30000 ? 2 * step + 5000 : 30000;

	if (run->done)
		return NS_PER_S;
	return (left < two ? left : two) * NS_PER_MS;
}

int link_test_runs_over(const struct link_test_runs *r, uint64_t now_ns)
{
	const struct link_test_run *best = link_test_runs_main(r);
	int any = 0;

	for (unsigned i = 0; i < LINK_TEST_RUNS; i++) {
		const struct link_test_run *run = &r->run[i];
		/* A few stray or forged datagrams keep nobody waiting. */
		if (run != best && run->datagrams < LINK_TEST_RUN_WEAK)
			continue;
		if (run->used && now_ns < run->last_mono_ns + patience(run))
			return 0;
		any |= run->used;
	}
	return any;
}

/* --- outcome --- */
static double rate_of(const struct link_test_plan *p, uint64_t datagrams, uint64_t ns)
{
	return ns == 0 ? 0 : (double)datagrams * (p->len + LINK_TEST_EXTRA) * 8e9 / (double)ns;
}

static void outcome_heard(const struct link_test_run *run, const struct link_test_step *s, struct link_test_outcome *o)
{
	const struct link_test_track *t = &s->track;

	o->expected = t->high - t->first;
	o->received = t->received;
	o->lost_link = t->lost_link;
	o->lost_host = t->lost_host;
	o->again = t->again;
	o->late = t->late;
	o->late_most = t->late_most;
	o->stale = t->stale;
	o->drops = t->drops;
	o->bursts = t->bursts;
	o->burst_most = t->burst_most;
	o->burst_squares = t->burst_squares;
	o->burst_ms = (double)t->burst_most * t->spacing_ns / 1e6;
	o->sent_rate = s->last_age > s->first_age ? rate_of(&run->plan, s->last_seq - s->first_seq, s->last_age - s->first_age) : 0;
	o->received_rate = s->last_ns > s->first_ns ? rate_of(&run->plan, s->arrivals - 1, s->last_ns - s->first_ns) : 0;
	o->p50 = link_test_gaps_quantile(&s->gaps, 0.5);
	o->p99 = link_test_gaps_quantile(&s->gaps, 0.99);
	o->p999 = link_test_gaps_quantile(&s->gaps, 0.999);
	o->silence = s->gaps.most;
	o->state = o->received > 0 || o->expected == 0 ? LINK_TEST_HEARD : LINK_TEST_ALL_LOST;
}

void link_test_outcome(const struct link_test_run *run, unsigned step, struct link_test_outcome *o)
{
	const struct link_test_step *s = &run->step[step];

	memset(o, 0, sizeof(*o));
	o->rate = run->plan.rate[step];
	o->planned = link_test_planned(&run->plan, step);
	o->damaged = s->damaged;
	o->backwards = s->backwards;
	o->ended = s->ended;
	o->partly = s->deaf && s->begun;
	if (s->begun)
		outcome_heard(run, s, o);
	else
		o->state = s->deaf ? LINK_TEST_DEAF : LINK_TEST_NOT_SENT;
	o->reached = o->sent_rate >= 0.9 * (double)o->rate;
	o->cut = s->ended && s->begun && s->track.high < o->planned;
}
