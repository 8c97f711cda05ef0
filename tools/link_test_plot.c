/* link_test_plot.c - the result of a test as a picture: SVG that stands alone
 * (no script, no font, nothing fetched).
 *
 *   rate:   what arrived and what was sent, against what was offered
 *   loss:   by the link and by this host; a whisker to the 95 % limit
 *   bursts: how many of which length, by time and by datagrams
 *
 * Colours differ in lightness and marks in shape, so it reads in grey, too. */
#include <math.h>
#include <string.h>

#include "host/clock.h"
#include "host/i18n.h"
#include "tools/link_test_report.h"

#define LINK_COLOUR "#1f5fa8"
#define HOST_COLOUR "#e07a10"
#define INK "#222"
#define FAINT "#d8dce2"

enum {
	WIDTH = 960, LEFT = 92, RIGHT = 930,
	RATE_TOP = 150, RATE_BOTTOM = 390,
	LOSS_TOP = 470, LOSS_BOTTOM = 710,
	BURST_TOP = 838, BURST_BOTTOM = 1008,
	HEIGHT = 1072,
	NONE_LANE = 22, /* below the loss axis: no loss at all */
};

struct axis {
	double low, high; /* values */
	int log;
	double from, to;  /* pixels */
};

static double place(const struct axis *a, double v)
{
	double share;

	if (a->log)
		share = v <= a->low ? 0 : log(v / a->low) / log(a->high / a->low);
	else
		share = (v - a->low) / (a->high - a->low);
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return a->from + share * (a->to - a->from);
}

static void text(FILE *out, double x, double y, const char *anchor, const char *more, const char *s)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>\n", x, y, anchor, more, s);
}

static void line(FILE *out, double x1, double y1, double x2, double y2, const char *style)
{
	fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" %s/>\n", x1, y1, x2, y2, style);
}

static void rate_label(char *s, size_t n, double rate)
{
	if (rate < 1)
		(void)snprintf(s, n, "0");
	else if (rate >= 1e9)
		(void)snprintf(s, n, "%.4g G", rate / 1e9);
	else if (rate >= 1e6)
		(void)snprintf(s, n, "%.4g M", rate / 1e6);
	else
		(void)snprintf(s, n, "%.4g k", rate / 1e3);
}

static void share_label(char *s, size_t n, double share)
{
	(void)snprintf(s, n, "%g %%", 100 * share);
}

/* --- axes --- */
/* 1, 2 or 5 times a power of ten: some five to ten in the range. */
static double round_step(double range)
{
	double unit = pow(10, floor(log10(range / 5)));

	return range / unit > 25 ? 5 * unit : range / unit > 10 ? 2 * unit : unit;
}

/* The next tick after v (the first: v < low).  On a logarithm: 1, 2, 5, 10 over a few decades, else powers of ten. */
static double next_tick(const struct axis *a, double v, double step)
{
	static const double fine[] = { 1, 2, 5 };
	unsigned every = log10(a->high / a->low) > 3.2 ? 3 : 1;

	if (!a->log)
		return v < a->low ? ceil(a->low / step - 1e-9) * step : v + step;
	for (int e = (int)floor(log10(a->low));; e++)
		for (unsigned i = 0; i < 3; i += every) {
			double t = fine[i] * pow(10, e);
			if (t >= a->low * (1 - 1e-9) && t > v * (1 + 1e-9))
				return t;
		}
}

static void ticks(FILE *out, const struct axis *a, int upright, double other1, double other2,
    void (*label)(char *, size_t, double))
{
	double step = round_step(a->high - a->low);
	char s[32];

	for (double v = next_tick(a, a->low - 1, step); v <= a->high * (1 + 1e-9); v = next_tick(a, v, step)) {
		double at = place(a, v);
		if (upright)
			line(out, other1, at, other2, at, "stroke=\"" FAINT "\"");
		else
			line(out, at, other1, at, other2, "stroke=\"" FAINT "\"");
		label(s, sizeof(s), v);
		if (upright)
			text(out, other1 - 8, at + 4, "end", "", s);
		else
			text(out, at, other1 + 18, "middle", "", s);
	}
}

static void frame(FILE *out, double left, double top, double right, double bottom, const char *title)
{
	fprintf(out, "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"" INK "\"/>\n", left, top, bottom, right);
	text(out, left, top - 14, "start", "font-weight=\"bold\" font-size=\"15\"", title);
}

