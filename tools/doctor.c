/* doctor.c - running the checks (doctor.h). */
#include "tools/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "host/log.h"

enum { FACT_MAX = 1024 };

static void add(struct doctor *d, enum doctor_verdict v, const char *fmt, va_list ap)
{
	char text[FACT_MAX], shown[FACT_MAX];
	json_t *s;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	/* Names of files and interfaces are whatever somebody made them. */
	s = json_string(log_show(shown, sizeof(shown), text, strlen(text)));
	json_array_append_new(d->facts, s != NULL ? s : json_string("?"));
	if (v > d->verdict)
		d->verdict = v;
}

void doctor_fact(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DOCTOR_MET, fmt, ap);
	va_end(ap);
}

void doctor_wrong(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DOCTOR_NOT_MET, fmt, ap);
	va_end(ap);
}

void doctor_unclear(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DOCTOR_CANNOT_TELL, fmt, ap);
	va_end(ap);
}

void doctor_word(struct doctor *d, const char *key, const char *value)
{
	if (value[0] == '\0') {
		doctor_unclear(d, _("nothing is declared (%s)"), key);
		return;
	}
	doctor_fact(d, _("declared (%s): %s"), key, value);
	if (d->verdict < DOCTOR_DECLARED)
		d->verdict = DOCTOR_DECLARED;
}

const char *doctor_verdict_word(enum doctor_verdict v)
{
	static const char *const word[] = { "met", "declared", "cannot tell", "not met" };

	return word[v];
}

const char *doctor_verdict_name(enum doctor_verdict v)
{
	static const char *const name[] = { N_("met"), N_("declared"), N_("cannot tell"), N_("not met") };

	return _(name[v]);
}

static json_t *run_one(struct doctor *d, int i)
{
	const struct doctor_item *t = &doctor_item[i];
	const struct doctor_item_said *said = &d->said.item[i];

	d->facts = json_array();
	d->verdict = DOCTOR_MET;
	t->check(d);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o}", "id", t->id, "verdict", doctor_verdict_word(d->verdict),
	    "subject", _(t->subject), "question", _(t->question), "basis", _(t->basis), "ordinance", said->ordinance[0] != '\0' ? said->ordinance : t->ordinance,
	    "ordinance_declared", said->ordinance[0] != '\0', "number", said->number, "jis", t->jis, "facts", d->facts);
}

json_t *doctor_run(struct doctor *d)
{
	json_t *all = json_array();

	for (int i = 0; i < DOCTOR_ITEMS; i++)
		if ((doctor_item[i].roles & d->role) != 0)
			json_array_append_new(all, run_one(d, i));
	return all;
}
