/* conf_value.c - see conf_value.h */
#include "host/conf_value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/i18n.h"
#include "host/units.h"

static int parse_bool(const char *v, int *out)
{
	static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(v, yes[i]) == 0 || strcmp(v, no[i]) == 0) {
			*out = strcmp(v, yes[i]) == 0;
			return 0;
		}
	return -1;
}

static int parse_count(const char *v, uint64_t *out)
{
	char *end;

	if (*v < '0' || *v > '9') /* strtoull takes signs and blanks */
		return -1;
	errno = 0;
	unsigned long long n = strtoull(v, &end, 10);
	if (errno != 0 || *end != '\0')
		return -1;
	*out = n;
	return 0;
}

static const char *put_string(void *to, size_t size, const char *v)
{
	if (strlen(v) >= size)
		return "is too long";
	memcpy(to, v, strlen(v) + 1);
	return NULL;
}

/* Absolute whatever happens, so that it means the same in every process. */
static const char *put_path(void *to, size_t size, const char *file, const char *v)
{
	char cwd[PATH_MAX] = "", *out = to;
	const char *slash = strrchr(file, '/');
	int dir = slash == NULL ? 0 : (int)(slash + 1 - file), n;

	if (*v == '/')
		return put_string(to, size, v);
	if (*file != '/' && getcwd(cwd, sizeof cwd) == NULL)
		cwd[0] = '\0'; /* then relative, as the caller gave it */
	n = snprintf(out, size, "%s%s%.*s%s", cwd, cwd[0] != '\0' ? "/" : "", dir, file, v);
	return n < 0 || (size_t)n >= size ? "is too long" : NULL;
}

/* A number of the type the key has; what it should look like if it does not parse. */
static const char *put_number(const struct conf_key *k, void *to, const char *v)
{
	uint64_t n = 0;
	const char *like = NULL;

	switch (k->type) {
	case CONF_SIZE: like = units_size(v, &n) != 0 ? N_("is not a size, such as 100M") : NULL; break;
	case CONF_RATE: like = units_rate(v, &n) != 0 ? N_("is not a rate in bit/s, such as 1G") : NULL; break;
	case CONF_TIME: like = units_time(v, &n) != 0 ? N_("is not a time, such as 20ms or 14d") : NULL; break;
	default: like = parse_count(v, &n) != 0 ? N_("is not a whole number") : NULL; break;
	}
	if (like != NULL)
		return like;
	if (n < k->min)
		return "is too small";
	if (k->max != 0 && n > k->max)
		return "is too large";
	memcpy(to, &n, sizeof n);
	return NULL;
}

const char *conf_put(const struct conf_key *k, void *object, const char *file, const char *v)
{
	void *to = (char *)object + k->offset;
	const char *why = "is not accepted";
	int flag;

	switch (k->type) {
	case CONF_STRING:
		return put_string(to, k->size, v);
	case CONF_PATH:
		return put_path(to, k->size, file, v);
	case CONF_BOOL:
		if (parse_bool(v, &flag) != 0)
			return "is neither yes nor no";
		memcpy(to, &flag, sizeof flag);
		return NULL;
	case CONF_CUSTOM:
		return k->parse(object, v, &why) != 0 ? why : NULL;
	default:
		return put_number(k, to, v);
	}
}
