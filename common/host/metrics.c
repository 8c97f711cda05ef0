/* metrics.c - see metrics.h */
#include "host/i18n.h"
#include "host/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"

int metrics_open(struct metrics *m, const char *prefix)
{
	*m = (struct metrics){ .prefix = prefix };
	m->out = open_memstream(&m->text, &m->n);
	return m->out != NULL ? 0 : -1;
}

void metrics_family(struct metrics *m, const char *name, enum metrics_type type, const char *help)
{
	m->family = name;
	fprintf(m->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->prefix, name, help, m->prefix, name,
	    type == METRICS_COUNTER ? "counter" : "gauge");
}

static void label(FILE *out, const char *name, const char *value, int first)
{
	fprintf(out, "%s%s=\"", first ? "{" : ",", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			putc('\\', out);
		putc(*value == '\n' ? 'n' : *value, out);
	}
	putc('"', out);
}

static void labels(struct metrics *m, va_list *ap)
{
	const char *name;
	int first = 1;

	fprintf(m->out, "%s%s", m->prefix, m->family);
	while ((name = va_arg(*ap, const char *)) != NULL) {
		label(m->out, name, va_arg(*ap, const char *), first);
		first = 0;
	}
	fputs(first ? " " : "} ", m->out);
}

void metrics_add(struct metrics *m, uint64_t value, ...)
{
	va_list ap;

	va_start(ap, value);
	labels(m, &ap);
	va_end(ap);
	fprintf(m->out, "%" PRIu64 "\n", value);
}

void metrics_add_seconds(struct metrics *m, uint64_t ms, ...)
{
	va_list ap;

	va_start(ap, ms);
	labels(m, &ap);
	va_end(ap);
	fprintf(m->out, "%" PRIu64 ".%03u\n", ms / 1000, (unsigned)(ms % 1000));
}

void metrics_one(struct metrics *m, const char *name, enum metrics_type type, uint64_t value, const char *help)
{
	metrics_family(m, name, type, help);
	metrics_add(m, value, NULL);
}

void metrics_dir(char *dir, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	int n = slash != NULL ? (int)(slash - path) : 0;

	if (slash == NULL)
		(void)snprintf(dir, size, "%s", path[0] != '\0' ? "." : "");
	else
		(void)snprintf(dir, size, "%.*s", n > 0 ? n : 1, path);
}

/* The directory of path, and its last part. */
static int open_parent(const char *path, const char **name)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	*name = slash != NULL ? slash + 1 : path;
	metrics_dir(dir, sizeof(dir), path);
	return durable_open_dir(dir);
}

int metrics_close(struct metrics *m, const char *path)
{
	int bad = fclose(m->out) != 0, dir, error;
	const char *name;

	dir = bad ? -1 : open_parent(path, &name);
	if (dir >= 0 && durable_note(dir, name, m->text, m->n, 0644) != 0)
		bad = 1;
	error = errno;
	if (dir >= 0)
		close(dir);
	free(m->text);
	errno = error;
	return bad || dir < 0 ? -1 : 0;
}

const char *metrics_path_wrong(const char *path)
{
	size_t n = strlen(path);

	return n < 6 || strcmp(path + n - 5, ".prom") != 0 || path[n - 6] == '/' ?
	    N_("has to end in .prom: node_exporter reads no other") : NULL;
}
