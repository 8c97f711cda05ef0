/* log.c - see log.h */
#include "host/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/utf8.h"
#include "host/clock.h"
#include "host/i18n.h"

/* A line leaves in one write(), and a write of at most 4096 bytes (PIPE_BUF)
 * into a pipe is not torn apart by those of our other processes. */
enum { LINE_MAX_LEN = 4096, TEXT_MAX_LEN = 3840 };

static struct {
	const char *program;
	const char *role;
	int journal; /* standard error is the journal */
	int tool;
	int debug;
} state = { "katamichi", NULL, 0, 1, 0 };

/* systemd's own rule: JOURNAL_STREAM is "device:inode" of the stream, and
 * means us only if standard error still is that stream. */
static int stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (s == NULL || sscanf(s, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) != 0)
		return 0;
	return st.st_dev == dev && st.st_ino == ino;
}

static void init(const char *program, const char *role, int tool)
{
	const char *debug = getenv("KATAMICHI_DEBUG");

	i18n_init();
	state.program = program;
	state.role = role;
	state.tool = tool;
	state.journal = !tool && stderr_is_journal();
	state.debug = debug != NULL && strcmp(debug, "1") == 0;
}

void log_init(const char *program, const char *role)
{
	init(program, role, 0);
}

void log_init_tool(const char *program)
{
	init(program, NULL, 1);
}

const char *log_show(char *out, unsigned long size, const void *bytes, unsigned long n)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *p = bytes, *end = p + n;
	size_t at = 0, whole = 0; /* whole: last place from which "..." still fits */

	if (size == 0)
		return out;
	while (p < end) {
		uint32_t c = 0;
		size_t len = utf8_next(&c, p, end);
		int plain = len > 0 && !utf8_control(c) && !utf8_deceptive(c);
		size_t take = len > 0 ? len : 1, need = plain ? take : 4 * take;

		if (size - 1 - at < need)
			break;
		for (size_t i = 0; i < take; i++, p++) {
			if (plain) {
				out[at++] = (char)*p;
				continue;
			}
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = digit[*p >> 4];
			out[at++] = digit[*p & 15];
		}
		if (at + 3 < size)
			whole = at;
	}
	if (p < end) {
		at = whole;
		for (unsigned i = 0; i < 3 && at + 1 < size; i++)
			out[at++] = '.';
	}
	out[at] = '\0';
	return out;
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error";
	case LOG_LEVEL_WARNING: return "warning";
	case LOG_LEVEL_DEBUG: return "debug";
	default: return "info";
	}
}

static int prefix(char *out, size_t size, enum log_level level)
{
	const char *open = state.role != NULL ? "[" : "", *close = state.role != NULL ? "]" : "";
	const char *role = state.role != NULL ? state.role : "";
	char iso[21];
	uint64_t ms;

	if (state.tool)
		return snprintf(out, size, "%s: ", state.program);
	if (state.journal)
		return snprintf(out, size, "<%d>%s%s%s%s", (int)level, open, role, close, state.role != NULL ? " " : "");
	ms = clock_wall_ms();
	clock_iso(iso, ms / 1000);
	iso[19] = '\0'; /* the milliseconds come before the Z */
	return snprintf(out, size, "%s.%03uZ %s%s%s%s %s: ", iso, (unsigned)(ms % 1000), state.program, open, role, close,
	    level_word(level));
}

static void line(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX_LEN], out[LINE_MAX_LEN];
	int kept = errno, n, len;
	size_t at;

	n = prefix(out, LINE_MAX_LEN - TEXT_MAX_LEN, level);
	at = n < 0 ? 0 : n < LINE_MAX_LEN - TEXT_MAX_LEN ? (size_t)n : LINE_MAX_LEN - TEXT_MAX_LEN - 1;
	fmt = gettext(fmt);
	errno = kept; /* for %m */
	len = vsnprintf(text, sizeof text, fmt, ap);
	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof text)
		len = (int)sizeof text - 1;
	log_show(out + at, sizeof out - at - 1, text, (size_t)len);
	at += strlen(out + at);
	out[at++] = '\n';
	/* Nowhere to report that the report failed. */
	if (write(STDERR_FILENO, out, at) < 0)
		errno = kept;
	errno = kept;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!state.debug)
		return;
	va_start(ap, fmt);
	line(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

void log_die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(code);
}
