/* conf.h - the one configuration reader (INI, by libinih).
 *
 * A program describes what it knows in a table; conf_read() reports the first
 * fault as "FILE:LINE: text" through log_error() and returns EXIT_CONFIG (or
 * EXIT_SYSTEM if the file cannot be read), or 0.  An unknown section or key, a value that does not
 * parse, a key given twice, a required key missing: all are faults.
 * Repeated sections ("[channel eltax]", "[peer sakura]") call section() once each,
 * which returns the object that the keys of this section fill.  Kind and name
 * have at most 63 bytes each; which characters a name may have is section()'s
 * to judge.  `;` and `#` begin a comment line, a blank and `;` the rest of a
 * line; there are no continuation lines. */
#ifndef KM_CONF_H
#define KM_CONF_H

#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STRING, /* char[size], must fit */
	CONF_PATH,   /* char[size], as given if absolute, else made absolute from the file's own directory */
	CONF_SIZE,   /* uint64_t, bytes: "100M" */
	CONF_RATE,   /* uint64_t, bit/s: "1G" */
	CONF_TIME,   /* uint64_t, ns: "20ms" */
	CONF_COUNT,  /* uint64_t, plain number */
	CONF_BOOL,   /* int: yes / no */
	CONF_CUSTOM, /* parse() does it */
};

struct conf_key {
	const char *section; /* "link"; "channel " with a trailing space for a named section */
	const char *key;
	enum conf_type type;
	size_t offset;       /* in the section's object */
	size_t size;         /* of a CONF_STRING or CONF_PATH */
	uint64_t min, max;   /* of numbers and times; 0, 0 = any */
	int required;        /* in each section of this kind */
	/* CONF_CUSTOM: 0, or -1 with *why a sentence part */
	int (*parse)(void *object, const char *value, const char **why);
};

struct conf_schema {
	const struct conf_key *key;
	size_t keys;
	/* The object of a section ("link", "" ) or ("channel", "eltax"); NULL and *why on a fault. */
	void *(*section)(void *config, const char *kind, const char *name, const char **why);
	void *config;
	const char *const *required; /* sections that must be there, NULL-terminated; may be NULL */
};

/* The whole file, NUL-terminated, malloc'd, wiped by whoever frees it if it may be a key; NULL, with *exit_code, after a message:
 * it cannot be read, is no file, is larger than 1 MiB or has a NUL byte. */
char *conf_slurp(const char *name, int fd, int *exit_code) __attribute__((warn_unused_result));
/* name: for messages and relative paths.  fd: read from the start if >= 0 (not closed), else name is opened. */
int conf_read(const struct conf_schema *schema, const char *name, int fd) __attribute__((warn_unused_result));

#endif
