/* progress.c - see progress.h */
#include "tools/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/clock.h"
#include "tools/wide.h"

enum { BAR = 24, LABEL_MIN = 8 };
#define FIRST_NS 300000000u /* what is done sooner needs no bar */
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

static int is_due(void)
{
	static int terminal = -1; /* asked once: this is called for each of a million rows */
	uint64_t now;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal)
		return 0;
	now = clock_mono_ns();
	if (line.next_ns == 0)
		line.next_ns = now + FIRST_NS;
	if (now < line.next_ns)
		return 0;
	line.next_ns = now + STEP_NS;
	return 1;
}

void progress_show(uint64_t done, uint64_t total, const char *fmt, ...)
{
	static const char full[] = "########################";
	unsigned room = columns(), taken = total > 0 ? BAR + 12 : 1;
	double share = done < total ? (double)done / (double)total : 1;
	char label[400];
	va_list ap;

	if (!is_due())
		return;
	va_start(ap, fmt);
	vsnprintf(label, sizeof(label), fmt, ap);
	va_end(ap);
	room = room > taken + LABEL_MIN ? room - taken : LABEL_MIN;
	fprintf(stderr, "\r%.*s", (int)wide_fit(label, room, 0), label);
	if (total > 0)
		fprintf(stderr, " [%-*.*s] %3.0f %%", BAR, (int)(share * BAR), full, 100 * share);
	fputs("\033[K", stderr);
	line.shown = 1;
}

void progress_clear(void)
{
	if (line.shown)
		fputs("\r\033[K", stderr);
	line.shown = 0;
	line.next_ns = 0;
}