/* Offered rates from left to right: by the logarithm where they span more than a factor of 30. */
static struct axis rate_axis(const struct link_test_report *r, double from, double to)
{
	const struct link_test_plan *p = &r->run->plan;
	double low = (double)p->rate[0], high = (double)p->rate[p->steps - 1];
	int is_log = high / low > 30;

	return (struct axis){ .low = is_log ? low * 0.7 : 0, .high = high * (is_log ? 1.2 : 1.06), .log = is_log, .from = from, .to = to };
}

/* The proposed rate, through a panel. */
static void proposed_line(FILE *out, const struct link_test_report *r, const struct axis *x, double top, double bottom, int named)
{
	double at;

	if (!r->advice.good)
		return;
	at = place(x, (double)r->advice.rate);
	line(out, at, top, at, bottom, "stroke=\"#2e8b57\" stroke-width=\"6\" stroke-opacity=\"0.28\"");
	if (named)
		text(out, at < LEFT + 130 ? at + 7 : at - 7, at < LEFT + 130 ? top + 16 : bottom - 8, at < LEFT + 130 ? "start" : "end",
		    "fill=\"#1d6b41\"", _("proposed rate"));
}

static void dot(FILE *out, double x, double y, const char *colour, int open)
{
	fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.6\"/>\n", x, y, open ? "6.5" : "4",
	    open ? "none" : colour, colour);
}

static void triangle(FILE *out, double x, double y, const char *colour)
{
	fprintf(out, "<path d=\"M%.1f %.1fl5.5 9.5h-11z\" fill=\"%s\"/>\n", x, y - 6, colour);
}

static int heard(const struct link_test_outcome *o)
{
	return o->state == LINK_TEST_HEARD || o->state == LINK_TEST_ALL_LOST;
}

/* --- panels --- */
static void panel_rate(FILE *out, const struct link_test_report *r)
{
	struct axis x = rate_axis(r, LEFT, RIGHT), y = rate_axis(r, RATE_BOTTOM, RATE_TOP);
	double before_x = 0, before_y = 0;

	ticks(out, &y, 1, LEFT, RIGHT, rate_label);
	ticks(out, &x, 0, RATE_BOTTOM, RATE_TOP, rate_label);
	proposed_line(out, r, &x, RATE_TOP, RATE_BOTTOM, 1);
	line(out, place(&x, x.low), place(&y, y.low), place(&x, x.high), place(&y, y.high), "stroke=\"#888\" stroke-dasharray=\"5 4\"");
	for (unsigned i = 0; i < r->run->plan.steps; i++) {
		const struct link_test_outcome *o = &r->step[i];
		double at = place(&x, (double)o->rate), got = place(&y, o->received_rate);
		if (!heard(o))
			continue;
		if (before_x > 0)
			line(out, before_x, before_y, at, got, "stroke=\"" LINK_COLOUR "\" stroke-width=\"1.5\"");
		before_x = at;
		before_y = got;
		if (o->sent_rate > 0)
			dot(out, at, place(&y, o->sent_rate), "#666", 1);
		dot(out, at, got, LINK_COLOUR, 0);
	}
	frame(out, LEFT, RATE_TOP, RIGHT, RATE_BOTTOM, _("Rate that arrived"));
	text(out, (LEFT + RIGHT) / 2.0, RATE_BOTTOM + 38, "middle", "", _("offered rate, bit/s on the wire"));
	dot(out, LEFT + 300, RATE_TOP - 19, LINK_COLOUR, 0);
	text(out, LEFT + 312, RATE_TOP - 14, "start", "", _("arrived"));
	dot(out, LEFT + 392, RATE_TOP - 19, "#666", 1);
	text(out, LEFT + 404, RATE_TOP - 14, "start", "", _("sent, as seen by the sender's clock"));
	line(out, LEFT + 665, RATE_TOP - 19, LEFT + 695, RATE_TOP - 19, "stroke=\"#888\" stroke-dasharray=\"5 4\"");
	text(out, LEFT + 703, RATE_TOP - 14, "start", "", _("as offered"));
}

/* The limit at 95 % of the link's loss in one step. */
static double upper(const struct link_test_outcome *o)
{
	double mean = o->bursts > 0 ? (double)o->lost_link / (double)o->bursts : 1;
	double u = link_test_upper(o->bursts) * mean / (double)o->expected;

	return u > 1 ? 1 : u;
}

