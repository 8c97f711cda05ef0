/* inspect.c - see inspect.h. */
#include "sender/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content/magic.h"
#include "sender/messages.h"

static ssize_t read_start(int fd, uint8_t *buf, size_t n)
{
	ssize_t got;

	do
		got = pread(fd, buf, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

int inspect_claimed(int fd, uint64_t size, uint32_t *checks, char *why, size_t why_size)
{
	uint8_t start[MAGIC_LEN];
	struct stat st;
	const char *kind;
	ssize_t n;

	*checks = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		snprintf(why, why_size, "it is not the file that was claimed");
		return 1;
	}
	n = read_start(fd, start, sizeof(start));
	if (n < 0) {
		snprintf(why, why_size, "it cannot be read: %s", strerror(errno));
		return 1;
	}
	kind = magic_program(start, (size_t)n);
	if (kind != NULL) {
		snprintf(why, why_size, "it is a program (%s), whatever its name says", kind);
		return 1;
	}
	*checks = CHECK_PROGRAM;
	return 0;
}

unsigned inspect_names(uint32_t checks, const char **out, unsigned max)
{
	static const struct { uint32_t bit; const char *name; } known[] = {
		{ 0, "name" }, { CHECK_PROGRAM, "program" }, { 0, "size" }, /* by name */
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && n < max; i++)
		if ((checks & known[i].bit) == known[i].bit)
			out[n++] = known[i].name;
	return n;
}
