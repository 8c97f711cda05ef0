/* link_test_report.c - see link_test_report.h */
#include "tools/link_test_report.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/durable.h"
#include "host/i18n.h"
#include "host/log.h"
#include "tools/wide.h"

typedef unsigned long long ull;

void link_test_report_make(struct link_test_report *r)
{
	r->run = link_test_runs_main(r->runs);
	memset(&r->advice, 0, sizeof(r->advice));
	if (r->run == NULL)
		return;
	for (unsigned i = 0; i < r->run->plan.steps; i++)
		link_test_outcome(r->run, i, &r->step[i]);
	link_test_advise(r->run, &r->advice);
}

/* --- text --- */
static void print_ns(FILE *out, uint64_t ns)
{
	if (ns < 1000000)
		fprintf(out, " %6.3gus", (double)ns / 1e3);
	else if (ns < 1000000000)
		fprintf(out, " %6.3gms", (double)ns / 1e6);
	else
		fprintf(out, " %6.3gs ", (double)ns / 1e9);
}

static void text_step(FILE *out, const struct link_test_outcome *o)
{
	fprintf(out, "%9.5g ", (double)o->rate / 1e6);
	if (o->state == LINK_TEST_DEAF || o->state == LINK_TEST_NOT_SENT) {
		fprintf(out, "   %s\n", o->state == LINK_TEST_DEAF ? _("(over before this began to listen)") :
		    _("(not seen: the sender was stopped before, or nothing of it arrived)"));
		return;
	}
	fprintf(out, "%9.5g %9.5g %11llu %9llu %8.3g%% %9llu %8llu %6llu %6llu %7llu %8.4g", o->sent_rate / 1e6, o->received_rate / 1e6,
	    (ull)o->expected, (ull)o->lost_link, o->expected > 0 ? 100 * (double)o->lost_link / (double)o->expected : 0,
	    (ull)o->lost_host, (ull)o->damaged, (ull)o->again, (ull)o->late, (ull)o->burst_most, o->burst_ms);
	print_ns(out, o->p50);
	print_ns(out, o->p99);
	print_ns(out, o->p999);
	print_ns(out, o->silence);
	fprintf(out, "%s%s%s%s\n", o->state == LINK_TEST_ALL_LOST ? _("  all lost") : "", o->partly ? _("  begun before this listened") : "",
	    o->ended ? "" : _("  end not seen"), o->cut ? _("  ended early") : "");
}

/* As in a configuration file: "800M". */
static void print_rate(FILE *out, uint64_t rate)
{
	static const struct { uint64_t unit; const char *name; } units[] = { { 1000000000, "G" }, { 1000000, "M" }, { 1000, "k" }, { 1, "" } };
	size_t i = 0;

	while (rate % units[i].unit != 0)
		i++;
	fprintf(out, "%llu%s", (ull)(rate / units[i].unit), units[i].name);
}

static const char *limit_text(enum link_test_limit l)
{
	switch (l) {
	case LINK_TEST_LIMIT_HOST:
		return "this host lost datagrams: its socket buffer was full (a larger --buffer, a faster or idler host)";
	case LINK_TEST_LIMIT_LINK:
		return "the link lost clearly more than at lower rates";
	case LINK_TEST_LIMIT_SENDER:
		return "the sending host did not keep the rate";
	case LINK_TEST_LIMIT_END:
		return "the step was not seen to its end";
	default:
		return "nothing was wrong";
	}
}

/* The ring holds what comes while no interrupt is served; where there is none that can be set, there is nothing to propose. */
static void text_ring(const struct link_test_report *r, FILE *out)
{
	uint32_t want = r->host.ring_max == 0 || !r->advice.good ? 0 : link_test_ring(&r->advice, r->run->plan.len);

	if (want == 0)
		return;
	fprintf(out, _("  ring    %u frames hold 2 ms at that rate; interface %s has %u, of %u at most"), want, r->host.dev, r->host.ring,
	    r->host.ring_max);
	if (want <= r->host.ring)
		fprintf(out, _(": enough.\n"));
	else
		fprintf(out, ":\n          ethtool -G %s rx %u\n", r->host.dev, want < r->host.ring_max ? want : r->host.ring_max);
}

