/* policy.c - what a channel may carry (content.h): the policies that ship, and
 * the words by which a configuration changes them. */
#include <stdlib.h>
#include <string.h>

#include "content/content.h"

struct word {
	const char *name;
	uint32_t bit;
};

static const struct word types[] = {
	{ "xml", CONTENT_XML }, { "csv", CONTENT_CSV }, { "zip", CONTENT_ZIP }, { "pdf", CONTENT_PDF },
	{ "jpeg", CONTENT_JPEG }, { "png", CONTENT_PNG }, { NULL, 0 },
};
static const struct word encodings[] = { { "utf-8", CONTENT_UTF8 }, { "cp932", CONTENT_CP932 }, { NULL, 0 } };

#define BOTH (CONTENT_UTF8 | CONTENT_CP932)
static const struct {
	const char *name;
	struct content_policy policy;
} shipped[] = {
	{ "any", { .types = 0, .csv = BOTH } },
	{ "eltax", { .types = CONTENT_XML | CONTENT_CSV | CONTENT_PDF, .csv = BOTH } },
	{ "pittari", { .types = CONTENT_TYPES, .csv = BOTH } },
	{ "update", { .types = 0, .csv = BOTH, .programs = 1 } },
};

static int find(struct content_policy *p, const char *name)
{
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++)
		if (strcmp(shipped[i].name, name) == 0) {
			*p = shipped[i].policy;
			return 0;
		}
	return -1;
}

void content_policy_of_channel(struct content_policy *p, const char *channel)
{
	if (find(p, channel) != 0)
		*p = shipped[0].policy;
}

int content_policy_named(struct content_policy *p, const char *value, const char **why)
{
	*why = "is no policy: eltax, pittari, update or any";
	return find(p, value);
}

/* Words separated by blanks, each of the table: their bits. */
static int words(uint32_t *bits, const char *value, const struct word *table)
{
	char copy[128], *save = NULL;

	*bits = 0;
	if (strlen(value) >= sizeof(copy))
		return -1;
	strcpy(copy, value);
	for (char *w = strtok_r(copy, " \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save)) {
		const struct word *t = table;

		while (t->name != NULL && strcmp(t->name, w) != 0)
			t++;
		if (t->name == NULL)
			return -1;
		*bits |= t->bit;
	}
	return *bits != 0 ? 0 : -1;
}

int content_policy_types(struct content_policy *p, const char *value, const char **why)
{
	*why = "is not a list of types: xml csv zip pdf jpeg png";
	return words(&p->types, value, types);
}

int content_policy_csv(struct content_policy *p, const char *value, const char **why)
{
	*why = "is not a list of encodings: utf-8 cp932";
	return words(&p->csv, value, encodings);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

unsigned content_check_names(uint32_t made, const char *const *others, unsigned n, const char **out, unsigned max)
{
	static const char *const name[CONTENT_CHECKS] = { "xml", "csv", "zip", "pdf", "jpeg", "png", "type", "program" };
	unsigned have = 0;

	for (unsigned i = 0; i < n && have < max; i++)
		out[have++] = others[i];
	for (unsigned bit = 0; bit < CONTENT_CHECKS && have < max; bit++)
		if (made >> bit & 1)
			out[have++] = name[bit];
	qsort(out, have, sizeof(*out), by_name);
	return have;
}
