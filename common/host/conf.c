/* conf.c - see conf.h
 *
 * libinih does the INI; what it does not give is the number of the line in
 * the handler (its Debian build has none) and sections without keys.  So the
 * reader function that hands it one line at a time counts them, and looks at
 * section headings itself. */
#include "host/conf.h"

#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/conf_value.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"

enum {
	FILE_MAX = 1 << 20, /* bytes of a configuration file */
	LINE_LEN_MAX = 4096,
	SECTIONS_MAX = 256,
	SECTION_NAME_MAX = 63,
	KEYS_MAX = 64, /* of the schema: `given` is a bitmap */
	SHOWN_MAX = 120,
};

struct section {
	char kind[SECTION_NAME_MAX + 1], name[SECTION_NAME_MAX + 1];
	int line;
	void *object;
	uint64_t given; /* keys of the schema that were set here */
};

struct reading {
	const struct conf_schema *schema;
	const char *file;
	char *text; /* the file, NUL-terminated */
	const char *at;
	int line;
	int failed; /* a fault was reported: nothing more is looked at */
	struct section *section;
	unsigned sections;
};

static void fault_at(struct reading *r, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void fault_at(struct reading *r, int line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (r->failed)
		return;
	r->failed = 1;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, gettext(fmt), ap);
	va_end(ap);
	if (line > 0)
		log_error("%s:%d: %s", r->file, line, text);
	else
		log_error("%s: %s", r->file, text);
}

static const char *shown(char out[static SHOWN_MAX], const char *value)
{
	return log_show(out, SHOWN_MAX, value, strlen(value));
}

/* Sections. */

/* Does the schema's section name s stand for this kind, with or without a name of its own? */
static int kind_matches(const char *s, const struct section *c)
{
	size_t n = strlen(c->kind);
	int named = c->name[0] != '\0';

	return strncmp(s, c->kind, n) == 0 && (named ? s[n] == ' ' && s[n + 1] == '\0' : s[n] == '\0');
}

static int kind_known(const struct conf_schema *schema, const struct section *c)
{
	for (size_t i = 0; i < schema->keys; i++)
		if (kind_matches(schema->key[i].section, c))
			return 1;
	return 0;
}

/* "channel eltax" into kind and name, blanks trimmed; -1 if too long or empty. */
static int split(struct section *c, const char *s, size_t n)
{
	size_t kind = 0, from;

	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	while (kind < n && s[kind] != ' ' && s[kind] != '\t')
		kind++;
	for (from = kind; from < n && (s[from] == ' ' || s[from] == '\t');)
		from++;
	if (kind == 0 || kind > SECTION_NAME_MAX || n - from > SECTION_NAME_MAX)
		return -1;
	memcpy(c->kind, s, kind);
	c->kind[kind] = '\0';
	memcpy(c->name, s + from, n - from);
	c->name[n - from] = '\0';
	return 0;
}

/* A heading: the text between the brackets. */
static void begin_section(struct reading *r, const char *s, size_t n)
{
	char show[SHOWN_MAX];
	const char *why = "is not accepted";
	struct section *c;

	if (r->sections == SECTIONS_MAX) {
		fault_at(r, r->line, "more than %d sections", SECTIONS_MAX);
		return;
	}
	c = &r->section[r->sections];
	*c = (struct section){ .line = r->line };
	log_show(show, sizeof show, s, n);
	if (split(c, s, n) != 0 || !kind_known(r->schema, c)) {
		fault_at(r, r->line, "unknown section [%s]", show);
		return;
	}
	for (unsigned i = 0; i < r->sections; i++)
		if (strcmp(r->section[i].kind, c->kind) == 0 && strcmp(r->section[i].name, c->name) == 0) {
			fault_at(r, r->line, "section [%s] is there already, in line %d", show, r->section[i].line);
			return;
		}
	c->object = r->schema->section(r->schema->config, c->kind, c->name, &why);
	if (c->object == NULL) {
		fault_at(r, r->line, "section [%s] %s", show, reason_show(why));
		return;
	}
	r->sections++;
}

/* The line behind '['; one without ']' is left to the library to refuse. */
static void heading(struct reading *r, const char *s)
{
	const char *close = strchr(s, ']');

	if (close == NULL)
		return;
	const char *rest = close + 1 + strspn(close + 1, " \t");
	if (strchr("\n;#", *rest) == NULL)
		fault_at(r, r->line, "text after the section's name");
	else
		begin_section(r, s, (size_t)(close - s));
}

/* Lines. */

/* libinih asks for the next line; NULL ends the file. */
static char *next_line(char *out, int size, void *reading)
{
	struct reading *r = reading;
	size_t n = strcspn(r->at, "\n");
	const char *p = r->at;

	if (*p == '\0' || r->failed)
		return NULL;
	r->line++;
	r->at += n + (p[n] == '\n');
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (n + 2 > (size_t)size || n >= LINE_LEN_MAX) {
		fault_at(r, r->line, "the line is too long");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7F) {
			fault_at(r, r->line, "the line has a control character (byte %02x)", (unsigned)p[i]);
			return NULL;
		}
	memcpy(out, p, n);
	out[n] = '\n';
	out[n + 1] = '\0';
	size_t blank = strspn(out, " \t");
	if (out[blank] == '[')
		heading(r, out + blank + 1);
	return r->failed ? NULL : out;
}

