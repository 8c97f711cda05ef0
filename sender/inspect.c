/* inspect.c - see inspect.h. */
#include "sender/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content/magic.h"
#include "host/i18n.h"
#include "host/reason.h"

enum { PIECE = 256 << 10 };

static ssize_t read_piece(int fd, uint8_t *buf, size_t n, uint64_t at)
{
	ssize_t got;

	do
		got = pread(fd, buf, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got;
}

/* All of it, or as much as the policy needs to know.  0, or -1 with errno, or 1: the content says no. */
static int look(struct content *c, const struct inspect_file *f)
{
	static uint8_t buf[PIECE];
	uint64_t need = content_needs_all(c) ? f->size : f->size < MAGIC_LEN ? f->size : MAGIC_LEN;

	if (f->bytes != NULL)
		return content_bytes(c, f->bytes, (size_t)need) != 0 || content_end(c) != 0;
	for (uint64_t at = 0; at < need;) {
		ssize_t n = read_piece(f->fd, buf, need - at < PIECE ? (size_t)(need - at) : PIECE, at);

		if (n <= 0) {
			errno = n == 0 ? ESTALE : errno;
			return -1;
		}
		if (content_bytes(c, buf, (size_t)n) != 0)
			return 1;
		at += (uint64_t)n;
	}
	return content_end(c) != 0;
}

int inspect_claimed(struct content *c, const struct content_policy *p, const struct inspect_file *f, uint32_t *checks,
    char *why, size_t why_size)
{
	struct stat st;
	int result;

	*checks = 0;
	if (f->bytes == NULL && (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->size)) {
		snprintf(why, why_size, N_("it is not the file that was claimed"));
		return 1;
	}
	content_begin(c, p, f->name, f->name_len);
	result = look(c, f);
	if (result != 0) {
		if (result < 0)
			snprintf(why, why_size, N_("it cannot be read: %s"), reason_errno(errno));
		else
			snprintf(why, why_size, "%s", content_why(c));
		return 1;
	}
	*checks = content_made(c);
	return 0;
}

unsigned inspect_names(uint32_t all, uint32_t any, const char **out, unsigned max)
{
	static const char *const admitted[] = { "name", "size" };

	return content_check_names((all & ~(uint32_t)CONTENT_TYPES) | (any & CONTENT_TYPES), admitted, 2, out, max);
}
