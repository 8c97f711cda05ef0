/* fuzz_closing.c - closing.h: what is read says the same when it is written again, and is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/closing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
	if (!true_)
		abort();
}

static void same(const char **at, const char *line, size_t n)
{
	must(memcmp(*at, line, n) == 0);
	*at += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size), line[CLOSING_HEAD_MAX];
	const char *at = text;
	struct closing c;
	enum closing_got g;

	must(text != NULL || size == 0);
	if (size > 0)
		memcpy(text, data, size);
	if (closing_check(text, size) != 0 || closing_open(&c, text, size) != 0)
		goto free_text;
	same(&at, line, closing_put_head(line, &c.head));
	while ((g = closing_next(&c)) != CLOSING_END) {
		must(g == CLOSING_SECTION || g == CLOSING_ENTRY || g == CLOSING_GONE);
		if (g == CLOSING_SECTION)
			same(&at, line, closing_put_channel(line, &c.channel));
		else if (g == CLOSING_GONE)
			same(&at, line, closing_put_gone(line, &c.range));
		else
			same(&at, line, closing_put_entry(line, &c.entry));
		must(c.entries <= CLOSING_ENTRIES_MAX && c.sections <= CLOSING_CHANNELS_MAX && c.ranges <= CLOSING_GONE_MAX);
	}
	same(&at, line, closing_put_end(line));
	must(at == text + size);
free_text:
	free(text);
	return 0;
}
