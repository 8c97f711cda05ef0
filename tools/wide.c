/* wide.c - see wide.h */
#include "tools/wide.h"

#include <string.h>
#include <wchar.h>

/* The next character: its bytes, and its columns. */
static size_t next(const char *s, unsigned *columns)
{
	mbstate_t st = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, s, strlen(s), &st);
	int w;

	if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
		*columns = 1;
		return 1;
	}
	w = wcwidth(c);
	*columns = w < 0 ? 1 : (unsigned)w;
	return n;
}

unsigned wide_width(const char *s)
{
	unsigned all = 0, w;

	while (*s != '\0') {
		s += next(s, &w);
		all += w;
	}
	return all;
}

/* Japanese does not begin a line with these. */
static int clings(const char *s)
{
	static const char *const marks[] = { "、", "。", "）", "」", "・", "ー", "：", "，", "．" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return 1;
	return 0;
}

size_t wide_fit(const char *s, unsigned columns, int words)
{
	size_t at = 0, last = 0; /* last: the place where a line may end */
	unsigned all = 0, w;

	while (s[at] != '\0' && s[at] != '\n') {
		size_t n = next(s + at, &w);
		if (all + w > columns && at > 0)
			return words && last > 0 ? last : at;
		all += w;
		at += n;
		if ((s[at - 1] == ' ' || w == 2) && !clings(s + at))
			last = at;
	}
	return at;
}

void wide_pad(FILE *out, const char *s, unsigned columns, int to_the_right)
{
	unsigned width = wide_width(s);
	int gap = width < columns ? (int)(columns - width) : 0;

	if (to_the_right)
		fprintf(out, "%*s%s", gap, "", s);
	else
		fprintf(out, "%s%*s", s, gap, "");
}