static void text_advice(const struct link_test_report *r, FILE *out)
{
	const struct link_test_advice *a = &r->advice;
	double at = (double)r->run->plan.rate[a->limit_step] / 1e6;

	if (!a->good) {
		fprintf(out, _("\nNothing can be proposed: at %g Mbit/s, the first step, %s.\n"), at, _(limit_text(a->limit)));
		return;
	}
	fprintf(out, _("\nProposed for sender.conf\n  rate = "));
	print_rate(out, a->rate);
	fprintf(out, _("\n  loss = %.4g%%\n  burst = %llums\nProposed for receiver.conf\n  buffer = %lluM\n\nWhy\n"), 100 * a->loss,
	    (ull)(a->burst_ns / 1000000), (ull)(a->buffer >> 20));
	fprintf(out, _("  rate    all steps up to %g Mbit/s were good; %.4g Mbit/s is the most that was really sent in them.\n"),
	    (double)r->step[a->good_step].rate / 1e6, (double)a->rate / 1e6);
	if (a->limit == LINK_TEST_NO_LIMIT)
		fprintf(out, _("          No limit was found: test higher rates to find one.\n"));
	else
		fprintf(out, _("          Not more, because at %g Mbit/s %s.\n"), at, _(limit_text(a->limit)));
	fprintf(out, _("  loss    %llu of %llu datagrams (%.3g %%) in %llu bursts; with 95 %% confidence not above %.3g %%%s.\n"), (ull)a->lost,
	    (ull)a->datagrams, 100 * a->measured, (ull)a->bursts, 100 * a->upper, a->lost == 0 ? _(" (none seen: 3 / datagrams)") : "");
	if (a->upper < 1e-4)
		fprintf(out, _("          0.01 %% is proposed at least.\n"));
	fprintf(out, _("  burst   the longest took %.4g ms; twice that, at least %d ms.\n"), a->burst_ms, LINK_TEST_BURST_FLOOR_MS);
	fprintf(out, _("  buffer  holds %d ms at that rate, %llu bytes of kernel memory a datagram; up to a power of two.\n"), LINK_TEST_STALL_MS,
	    (ull)link_test_truesize(r->run->plan.len));
	text_ring(r, out);
}

static void text_notes(const struct link_test_report *r, FILE *out)
{
	const struct link_test_runs *s = r->runs;

	fprintf(out, _("\nThis host: socket buffer %.4g MiB (asked for %.4g), longest pause of this program %.3g ms, kernel dropped %llu.\n"),
	    (double)r->buffer / 1048576, (double)r->buffer_asked / 1048576, (double)r->pause_ns / 1e6, (ull)s->drops);
	if (r->host.dev[0] != '\0')
		fprintf(out, _("Interface %s: %llu frames with errors, %llu without room, %llu beyond its own memory.\n"), r->host.dev,
		    (ull)r->host.errors, (ull)r->host.dropped, (ull)r->host.fifo);
	if (r->host.dropped + r->host.fifo > 0)
		fprintf(out, _("  These count as lost by the link above, but this host lost them: enlarge the ring (ethtool -G %s rx N).\n"), r->host.dev);
	if (r->host.checksums > 0)
		fprintf(out, _("%llu datagrams had a wrong UDP checksum and were dropped by the kernel; they count as lost by this host\n"
		    "  above, but the link damaged them.\n"), (ull)r->host.checksums);
	if (s->foreign + s->unreadable + s->contradicting + s->crowded > 0)
		fprintf(out, _("Not counted above: %llu with a damaged head, %llu of something else, %llu that contradict their run,\n"
		    "  %llu of further runs.\n"), (ull)s->unreadable, (ull)s->foreign, (ull)s->contradicting, (ull)s->crowded);
	for (unsigned i = 0; i < LINK_TEST_RUNS; i++)
		if (s->run[i].used && &s->run[i] != r->run)
			fprintf(out, _("Another run was heard and is not in the table: %016llx, %llu datagrams%s.\n"), (ull)s->run[i].plan.run,
			    (ull)s->run[i].datagrams, s->run[i].done ? "" : _(", not to its end"));
}

/* Two lines of heads, over the columns of text_step(). */
static void text_head(FILE *out)
{
	static const struct { const char *text; unsigned columns; } over[] = { { N_("------------ Mbit/s ---------"), 42 },
		{ N_("------ lost by ------"), 48 }, { N_("-- longest burst"), 18 }, { N_("-- between arrivals -------------"), 0 } };
	static const struct { const char *text; unsigned columns; } head[] = { { N_("offered"), 9 }, { N_("sent"), 9 }, { N_("arrived"), 9 },
		{ N_("datagrams"), 11 }, { N_("by link"), 9 }, { "", 9 }, { N_("by host"), 9 }, { N_("damaged"), 8 }, { N_("twice"), 6 },
		{ N_("late"), 6 }, { N_("in a row"), 8 }, { "ms", 7 }, { "p50", 8 }, { "p99", 8 }, { "p99.9", 8 }, { N_("longest"), 9 } };

	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		wide_pad(out, _(over[i].text), over[i].columns, 0);
	fputc('\n', out);
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		wide_pad(out, head[i].text[0] != '\0' ? _(head[i].text) : "", head[i].columns, 1);
		fputc(i + 1 < sizeof(head) / sizeof(head[0]) ? ' ' : '\n', out);
	}
}