/* libinih has found `key = value`.  1 = go on, 0 = stop. */
static int on_value(void *reading, const char *section_name, const char *key, const char *value)
{
	struct reading *r = reading;
	struct section *c = r->sections > 0 ? &r->section[r->sections - 1] : NULL;
	char k_shown[SHOWN_MAX], v_shown[SHOWN_MAX];

	(void)section_name; /* cut at 49 characters there; ours is whole */
	shown(k_shown, key);
	if (c == NULL) {
		fault_at(r, r->line, "%s stands before the first [section]", k_shown);
		return 0;
	}
	for (size_t i = 0; i < r->schema->keys; i++) {
		const struct conf_key *k = &r->schema->key[i];
		if (strcmp(k->key, key) != 0 || !kind_matches(k->section, c))
			continue;
		const char *why = (c->given >> i & 1) != 0 ? N_("is given a second time") : value[0] == '\0' ? N_("has no value") : NULL;
		if (why != NULL) {
			fault_at(r, r->line, "%s %s", k_shown, reason_show(why));
			return 0;
		}
		c->given |= (uint64_t)1 << i;
		if ((why = conf_put(k, c->object, r->file, value)) != NULL)
			fault_at(r, r->line, "%s: \"%s\" %s", k_shown, shown(v_shown, value), reason_show(why));
		return !r->failed;
	}
	fault_at(r, r->line, "unknown key %s in section [%s%s%s]", k_shown, c->kind, c->name[0] != '\0' ? " " : "", c->name);
	return 0;
}

static void check_required(struct reading *r)
{
	for (const char *const *s = r->schema->required; s != NULL && *s != NULL; s++) {
		unsigned i = 0;
		while (i < r->sections && !kind_matches(*s, &r->section[i]))
			i++;
		if (i == r->sections)
			fault_at(r, 0, (*s)[strlen(*s) - 1] == ' ' ? N_("no section [%sNAME]") : N_("no section [%s]"), *s);
	}
	for (unsigned i = 0; i < r->sections; i++)
		for (size_t k = 0; k < r->schema->keys; k++)
			if (r->schema->key[k].required && kind_matches(r->schema->key[k].section, &r->section[i]) &&
			    (r->section[i].given >> k & 1) == 0)
				fault_at(r, r->section[i].line, "section [%s%s%s] lacks %s", r->section[i].kind,
				    r->section[i].name[0] != '\0' ? " " : "", r->section[i].name, r->schema->key[k].key);
}

/* What makes this no configuration file, or NULL. */
static const char *odd_text(const char *text, size_t n)
{
	if (n == FILE_MAX)
		return N_("it is larger than 1 MiB");
	return strlen(text) != n ? N_("it has a NUL byte") : NULL;
}

char *conf_slurp(const char *file, int fd, int *exit_code)
{
	int own = fd < 0;
	char *text = malloc(FILE_MAX + 1);
	const char *odd;
	size_t n = 0;
	ssize_t got = -1;

	*exit_code = EXIT_SYSTEM;
	if (own) /* O_NONBLOCK: a FIFO is an error, not a wait */
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (text == NULL || fd < 0) {
		log_error("%s: cannot read the configuration: %m", file);
		goto free_text;
	}
	while (n < FILE_MAX && (got = pread(fd, text + n, FILE_MAX - n, (off_t)n)) > 0)
		n += (size_t)got;
	if (n < FILE_MAX && got < 0) {
		log_error("%s: cannot read the configuration: %m", file);
		goto free_text;
	}
	text[n] = '\0';
	*exit_code = EXIT_CONFIG;
	if ((odd = odd_text(text, n)) != NULL) {
		log_error("%s: %s: is this a configuration file?", file, reason_show(odd));
		goto free_text;
	}
	*exit_code = 0;
	if (own)
		(void)close(fd);
	return text;

free_text:
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
	if (own && fd >= 0)
		(void)close(fd);
	return NULL;
}

static void parse(struct reading *r)
{
	int bad;

	/* The library keeps these as variables; what ours mean is fixed here. */
	ini_max_line = LINE_LEN_MAX + 3;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	bad = ini_parse_stream(next_line, r, on_value, r);
	if (bad != 0)
		fault_at(r, r->line, "neither `key = value' nor [section]");
	if (!r->failed)
		check_required(r);
}

int conf_read(const struct conf_schema *schema, const char *name, int fd)
{
	struct reading r = { .schema = schema, .file = name };
	int code;

	if (schema->keys > KEYS_MAX)
		log_die(EXIT_INTERNAL, "configuration: more than %d keys in the schema", KEYS_MAX);
	r.text = conf_slurp(name, fd, &code);
	if (r.text == NULL)
		return code;
	r.section = calloc(SECTIONS_MAX, sizeof *r.section);
	if (r.section == NULL) {
		log_error("%s: out of memory", name);
		code = EXIT_SYSTEM;
		goto free_text;
	}
	r.at = strncmp(r.text, "\xEF\xBB\xBF", 3) == 0 ? r.text + 3 : r.text;
	parse(&r);
	code = r.failed ? EXIT_CONFIG : 0;
	free(r.section);
free_text:
	/* Key files are read by this reader, too. */
	explicit_bzero(r.text, strlen(r.text));
	free(r.text);
	return code;
}
