/* conf_kind.c - which side a configuration file is of (status.h). */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "host/conf.h"
#include "host/exits.h"
#include "host/i18n.h"
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
	int code;
	char *text = conf_slurp(name, -1, &code);

	if (text == NULL)
		return -code;
	/* Faults in the file are the real reader's to tell. */
	(void)ini_parse_string(text, note_section, &kinds);
	free(text);
	if (kinds == CONF_KIND_SENDER || kinds == CONF_KIND_RECEIVER)
		return (int)kinds;
	log_error(kinds == 0 ? N_("%s: has neither a section [sender] nor [receiver]") :
	    N_("%s: has both [sender] and [receiver]; each side has a file of its own"), name);
	return -EXIT_CONFIG;
}