static double lowest_share(const struct link_test_report *r)
{
	double low = 1e-2;

	for (unsigned i = 0; i < r->run->plan.steps; i++) {
		const struct link_test_outcome *o = &r->step[i];
		double v[3];
		if (!heard(o) || o->expected == 0)
			continue;
		v[0] = o->lost_link > 0 ? (double)o->lost_link / (double)o->expected : 1;
		v[1] = o->lost_host > 0 ? (double)o->lost_host / (double)o->expected : 1;
		v[2] = upper(o);
		for (unsigned j = 0; j < 3; j++)
			low = v[j] < low ? v[j] : low;
	}
	return pow(10, floor(log10(low)));
}

static void loss_of_step(FILE *out, const struct link_test_outcome *o, const struct axis *x, const struct axis *y)
{
	double at = place(x, (double)o->rate), n = (double)o->expected, top = place(y, upper(o));
	double link = o->lost_link > 0 ? place(y, (double)o->lost_link / n) : LOSS_BOTTOM + NONE_LANE;

	line(out, at, link, at, top, o->lost_link > 0 ? "stroke=\"" LINK_COLOUR "\" stroke-width=\"1.6\"" :
	    "stroke=\"" LINK_COLOUR "\" stroke-width=\"1\" stroke-dasharray=\"2 3\"");
	line(out, at - 6, top, at + 6, top, "stroke=\"" LINK_COLOUR "\" stroke-width=\"1.6\"");
	dot(out, at, link, LINK_COLOUR, 0);
	if (o->lost_host > 0)
		triangle(out, at, place(y, (double)o->lost_host / n), HOST_COLOUR);
}

static void panel_loss(FILE *out, const struct link_test_report *r)
{
	struct axis x = rate_axis(r, LEFT, RIGHT);
	struct axis y = { .low = lowest_share(r), .high = 1, .log = 1, .from = LOSS_BOTTOM, .to = LOSS_TOP };

	fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#f1f5f1\"/>\n", LEFT, LOSS_BOTTOM + NONE_LANE / 2, RIGHT - LEFT, NONE_LANE);
	ticks(out, &y, 1, LEFT, RIGHT, share_label);
	ticks(out, &x, 0, LOSS_BOTTOM + NONE_LANE + 12, LOSS_TOP, rate_label);
	text(out, LEFT - 8, LOSS_BOTTOM + NONE_LANE + 4, "end", "", _("none"));
	proposed_line(out, r, &x, LOSS_TOP, LOSS_BOTTOM + NONE_LANE + 11, 0);
	for (unsigned i = 0; i < r->run->plan.steps; i++)
		if (heard(&r->step[i]) && r->step[i].expected > 0)
			loss_of_step(out, &r->step[i], &x, &y);
	frame(out, LEFT, LOSS_TOP, RIGHT, LOSS_BOTTOM + NONE_LANE + 11, _("Loss"));
	text(out, (LEFT + RIGHT) / 2.0, LOSS_BOTTOM + NONE_LANE + 49, "middle", "", _("offered rate, bit/s on the wire"));
	dot(out, LEFT + 120, LOSS_TOP - 19, LINK_COLOUR, 0);
	text(out, LEFT + 132, LOSS_TOP - 14, "start", "", _("by the link; the bar is the limit, at a confidence of 95 %"));
	triangle(out, LEFT + 530, LOSS_TOP - 19, HOST_COLOUR);
	text(out, LEFT + 542, LOSS_TOP - 14, "start", "", _("by the receiving host"));
}

static void time_label(char *s, size_t n, unsigned bin)
{
	double us = ldexp(1, (int)bin);

	if (us < 1000)
		(void)snprintf(s, n, "%.0f us", bin == 0 ? 0 : us);
	else if (us < 1e6)
		(void)snprintf(s, n, "%.3g ms", us / 1024); /* by 1024, so that doublings stay round: a label, not a figure */
	else
		(void)snprintf(s, n, "%.3g s", us / 1048576);
}

static void count_label(char *s, size_t n, unsigned bin)
{
	(void)snprintf(s, n, "%.4g", ldexp(1, (int)bin));
}

