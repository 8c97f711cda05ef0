/* doctor_rules.c - the packet filter's rules (doctor.h).
 *
 * `nft -j list ruleset` has them in a form to be read by programs; which device a chain of family netdev hangs on stands
 * there only from nftables 1.0.8 on (Debian 12 has 1.0.6), so it is taken from `nft list ruleset` where it is missing. */
#include <stdlib.h>
#include <string.h>

#include "tools/doctor.h"

static char *ask(const char *command)
{
	FILE *f = popen(command, "re");
	char *text;

	if (f == NULL)
		return NULL;
	text = doctor_read_stream(f);
	if (pclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static json_t *find(const json_t *rules, const char *table, const char *name)
{
	json_t *o, *c;
	size_t i;

	json_array_foreach(json_object_get(rules, "nftables"), i, o) {
		c = json_object_get(o, "chain");
		if (json_is_string(json_object_get(c, "family")) && strcmp(json_string_value(json_object_get(c, "family")), "netdev") == 0 &&
		    json_is_string(json_object_get(c, "table")) && strcmp(json_string_value(json_object_get(c, "table")), table) == 0 &&
		    json_is_string(json_object_get(c, "name")) && strcmp(json_string_value(json_object_get(c, "name")), name) == 0)
			return c;
	}
	return NULL;
}

/* `type filter hook ingress device "kmr" priority ...', or `devices = { "a", "b" }'. */
static json_t *devices(const char *line)
{
	const char *p = strstr(line, "device"), *end;
	json_t *list = json_array();

	while (p != NULL && (p = strchr(p, '"')) != NULL && (end = strchr(p + 1, '"')) != NULL) {
		json_array_append_new(list, json_stringn(p + 1, (size_t)(end - p - 1)));
		p = end + 1;
	}
	return list;
}

static void add_devices(json_t *rules, char *text)
{
	char *save = NULL, table[128] = "", chain[128] = "";

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "table netdev %127s {", table) == 1 || strncmp(line, "table ", 6) == 0) {
			if (strncmp(line, "table netdev ", 13) != 0)
				table[0] = '\0';
			continue;
		}
		if (sscanf(line, " chain %127s {", chain) == 1 || strstr(line, " hook ") == NULL || table[0] == '\0')
			continue;
		json_t *c = find(rules, table, chain);
		if (c != NULL && json_object_get(c, "dev") == NULL)
			json_object_set_new(c, "dev", devices(line));
	}
}

json_t *doctor_rules(const struct doctor *d)
{
	static const char path[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin";
	char command[128], *json, *text;
	json_t *rules;

	if (d->root[0] != '\0') {
		json = doctor_read(d, "/nft.json");
		text = doctor_read(d, "/nft.txt");
	} else {
		(void)snprintf(command, sizeof(command), "%s nft -j list ruleset 2>/dev/null", path);
		json = ask(command);
		(void)snprintf(command, sizeof(command), "%s nft list ruleset 2>/dev/null", path);
		text = json != NULL ? ask(command) : NULL;
	}
	rules = json != NULL ? json_loads(json, 0, NULL) : NULL;
	if (rules != NULL && text != NULL)
		add_devices(rules, text);
	free(json);
	free(text);
	return rules;
}
