/* i18n.c - see i18n.h */
#include "host/i18n.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char domain[] = "katamichi";

/* What the environment asks messages to be in, by the order of setlocale(3). */
static const char *wanted(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *s = getenv(names[i]);
		if (s != NULL && s[0] != '\0')
			return s;
	}
	return "C";
}

/* Is this "ja", "ja_JP", "ja_JP.UTF-8", and not an encoding of another kind? */
static int is_japanese_utf8(const char *s)
{
	const char *dot = strchr(s, '.');

	return strncmp(s, "ja", 2) == 0 && strchr("_.@", s[2]) != NULL &&
	    (dot == NULL || strncasecmp(dot, ".utf8", 5) == 0 || strncasecmp(dot, ".utf-8", 6) == 0);
}

static void choose_locale(void)
{
	int found = setlocale(LC_CTYPE, "") != NULL && setlocale(LC_MESSAGES, "") != NULL;
	const char *asked = wanted();

	if (found && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return;
	/* File names are UTF-8, whatever the locale says; how wide they are is then known. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return;
	if (!found && is_japanese_utf8(asked)) {
		(void)setlocale(LC_MESSAGES, "C.UTF-8");
		(void)setenv("LANGUAGE", "ja", getenv("LANGUAGE") == NULL || getenv("LANGUAGE")[0] == '\0');
	} else {
		(void)setlocale(LC_MESSAGES, "C");
	}
}

static void find_catalogue(void)
{
	static const char *const places[] = { "locale", "../share/locale" };
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 128);
	size_t dir = n > 0 ? (size_t)n : 0;

	while (dir > 0 && path[dir - 1] != '/')
		dir--;
	for (size_t i = 0; dir > 0 && i < sizeof places / sizeof places[0]; i++) {
		(void)snprintf(path + dir, sizeof path - dir, "%s/ja/LC_MESSAGES/katamichi.mo", places[i]);
		if (access(path, R_OK) == 0) {
			(void)snprintf(path + dir, sizeof path - dir, "%s", places[i]);
			(void)bindtextdomain(domain, path);
			break;
		}
	}
	(void)bind_textdomain_codeset(domain, "UTF-8");
	(void)textdomain(domain);
}

void i18n_init(void)
{
	choose_locale();
	find_catalogue();
	/* Read now, ours and libc's: a process that has given up its paths cannot later. */
	(void)gettext("information");
	(void)strerror(ENOENT);
}

void i18n_language(const char *lang)
{
	int japanese = strcmp(lang, "ja") == 0;

	(void)setenv("LANGUAGE", lang, 1);
	/* LANGUAGE counts in any locale but C; setlocale() also makes gettext forget what it found before. */
	(void)setlocale(LC_MESSAGES, japanese ? "C.UTF-8" : "C");
}
