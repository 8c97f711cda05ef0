/* doctor_said.c - R5, R9, R13, R15 and R17: what the city has to say itself (doctor.h). */
#include <string.h>

#include "tools/doctor.h"

void doctor_cabling(struct doctor *d)
{
	doctor_fact(d, _("which devices can reach each other on the link is what R2 and R3 show"));
	doctor_word(d, "cabling", d->said.cabling);
}

void doctor_sign_in(struct doctor *d)
{
	doctor_word(d, "sign_in", d->said.sign_in);
}

void doctor_model(struct doctor *d)
{
	doctor_word(d, "model", d->said.model);
	doctor_word(d, "audit", d->said.audit);
}

/* Every row of the page can be found in the guideline. */
void doctor_format(struct doctor *d)
{
	char lacking[256] = "";
	size_t at = 0;

	for (int i = 0; i < DOCTOR_ITEMS; i++)
		if ((doctor_item[i].roles & d->role) != 0 && d->said.item[i].number[0] == '\0' && at < sizeof(lacking) - 8)
			at += (size_t)snprintf(lacking + at, sizeof(lacking) - at, "%s%s", at > 0 ? " " : "", doctor_item[i].id);
	doctor_fact(d, _("katamichi doctor --html prints this in the audit guideline's columns"));
	if (at > 0)
		doctor_unclear(d, _("the guideline's example numbers are not declared for: %s ([item R1] number = ...)"), lacking);
	else
		doctor_fact(d, _("each item has the guideline's example number, as declared"));
}

void doctor_ordinance(struct doctor *d)
{
	doctor_fact(d, _("each item names items (1 to 8) of ordinance 80 of 2026, in force 2027-07-01: a proposal, unless declared ([item R1] ordinance = ...)"));
	doctor_word(d, "ordinance", d->said.ordinance);
}
