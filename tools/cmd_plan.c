/* cmd_plan.c - katamichi plan: what a guarantee costs, with a picture of what
 * the plan survives. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "core/plan.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/units.h"
#include "sender/layout.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/wide.h"

#define LABEL 12 /* columns */

/* How wide the pictures are, in columns: what is said beside them has to find room, too. */
static int picture(void)
{
	unsigned columns = out_columns();

	return columns == 0 || columns >= 110 ? 60 : 36;
}

static int set_mtu(struct plan_in *in, const char *text)
{
	uint64_t mtu;

	if (units_size(text, &mtu) != 0 || mtu < SENDER_MTU_MIN || mtu > SENDER_MTU_MAX)
		return -1;
	in->symbol = sender_datagram_len(mtu) - FRAME_SYMBOL_OVERHEAD;
	in->wire = in->symbol + FRAME_SYMBOL_OVERHEAD + SENDER_WIRE_OVERHEAD;
	return 0;
}

static double percent_of_round(const struct plan *p, double symbols)
{
	double all = (double)p->symbols * (1 + p->overhead);

	return 100 * symbols / all;
}

static double seconds(const struct plan_in *in, double datagrams)
{
	return datagrams * in->wire * 8 / (double)in->rate;
}

static const char *time_text(char out[static 32], double s)
{
	if (s >= 3600)
		snprintf(out, 32, "%.1f h", s / 3600);
	else if (s >= 1)
		snprintf(out, 32, "%.1f s", s);
	else
		snprintf(out, 32, "%.3g ms", s * 1000);
	return out;
}

/* The name of a line, filled up to where its text begins. */
static void label(const char *text)
{
	wide_pad(stdout, text, LABEL, 0);
}

static void bar(char c, double share)
{
	for (int n = (int)(share * picture() + 0.5); n > 0; n--)
		putchar(c);
}

/* One block of a group as it travels, source and repair, and what it may lose. */
static void picture_of_block(const struct plan_in *in, const struct plan *p)
{
	const struct plan_block *b = &p->full;
	double n = (double)b->k + b->r, random = n * in->loss;

	putchar('\n');
	label(_("  a block"));
	putchar('|');
	bar('#', b->k / n);
	bar('+', b->r / n);
	printf(_("|  %u source #, %u repair +\n"), b->k, b->r);
	label(_("  survives"));
	putchar('|');
	bar('x', b->r / n);
	printf("%*s", picture() - (int)(b->r / n * picture() + 0.5), "");
	printf(_("|  any %u lost\n"), b->r);
	label(_("  of these"));
	if (p->spacing_ns > 0)
		printf(_("one of two halves in a burst, and in the other %.0f expected at %g %%\n"), random, 100 * in->loss);
	else if (b->share > 0)
		printf(_("%u in a burst, and besides %.0f expected at %g %%\n"), b->share, random, 100 * in->loss);
	else
		printf(_("all by single losses: %.0f expected at %g %%\n"), random, 100 * in->loss);
}

/* Rows are blocks of a group, columns are time; a burst cuts through them. */
static void picture_of_time(const struct plan *p)
{
	if (p->burst_symbols == 0)
		return;
	if (p->spacing_ns > 0) {
		char pause[32];
		putchar('\n');
		label(_("  in time"));
		putchar('|');
		bar('#', 0.2);
		bar('+', 0.05);
		printf("%*s", picture() * 27 / 60, "");
		bar('+', 0.3);
		printf("|\n%*s", LABEL, "");
		printf(_("source, then a pause of %s, then as much repair again:\n            a burst hits the one or the other\n"),
		    time_text(pause, (double)p->spacing_ns * 1e-9));
		return;
	}
	double group = p->depth * ((double)p->full.k + p->full.r);
	double share = (double)p->burst_symbols / group;
	char name[64];
	int burst = (int)(share * picture() + 0.5), at = picture() / 3;

	if (burst < 1)
		burst = 1;
	if (at + burst > picture())
		at = picture() - burst;
	printf("\n");
	for (uint32_t i = 0; i < p->depth && i < 4; i++) {
		snprintf(name, sizeof(name), _("  block %u"), i);
		label(name);
		putchar('|');
		for (int c = 0; c < picture(); c++)
			putchar(c >= at && c < at + burst ? 'x' :
			    c * (double)(p->full.k + p->full.r) / picture() < p->full.k ? '#' : '+');
		printf("|\n");
	}
	if (p->depth > 4)
		printf(_("  ... and %u more blocks sent in turns with these\n"), p->depth - 4);
	printf(_("            x: the longest burst, %" PRIu64 " datagrams, at most %u of a block\n"), p->burst_symbols, p->full.share);
}

static void show(const struct plan_in *in, const struct plan *p)
{
	char line[400];
	const struct plan_block *b = &p->full;
	double datagrams = (double)p->symbols * (1 + p->overhead);
	char round[32];

	if (in->size == 0)
		printf(_("a stream, planned for up to %.1f TB in %" PRIu64 " symbols of %u bytes, in blocks: %" PRIu64 "\n"), (double)PLAN_SIZE_MAX / 1e12,
		    p->symbols, in->symbol, p->blocks);
	else
		printf(_("%" PRIu64 " bytes in %" PRIu64 " symbols of %u bytes, in blocks: %" PRIu64 "\n"), in->size, p->symbols, in->symbol, p->blocks);
	label(_("each block"));
	snprintf(line, sizeof(line), _("%u source + %u repair symbols a round, of a parity space of %u (%u rounds of new ones)"), b->k, b->r,
	    1u << b->log2m, (1u << b->log2m) / b->r);
	out_wrapped(line, LABEL, LABEL);
	putchar('\n');
	label(_("redundancy"));
	printf(_("%.2f %% (the least for this loss alone: %.2f %%)\n"), 100 * p->overhead, 100 * in->loss / (1 - in->loss));
	label(_("interleaved"));
	printf(_("%u blocks deep\n"), p->depth);
	if (in->size != 0) {
		label(_("a round"));
		printf(_("%s at %g Mbit/s, %.1f %% of it repair\n"), time_text(round, seconds(in, datagrams) + 1e-9 * (double)p->spacing_ns),
		    (double)in->rate / 1e6, percent_of_round(p, (double)p->symbols * p->overhead));
	}
	label(_("fails"));
	printf(_("with probability %.2g in a round (allowed: %.2g)\n"), p->fail, in->failure);
	picture_of_block(in, p);
	picture_of_time(p);
}

