/* refuse.c - what is refused goes to refused/, with the reason beside it (claim.h).
 *
 * The reason is written first: a crash between the two leaves the file where
 * it was, to be refused again under the same name. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/claim.h"

#define REASON_SUFFIX ".reason.txt"
#define REASON_TMP REASON_SUFFIX ".tmp" /* while it is written (durable.h) */
enum { REFUSE_TRIES = 100000 };

/* By its name each time: whoever clears it may take the folder itself away.  A descriptor, or -1 with errno. */
static int open_refused(const struct claim_folder *f)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(f->folder, "refused", flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	return durable_mkdir(f->folder, "refused", 0755) == 0 ? openat(f->folder, "refused", flags) : -1;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n >= e && strcmp(name + n - e, end) == 0;
}

/* It could be the reason of another file, which may come later and would be written over it. */
static bool is_like_a_reason(const char *name)
{
	return ends_with(name, REASON_SUFFIX) || ends_with(name, REASON_TMP);
}

/* NAME, NAME.1, ... (one that is like a reason begins with NAME.1); where that plus the reason's suffix would be too long
 * for a directory, the name is cut and 8 digits of its hash keep it apart. */
static void target_name(char out[static NAME_MAX_LEN + 1], const char *name, unsigned i)
{
	char number[16] = "", hash[2 * HASH_LEN + 1];
	uint8_t h[HASH_LEN];
	size_t room = NAME_MAX_LEN - (sizeof(REASON_SUFFIX) - 1) - sizeof(number);

	i += is_like_a_reason(name);
	if (i > 0)
		snprintf(number, sizeof(number), ".%u", i);
	if (strlen(name) <= room) {
		snprintf(out, NAME_MAX_LEN + 1, "%s%s", name, number);
		return;
	}
	crypto_sha256(h, name, strlen(name));
	hex_put(hash, h, sizeof(h));
	snprintf(out, NAME_MAX_LEN + 1, "%.*s~%.8s%s", (int)(room - 9), name, hash, number);
}

static int write_reason(const struct claim_folder *f, int refused, const char *target, const char *name, const char *why,
    const char *what)
{
	char text[4096], shown[1200], when[21], file[NAME_MAX_LEN + 1];
	int n;

	clock_iso(when, clock_wall_ms() / 1000);
	n = snprintf(text, sizeof(text), _("File:       %s\nChannel:    %s\nRefused at: %s\nReason:     %s.\nWhat to do: %s.\n"
	    "\nThe file was not sent.  It stands beside this note, unchanged.\n"),
	    log_show(shown, sizeof(shown), name, strlen(name)), f->channel, when, reason_show(why), reason_show(what));
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    snprintf(file, sizeof(file), "%s" REASON_SUFFIX, target) >= (int)sizeof(file)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return durable_write(refused, file, text, (size_t)n, 0644);
}

static int refuse_into(const struct claim_folder *f, int refused, int dir, const char *name, const char *why, const char *what)
{
	char target[NAME_MAX_LEN + 1], shown[1200];
	struct stat st;

	for (unsigned i = 0; i < REFUSE_TRIES; i++) {
		target_name(target, name, i);
		if (fstatat(refused, target, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT || write_reason(f, refused, target, name, why, what) != 0)
			return -1;
		if (renameat2(dir, name, refused, target, RENAME_NOREPLACE) != 0) {
			if (errno == EEXIST)
				continue;
			return errno == ENOENT ? 0 : -1; /* taken away meanwhile: only the note remains */
		}
		log_about(.event = LOG_EVENT_FILE_REFUSED, .channel = f->channel);
		log_warn("%s: refused %s: %s", f->channel, log_show(shown, sizeof(shown), name, strlen(name)), reason_show(why));
		return fsync(refused);
	}
	errno = EEXIST;
	return -1;
}

int claim_refuse(const struct claim_folder *f, int dir, const char *name, const char *why, const char *what)
{
	int refused = open_refused(f), r, kept;

	if (refused < 0)
		return -1;
	r = refuse_into(f, refused, dir, name, why, what);
	kept = errno;
	close(refused);
	errno = kept;
	return r;
}
