/* conf_kind.c - which side a configuration file is of (status.h). */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/status.h"

static int note_section(void *seen, const char *section, const char *key, const char *value)
{
	unsigned *kinds = seen;

	(void)key;
	(void)value;
	if (strcmp(section, "sender") == 0)
		*kinds |= CONF_KIND_SENDER;
	if (strcmp(section, "receiver") == 0)
		*kinds |= CONF_KIND_RECEIVER;
	return 1;
}

int conf_kind(const char *name)
{
	unsigned kinds = 0;
	FILE *f = fopen(name, "re");

	if (f == NULL) {
		log_error("%s: %s", name, strerror(errno));
		return -EXIT_SYSTEM;
	}
	/* Faults in the file are the real reader's to tell. */
	(void)ini_parse_file(f, note_section, &kinds);
	fclose(f);
	if (kinds == CONF_KIND_SENDER || kinds == CONF_KIND_RECEIVER)
		return (int)kinds;
	log_error(kinds == 0 ? "%s: has neither a section [sender] nor [receiver]" :
	    "%s: has both [sender] and [receiver]; each side has a file of its own", name);
	return -EXIT_CONFIG;
}