static void json_block(const char *name, const struct plan_block *b)
{
	printf("\"%s\":{\"k\":%u,\"r\":%u,\"r1\":%u,\"share\":%u,\"log2m\":%u},", name, b->k, b->r, b->r1, b->share, b->log2m);
}

static void show_json(const struct plan_in *in, const struct plan *p)
{
	printf("{\"size\":%" PRIu64 ",\"symbol\":%u,\"wire\":%u,\"loss\":%.17g,\"failure\":%.17g,\"burst_ns\":%" PRIu64 ",\"rate\":%" PRIu64 ",",
	    in->size, in->symbol, in->wire, in->loss, in->failure, in->burst_ns, in->rate);
	printf("\"symbols\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"groups\":%" PRIu64 ",\"depth\":%u,", p->symbols, p->blocks, p->groups,
	    p->depth);
	json_block("full", &p->full);
	json_block("last", &p->last);
	printf("\"spacing_ns\":%" PRIu64 ",\"burst_symbols\":%" PRIu64 ",\"fail\":%.17g,\"overhead\":%.17g}\n", p->spacing_ns,
	    p->burst_symbols, p->fail, p->overhead);
}

/* One option; what is wrong with it, or NULL */
static const char *take(struct plan_in *in, const char *option, const char *text)
{
	if (strcmp(option, "size") == 0)
		return units_size(text, &in->size) == 0 && in->size <= PLAN_SIZE_MAX ? NULL : _("--size: a size up to 10T, like 10G");
	if (strcmp(option, "loss") == 0)
		return units_ratio(text, &in->loss) == 0 && in->loss <= 0.9 ? NULL : _("--loss: up to 90%, like 1% or 0.01");
	if (strcmp(option, "burst") == 0)
		return units_time(text, &in->burst_ns) == 0 && in->burst_ns <= 3600000000000 ? NULL
		    : _("--burst: a time up to 1h, like 20ms");
	if (strcmp(option, "rate") == 0)
		return units_rate(text, &in->rate) == 0 && in->rate >= 1 && in->rate <= 10000000000000 ? NULL
		    : _("--rate: bits a second up to 10T, like 1G");
	if (strcmp(option, "failure") == 0)
		return units_ratio(text, &in->failure) == 0 && in->failure >= 1e-100 && in->failure <= 0.5 ? NULL
		    : _("--failure: from 1e-100 to 0.5, like 1e-9");
	if (strcmp(option, "mtu") == 0)
		return set_mtu(in, text) == 0 ? NULL : _("--mtu: 576 to 65535");
	return NULL;
}

static int run(const struct cmd_line *l)
{
	struct plan_in in = { .loss = 0.01, .failure = 1e-9, .rate = 1000000000, .block_max = LAYOUT_BLOCK_MAX, .group_max = LAYOUT_GROUP_MAX };
	const char *wrong;
	struct plan p;

	set_mtu(&in, "1500");
	for (unsigned i = 0; i < l->givens; i++)
		if ((wrong = take(&in, l->given[i].option->name, l->given[i].value)) != NULL)
			return cmd_usage(l->cmd, wrong);
	switch (plan_object(&in, &p)) {
	case PLAN_OK:
		break;
	case PLAN_EIMPOSSIBLE:
		log_error("plan: no code can hold this: less loss, a shorter burst or smaller blocks are needed");
		return EXIT_NO;
	default:
		return cmd_usage(l->cmd, _("these values do not fit together"));
	}
	if (out_mode() == OUT_JSON)
		show_json(&in, &p);
	else
		show(&in, &p);
	return EXIT_OK;
}

const struct cmd cmd_plan = {
	.name = "plan",
	.text = N_("compute the redundancy that a guarantee needs"),
	.usage = N_("[--size SIZE] [--loss RATIO] [--burst TIME] [--rate RATE]\n[--failure RATIO] [--mtu BYTES] [--json]"),
	.help = N_("Computes the redundancy of one round of sending, such that the whole object arrives with a\n"
	    "probability of at least 1 - failure, where every datagram is lost by itself with probability\n"
	    "loss and one burst swallows everything for a time.\n"),
	.exits = N_("0 planned, 1 no code can hold this, 2 usage"),
	.options = { { "size", 0, CMD_TEXT, N_("SIZE"), N_("the object, as it is sent (10G; 0 or none: a stream of unknown length)"), 0 },
	    { "loss", 0, CMD_TEXT, N_("RATIO"), N_("1% or 0.01 (1%)"), 0 },
	    { "burst", 0, CMD_TEXT, N_("TIME"), N_("20ms, 0 for none (0)"), 0 },
	    { "rate", 0, CMD_TEXT, N_("RATE"), N_("of the link, bit/s: 1G (1G)"), 0 },
	    { "failure", 0, CMD_TEXT, N_("RATIO"), N_("of the whole object: 1e-9 (1e-9)"), 0 },
	    { "mtu", 0, CMD_TEXT, N_("BYTES"), N_("of the link, 576 to 65535 (1500)"), 0 }, CMD_JSON },
	.run = run,
};