void link_test_report_text(const struct link_test_report *r, FILE *out)
{
	char when[21];

	clock_iso(when, r->begin_ms / 1000);
	fprintf(out, _("katamichi link-test, %s, from %s for %.1f s\n"), r->listen, when, (double)r->listened_ns / 1e9);
	if (r->run == NULL) {
		fprintf(out, _("\nNo datagram of a test arrived.  Is the sender's --to this address, the cable in, the filter open for the port?\n"));
		text_notes(r, out);
		return;
	}
	clock_iso(when, r->run->plan.begin_ms / 1000);
	fprintf(out, _("run %016llx, begun %s by the sender's clock, datagrams of %u bytes, %u steps of %g s%s\n\n"), (ull)r->run->plan.run, when,
	    r->run->plan.len, r->run->plan.steps, r->run->plan.step_ms / 1000.0, r->run->done ? "" : _("; its end was not seen"));
	text_head(out);
	for (unsigned i = 0; i < r->run->plan.steps; i++)
		text_step(out, &r->step[i]);
	fprintf(out, _("Damaged ones are among those lost by the link.\n"));
	text_advice(r, out);
	text_notes(r, out);
}

/* --- JSON --- */
static json_t *json_bins(const uint64_t *bin, unsigned n)
{
	json_t *a = json_array();

	while (n > 0 && bin[n - 1] == 0)
		n--;
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(a, json_integer((json_int_t)bin[i]));
	return a;
}

static json_t *json_step(const struct link_test_outcome *o, const struct link_test_step *s)
{
	static const char *const state[] = { "heard", "all-lost", "before-listening", "not-seen" };
	json_t *j = json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rate", (json_int_t)o->rate, "state",
	    state[o->state], "begun_before_listening", o->partly, "end_seen", o->ended, "rate_kept", o->reached, "ended_early", o->cut,
	    "planned", (json_int_t)o->planned, "expected", (json_int_t)o->expected, "received", (json_int_t)o->received, "lost_link",
	    (json_int_t)o->lost_link, "lost_host", (json_int_t)o->lost_host, "damaged", (json_int_t)o->damaged, "duplicated",
	    (json_int_t)o->again);

	json_t *more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:o, s:o}", "late",
	    (json_int_t)o->late, "late_most", (json_int_t)o->late_most, "too_late", (json_int_t)o->stale, "kernel_drops", (json_int_t)o->drops, "end_marks", (json_int_t)s->marks,
	    "clock_backwards", (json_int_t)o->backwards, "sent_rate", o->sent_rate, "received_rate", o->received_rate, "bursts",
	    (json_int_t)o->bursts, "burst_most", (json_int_t)o->burst_most, "burst_most_ms", o->burst_ms, "interval_p50_ns",
	    (json_int_t)o->p50, "interval_p99_ns", (json_int_t)o->p99, "interval_p999_ns", (json_int_t)o->p999, "silence_ns",
	    (json_int_t)o->silence, "bursts_by_log2_datagrams", json_bins(s->track.burst_by_count, s->begun ? LINK_TEST_BURSTS : 0),
	    "bursts_by_log2_us", json_bins(s->track.burst_by_time, s->begun ? LINK_TEST_TIMES : 0));

	json_object_update(j, more);
	json_decref(more);
	return j;
}

static json_t *json_advice(const struct link_test_report *r)
{
	static const char *const limit[] = { "none", "host", "link", "sender", "end-not-seen" };
	const struct link_test_advice *a = &r->advice;

	if (!a->good)
		return json_null();
	return json_pack("{s:I, s:f, s:I, s:I, s:s, s:I, s:I, s:I, s:f, s:f, s:f}", "rate", (json_int_t)a->rate, "loss", a->loss, "burst_ns",
	    (json_int_t)a->burst_ns, "buffer", (json_int_t)a->buffer, "limited_by", limit[a->limit], "datagrams", (json_int_t)a->datagrams,
	    "lost", (json_int_t)a->lost, "bursts", (json_int_t)a->bursts, "loss_measured", a->measured, "loss_upper_95", a->upper,
	    "burst_longest_ms", a->burst_ms);
}

static json_t *json_run(const struct link_test_report *r)
{
	const struct link_test_plan *p = &r->run->plan;
	json_t *steps = json_array();
	char id[17], when[21];

	for (unsigned i = 0; i < p->steps; i++)
		json_array_append_new(steps, json_step(&r->step[i], &r->run->step[i]));
	(void)snprintf(id, sizeof(id), "%016llx", (ull)p->run);
	clock_iso(when, p->begin_ms / 1000);
	return json_pack("{s:s, s:s, s:I, s:I, s:b, s:I, s:o}", "id", id, "begun", when, "datagram_bytes", (json_int_t)p->len, "step_ms",
	    (json_int_t)p->step_ms, "end_seen", r->run->done, "datagrams", (json_int_t)r->run->datagrams, "steps", steps);
}