/* Bars of bins first .. last; heights by the logarithm, the numbers above them. */
static void bars(FILE *out, const uint64_t *bin, unsigned bins, double left, double right, void (*label)(char *, size_t, unsigned))
{
	unsigned first = bins, last = 0, every;
	uint64_t most = 1;
	char s[32];

	for (unsigned i = 0; i < bins; i++)
		if (bin[i] > 0) {
			first = first < i ? first : i;
			last = i;
			most = bin[i] > most ? bin[i] : most;
		}
	if (first == bins) {
		text(out, (left + right) / 2, (BURST_TOP + BURST_BOTTOM) / 2.0, "middle", "fill=\"#555\"", _("the link lost nothing"));
		return;
	}
	double wide = (right - left) / (last - first + 2);

	if (wide > 46)
		wide = 46;
	every = wide < 40 ? (unsigned)ceil(40 / wide) : 1;
	for (unsigned i = first; i <= last; i++) {
		double x = left + wide * (i - first + 0.5);
		if (bin[i] > 0) {
			double tall = (BURST_BOTTOM - BURST_TOP - 16) * (log10((double)bin[i]) + 0.4) / (log10((double)most) + 0.4);
			fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"" LINK_COLOUR "\"/>\n", x + 1, BURST_BOTTOM - tall, wide - 2, tall);
			(void)snprintf(s, sizeof(s), "%llu", (unsigned long long)bin[i]);
			text(out, x + wide / 2, BURST_BOTTOM - tall - 4, "middle", "font-size=\"11\"", s);
		}
		label(s, sizeof(s), i);
		if ((i - first) % every == 0)
			text(out, x, BURST_BOTTOM + 17, "middle", "font-size=\"11\"", s);
	}
}

static void panel_bursts(FILE *out, const struct link_test_report *r)
{
	uint64_t by_time[LINK_TEST_TIMES] = { 0 }, by_count[LINK_TEST_BURSTS] = { 0 };
	const double middle = (LEFT + RIGHT) / 2.0;

	for (unsigned i = 0; i < r->run->plan.steps; i++) {
		const struct link_test_track *t = &r->run->step[i].track;
		if (!heard(&r->step[i]))
			continue;
		for (unsigned j = 0; j < LINK_TEST_TIMES; j++)
			by_time[j] += t->burst_by_time[j];
		for (unsigned j = 0; j < LINK_TEST_BURSTS; j++)
			by_count[j] += t->burst_by_count[j];
	}
	bars(out, by_time, LINK_TEST_TIMES, LEFT, middle - 30, time_label);
	bars(out, by_count, LINK_TEST_BURSTS, middle + 30, RIGHT, count_label);
	frame(out, LEFT, BURST_TOP, middle - 30, BURST_BOTTOM, _("Bursts of loss by the link, by time"));
	frame(out, middle + 30, BURST_TOP, RIGHT, BURST_BOTTOM, _("by datagrams"));
	text(out, LEFT, BURST_BOTTOM + 36, "start", "", _("from the time below on, at the offered rate"));
	text(out, middle + 30, BURST_BOTTOM + 36, "start", "", _("from the number below on; heights by the logarithm"));
}

static void head(FILE *out, const struct link_test_report *r)
{
	const struct link_test_advice *a = &r->advice;
	char when[21], rate[32], s[256];

	clock_iso(when, r->begin_ms / 1000);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
	    "font-family=\"DejaVu Sans, Verdana, Noto Sans CJK JP, IPAexGothic, Yu Gothic, sans-serif\" font-size=\"13\" fill=\"" INK "\">\n<title>katamichi link-test</title>\n"
	    "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	text(out, 24, 36, "start", "font-size=\"20\" font-weight=\"bold\"", "katamichi link-test");
	(void)snprintf(s, sizeof(s), _("%s, received on %s"), when, r->listen);
	text(out, WIDTH - 24.0, 36, "end", "fill=\"#555\"", s);
	if (r->run == NULL)
		return;
	(void)snprintf(s, sizeof(s), _("run %016llx: datagrams of %u bytes, %u steps of %g s"), (unsigned long long)r->run->plan.run,
	    r->run->plan.len, r->run->plan.steps, r->run->plan.step_ms / 1000.0);
	text(out, 24, 62, "start", "fill=\"#555\"", s);
	if (!a->good) {
		text(out, 24, 88, "start", "font-weight=\"bold\"", _("Nothing can be proposed: the first step was not good."));
		return;
	}
	rate_label(rate, sizeof(rate), (double)a->rate);
	(void)snprintf(s, sizeof(s), _("proposed:  rate %sbit/s,  loss %.4g %%,  burst %llu ms,  buffer %llu MiB"), rate, 100 * a->loss,
	    (unsigned long long)(a->burst_ns / 1000000), (unsigned long long)(a->buffer >> 20));
	text(out, 24, 88, "start", "font-weight=\"bold\"", s);
}

void link_test_plot(const struct link_test_report *r, FILE *out)
{
	head(out, r);
	if (r->run != NULL) {
		panel_rate(out, r);
		panel_loss(out, r);
		panel_bursts(out, r);
	} else {
		text(out, WIDTH / 2.0, 200, "middle", "font-size=\"15\"", _("No datagram of a test arrived."));
	}
	fputs("</svg>\n", out);
}
