/* metrics.h - figures for node_exporter's textfile collector (`metrics = FILE.prom` in a configuration).
 *
 * Prometheus' text format, version 0.0.4: families by name, each with its HELP and TYPE.  Names follow its conventions:
 * base units (seconds, bytes), counters end in _total and begin with 0 when the program starts, times are seconds since
 * 1970 in a gauge that ends in _time_seconds.  The file is replaced as a whole by a rename; while it is written it has a
 * name that the collector does not read. */
#ifndef KM_METRICS_H
#define KM_METRICS_H

#include <stdint.h>
#include <stdio.h>

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE };

struct metrics {
	FILE *out;
	char *text;
	size_t n;
	const char *prefix; /* "katamichi_receiver_" */
	const char *family; /* the present one's name */
};

/* -1: no memory; metrics_close() is then not called for. */
int metrics_open(struct metrics *m, const char *prefix) __attribute__((warn_unused_result));
/* All samples up to the next family are of this one.  name: without the prefix; must live as long. */
void metrics_family(struct metrics *m, const char *name, enum metrics_type type, const char *help);
/* A sample; then names and values of its labels in turn, and NULL. */
void metrics_add(struct metrics *m, uint64_t value, ...) __attribute__((sentinel));
void metrics_add_seconds(struct metrics *m, uint64_t ms, ...) __attribute__((sentinel));
/* A family of one sample without labels. */
void metrics_one(struct metrics *m, const char *name, enum metrics_type type, uint64_t value, const char *help);
/* Write what was added to path.  0, or -1 with errno.  Releases m in any case. */
int metrics_close(struct metrics *m, const char *path) __attribute__((warn_unused_result));
/* The directory that metrics_close() writes in; dir is as long as path. */
void metrics_dir(char *dir, size_t size, const char *path);
/* NULL, or why path is none that the collector would read: a sentence part. */
const char *metrics_path_wrong(const char *path);

#endif