json_t *link_test_report_facts(const struct link_test_report *r)
{
	const struct link_test_runs *s = r->runs;
	const struct link_test_host *h = &r->host;
	char when[21];
	unsigned others = 0;

	for (unsigned i = 0; i < LINK_TEST_RUNS; i++)
		others += s->run[i].used && &s->run[i] != r->run;
	clock_iso(when, r->begin_ms / 1000);
	json_t *j = json_pack("{s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:o, s:o}", "@format", "katamichi-link-test-1", "listen", r->listen, "from",
	    when, "seconds", (double)r->listened_ns / 1e9, "buffer_asked", (json_int_t)r->buffer_asked, "buffer", (json_int_t)r->buffer,
	    "longest_pause_ns", (json_int_t)r->pause_ns, "kernel_drops", (json_int_t)s->drops, "run", r->run != NULL ? json_run(r) : json_null(),
	    "proposal", r->run != NULL ? json_advice(r) : json_null());
	json_t *more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "unreadable", (json_int_t)s->unreadable, "foreign",
	    (json_int_t)s->foreign, "contradicting", (json_int_t)s->contradicting, "crowded", (json_int_t)s->crowded, "other_runs",
	    (json_int_t)others, "host", "interface", h->dev, "ring", (json_int_t)h->ring, "ring_max", (json_int_t)h->ring_max, "errors", (json_int_t)h->errors, "dropped", (json_int_t)h->dropped, "fifo",
	    (json_int_t)h->fifo, "udp_checksum", (json_int_t)h->checksums, "udp_no_room", (json_int_t)h->no_room);

	json_object_update(j, more);
	json_decref(more);
	return j;
}

/* --- to the disk --- */
static const char *const names[] = { "report.json", "report.txt", "plot.svg" };

static int make_directory(const char *path)
{
	char *copy = strdup(path), *slash;
	int parent, r;

	if (copy == NULL)
		return -1;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	parent = durable_open_dir(slash == NULL ? "." : slash == copy ? "/" : copy);
	r = parent < 0 ? -1 : durable_mkdir(parent, slash == NULL ? copy : slash + 1, 0755);
	int kept = errno;
	if (parent >= 0)
		(void)close(parent);
	free(copy);
	errno = kept;
	return r;
}

int link_test_report_open(const char *path)
{
	int dir = durable_open_dir(path);
	struct stat st;

	if (dir < 0 && errno == ENOENT && make_directory(path) == 0)
		dir = durable_open_dir(path);
	if (dir < 0) {
		log_error("link-test: --out %s: %s", path, strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			log_error("link-test: --out %s has a %s already, which is not replaced; name another directory", path, names[i]);
			(void)close(dir);
			return -1;
		}
	if (faccessat(dir, ".", W_OK | X_OK, 0) != 0) {
		log_error("link-test: --out %s: %s", path, strerror(errno));
		(void)close(dir);
		return -1;
	}
	return dir;
}

static int save_one(int dir, const char *path, const char *name, const char *data, size_t n)
{
	char part[32];

	(void)snprintf(part, sizeof(part), "%s.part", name);
	if (data != NULL && durable_write(dir, part, data, n, 0644) == 0 && durable_rename(-1, dir, part, dir, name) == 0)
		return 0;
	log_error("link-test: %s/%s could not be saved: %s", path, name, strerror(data != NULL ? errno : ENOMEM));
	(void)unlinkat(dir, part, 0);
	return -1;
}

static int save_stream(const struct link_test_report *r, int dir, const char *path, const char *name,
    void (*print)(const struct link_test_report *, FILE *))
{
	char *data = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&data, &n);
	int code = -1;

	if (f != NULL) {
		print(r, f);
		if (fclose(f) == 0)
			code = save_one(dir, path, name, data, n);
		else
			log_error("link-test: there is not enough memory for %s", name);
	}
	free(data);
	return code;
}

int link_test_report_save(const struct link_test_report *r, int dirfd, const char *path)
{
	json_t *facts = link_test_report_facts(r);
	char *json = json_dumps(facts, JSON_INDENT(1));
	int code = save_one(dirfd, path, names[0], json, json != NULL ? strlen(json) : 0);

	free(json);
	json_decref(facts);
	code |= save_stream(r, dirfd, path, names[1], link_test_report_text);
	code |= save_stream(r, dirfd, path, names[2], link_test_plot);
	return code;
}
