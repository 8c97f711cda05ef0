/* doctor_declared.c - see doctor_declared.h. */
#include "tools/doctor_declared.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/conf.h"

#define TEXT(key) { "declared", #key, CONF_STRING, offsetof(struct doctor_declared, key), DOCTOR_TEXT_MAX, 0, 0, 0, NULL }
#define IN_ITEM(key) { "item ", #key, CONF_STRING, offsetof(struct doctor_item_said, key), 32, 0, 0, 0, NULL }

static const struct conf_key keys[] = {
	TEXT(cabling), TEXT(sign_in), TEXT(model), TEXT(audit), TEXT(ordinance), TEXT(disk_encryption), TEXT(diode), TEXT(wireless),
	TEXT(exception), TEXT(interfaces), TEXT(resolvers), TEXT(time_servers), TEXT(endpoints), TEXT(unchecked),
	{ "declared", "log_years", CONF_COUNT, offsetof(struct doctor_declared, log_years), 0, 1, 100, 0, NULL },
	{ "declared", "key_days", CONF_COUNT, offsetof(struct doctor_declared, key_days), 0, 1, 36500, 0, NULL },
	IN_ITEM(number), IN_ITEM(ordinance),
};

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	struct doctor_declared *s = config;
	long n;

	if (strncmp(kind, "item", 4) != 0)
		return s;
	*why = "is no item: [item R1] to [item R17]";
	n = name[0] == 'R' && name[1] >= '1' && name[1] <= '9' && strspn(name + 1, "0123456789") == strlen(name + 1) ? atol(name + 1) : 0;
	return n >= 1 && n <= DOCTOR_ITEMS_MAX ? &s->item[n - 1] : NULL;
}

int doctor_declared_read(struct doctor_declared *s, const char *path, int needed)
{
	const struct conf_schema schema = { .key = keys, .keys = sizeof(keys) / sizeof(keys[0]), .section = section, .config = s };

	memset(s, 0, sizeof(*s));
	s->log_years = 3;
	if (!needed && access(path, F_OK) != 0)
		return 0;
	return conf_read(&schema, path, -1);
}
