/* cmd_show.c - katamichi show: all that the receiver knows of one transfer. */
#include <iconv.h>
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"
#include "receiver/name_json.h"
#include "tools/cmd.h"
#include "tools/deliveries.h"
#include "tools/out.h"
#include "tools/status.h"

static const struct out_column files_columns[] = {
	{ "size", N_("SIZE"), OUT_BYTES }, { "sha256", N_("SHA-256"), OUT_STRING }, { "name", N_("NAME"), OUT_STRING },
};

static const struct out_column lines[] = {
	{ "event", N_("what"), OUT_WORD }, { "at", N_("when"), OUT_TIME }, { "peer", N_("sender"), OUT_PEER },
	{ "reason", N_("reason"), OUT_WORD }, { "chain", N_("chain"), OUT_WORD }, { "dir", N_("directory"), OUT_STRING },
	{ "here", N_("there now"), OUT_YES },
	{ "bytes", N_("size"), OUT_BYTES }, { "checks", N_("checks passed"), OUT_STRING }, { "object", N_("sealed object"), OUT_STRING },
	{ "generation", N_("generation"), OUT_STRING }, { "manifest", N_("SHA-256 of the manifest"), OUT_STRING },
	{ "row", N_("row of the ledger"), OUT_NUMBER },
};

/* A name that is no UTF-8 is most likely Shift_JIS: for people it is shown in it, and said so. */
static void show_name(json_t *file)
{
	uint8_t name[NAME_MAX_LEN];
	char text[4 * NAME_MAX_LEN + 1], shown[4 * NAME_MAX_LEN + 64], *in = (char *)name, *out = text;
	size_t left = name_json_get(name, file, "name", "name_b64"), room = sizeof(text) - 1, n = left;
	iconv_t cd;

	if (json_object_get(file, "name") != NULL || left == 0)
		return;
	cd = iconv_open("UTF-8", "CP932");
	if (cd != (iconv_t)-1 && iconv(cd, &in, &left, &out, &room) != (size_t)-1) {
		*out = '\0';
		snprintf(shown, sizeof(shown), _("%s (Shift_JIS)"), text);
	} else {
		log_show(shown, sizeof(shown), name, n);
	}
	if (cd != (iconv_t)-1)
		iconv_close(cd);
	json_object_set_new(file, "name", json_string(shown));
}

static void show(const json_t *o)
{
	json_t *files = json_object_get(o, "names"), *file;
	size_t k;

	json_array_foreach(files, k, file)
		show_name(file);
	printf("%s%s %" JSON_INTEGER_FORMAT "%s\n", out_style(OUT_STRONG), json_string_value(json_object_get(o, "channel")),
	    json_integer_value(json_object_get(o, "number")), out_style(OUT_PLAIN));
	out_facts(o, lines, sizeof(lines) / sizeof(lines[0]), 2);
	putchar('\n');
	if (files != NULL)
		out_table(files, files_columns, sizeof(files_columns) / sizeof(files_columns[0]), NULL);
	else
		puts(_("The names of its files cannot be shown: its directory is not there any more, or has no manifest."));
}

static int run(const struct cmd_line *l)
{
	static struct receiver_conf c;
	struct deliveries_filter f = { .channel = l->operand[0] };
	struct deliveries_damage damage;
	struct db db;
	json_t *list, *o;
	size_t i;
	int code;

	if (cmd_number(l->operand[1], INT64_MAX, &f.number) != 0 || f.number == 0)
		return cmd_usage(l->cmd, _("wanted: a channel and a number, as in eltax 12"));
	if ((code = deliveries_open(&db, &c, cmd_value(l, "config"))) != 0)
		return code;
	list = deliveries_list(&db, &c, &f, &damage);
	db_close(&db);
	json_array_foreach(list, i, o) {
		json_t *files = deliveries_files(json_string_value(json_object_get(o, "dir")));
		if (files != NULL)
			json_object_set_new(o, "names", files);
		if (out_mode() == OUT_TEXT) {
			if (i > 0)
				putchar('\n');
			show(o);
		}
	}
	if (out_mode() == OUT_JSON)
		out_json(list);
	else if (json_array_size(list) == 0)
		printf(_("%s %lld is not in the ledger; `katamichi gaps' says whether it is missing\n"), f.channel, (long long)f.number);
	if ((code = deliveries_damaged(&damage)) == EXIT_OK)
		code = json_array_size(list) > 0 ? EXIT_OK : EXIT_NO;
	json_decref(list);
	return code;
}

const struct cmd cmd_show = {
	.name = "show",
	.text = N_("all that is known of one transfer, with the names of its files"),
	.usage = N_("-c receiver.conf CHANNEL NUMBER [--json]"),
	.help = N_("From the ledger and from the manifest beside the files.  More than one where the number came more\n"
	    "than once: of two generations of the sender, as a fork, or first into the quarantine.\n"),
	.exits = N_("0 shown, 1 it is not in the ledger, 2 usage, 3 configuration, 4 keys,\n"
	    "5 the ledger cannot be read, 6 its database is damaged (what can be read is shown)"),
	.options = { CMD_CONFIG, CMD_JSON },
	.operands_min = 2, .operands_max = 2,
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
