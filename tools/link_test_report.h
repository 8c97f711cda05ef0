/* link_test_report.h - the result of a test, for people (text), for programs
 * (JSON) and as a picture (SVG), and its way to the disk. */
#ifndef KM_LINK_TEST_REPORT_H
#define KM_LINK_TEST_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "tools/link_test_advice.h"
#include "tools/link_test_host.h"
#include "tools/link_test_runs.h"

struct link_test_report {
	const struct link_test_runs *runs;
	const struct link_test_run *run;   /* the one reported; NULL: nothing arrived */
	struct link_test_outcome step[LINK_TEST_STEPS];
	struct link_test_advice advice;
	struct link_test_host host;        /* during the test */
	char listen[32];                   /* address and port */
	uint64_t begin_ms, listened_ns;    /* wall clock; how long */
	uint64_t buffer_asked, buffer;     /* bytes of socket buffer, as for setsockopt */
	uint64_t pause_ns;                 /* the longest time in which this program did not read */
};

/* Fills run, step and advice from runs. */
void link_test_report_make(struct link_test_report *r);
void link_test_report_text(const struct link_test_report *r, FILE *out);
json_t *link_test_report_facts(const struct link_test_report *r); /* of report.json */
void link_test_plot(const struct link_test_report *r, FILE *out);

/* The directory for the evidence, made if only it itself is missing.  Refused where it has a report already.  A
 * descriptor, or -1 after a line. */
int link_test_report_open(const char *path) __attribute__((warn_unused_result));
/* report.json, report.txt and plot.svg, each durable, none replaced.  0, or -1 after a line. */
int link_test_report_save(const struct link_test_report *r, int dirfd, const char *path) __attribute__((warn_unused_result));

#endif
