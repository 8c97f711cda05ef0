/* log.c - see log.h */
#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/utf8.h"
#include "host/clock.h"
#include "host/i18n.h"
#include "host/log_format.h"
#include "host/log_private.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

/* A line leaves in one write(), and a write of at most 4096 bytes (PIPE_BUF)
 * into a pipe is not torn apart by those of our other processes. */
enum { LINE_MAX_LEN = 4096, TEXT_MAX_LEN = 3840 };

static struct {
	const char *program;
	const char *role;
	int journal; /* standard error is the journal */
	int tool;
	int debug;
	int own_journal; /* the journal's own socket is open */
	int syslog, cef; /* syslog's is; in this form */
	char host[64];
} state = { .program = "katamichi", .tool = 1 };
static _Thread_local struct log_fields about;
static const struct log_fields nothing;

void log_fields_set(const struct log_fields *f)
{
	about = *f;
}

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

int log_to_journal(void)
{
	return state.journal;
}

static int is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

void log_sinks_find(void)
{
	const char *said = getenv(LOG_SINKS_ENV);

	if (said == NULL)
		return;
	state.own_journal = state.journal && strstr(said, "journal") != NULL && is_socket(LOG_FD_JOURNAL);
	state.cef = strstr(said, "cef") != NULL;
	state.syslog = (state.cef || strstr(said, "rfc5424") != NULL) && is_socket(LOG_FD_SYSLOG);
	tzset(); /* while /etc/localtime can be read */
}

unsigned log_sinks(int fd[static LOG_FDS_MAX])
{
	unsigned n = 0;

	if (state.own_journal)
		fd[n++] = LOG_FD_JOURNAL;
	if (state.syslog)
		fd[n++] = LOG_FD_SYSLOG;
	return n;
}

int log_close_others(unsigned from)
{
	int fd[LOG_FDS_MAX];
	unsigned n = log_sinks(fd);

	for (unsigned i = 0; i < n; i++) {
		if (from < (unsigned)fd[i] && close_range(from, (unsigned)fd[i] - 1, 0) != 0)
			return -1;
		if (fcntl(fd[i], F_SETFD, FD_CLOEXEC) != 0)
			return -1;
		from = (unsigned)fd[i] + 1;
	}
	return close_range(from, ~0u, 0);
}

void log_init(const char *program, const char *role)
{
	init(program, role, 0);
	if (gethostname(state.host, sizeof(state.host) - 1) != 0 || state.host[0] == '\0' || strpbrk(state.host, " |=\\\n") != NULL)
		strcpy(state.host, "-");
	/* What a main process finds in its environment is not ours. */
	if (role == NULL)
		(void)unsetenv(LOG_SINKS_ENV);
	else
		log_sinks_find();
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

/* Copies for those who take fields.  1: the journal has it, so that standard error need not. */
static int tell_sinks(enum log_level level, const char *text)
{
	struct log_line l = { .program = state.program, .role = state.role, .host = state.host, .version = KM_VERSION,
		.pid = (long)getpid(), .wall_ms = clock_wall_ms(), .level = level, .about = &about, .text = text };
	char out[LOG_FORMAT_MAX];
	size_t n;

	if (state.syslog) {
		n = state.cef ? log_format_cef(out, &l) : log_format_rfc5424(out, &l);
		if (write(LOG_FD_SYSLOG, out, n) < 0)
			errno = 0; /* nowhere to report it */
	}
	if (!state.own_journal)
		return 0;
	n = log_format_journal(out, &l);
	return write(LOG_FD_JOURNAL, out, n) == (ssize_t)n;
}

static void line(enum log_level level, const char *fmt, va_list ap)
{
	char text[TEXT_MAX_LEN], shown[LINE_MAX_LEN], out[LINE_MAX_LEN];
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
	log_show(shown, sizeof shown - at - 1, text, (size_t)len);
	if (!tell_sinks(level, shown)) {
		len = (int)strlen(shown);
		memcpy(out + at, shown, (size_t)len);
		at += (size_t)len;
		out[at++] = '\n';
		/* Nowhere to report that the report failed. */
		if (write(STDERR_FILENO, out, at) < 0)
			errno = kept;
	}
	about = nothing;
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
