/* progress.c - see progress.h */
#include "tools/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/clock.h"
#include "tools/wide.h"

enum { BAR = 24, LABEL_MIN = 8 };
#define STEP_NS 100000000u

static struct {
	uint64_t next_ns;
	int shown;
} line;

static unsigned columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

void progress_show(const char *label, uint64_t done, uint64_t total)
{
	static const char full[] = "########################";
	uint64_t now;
	unsigned room;
	double share;

	if (total == 0 || !isatty(STDERR_FILENO) || (now = clock_mono_ns()) < line.next_ns)
		return;
	room = columns();
	room = room > BAR + 12 + LABEL_MIN ? room - BAR - 12 : LABEL_MIN;
	share = done < total ? (double)done / (double)total : 1;
	fprintf(stderr, "\r%.*s [%-*.*s] %3.0f %%\033[K", (int)wide_fit(label, room, 0), label, BAR, (int)(share * BAR), full, 100 * share);
	line.next_ns = now + STEP_NS;
	line.shown = 1;
}

void progress_clear(void)
{
	if (line.shown)
		fputs("\r\033[K", stderr);
	line.shown = 0;
}
