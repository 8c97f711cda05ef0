/* fuzz_conf.c - conf.h: a file of any bytes is read, or refused with a message;
 * what was read is within its bounds. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/conf.h"
#include "host/exits.h"
#include "host/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

struct config {
	char path[64], before, word[8], after;
	uint64_t size, rate, time, count;
	double ratio;
	int flag;
};

/* As sender.conf has it. */
static int parse_loss(void *object, const char *value, const char **why)
{
	struct config *c = object;
	double share;

	*why = "is no share";
	if (units_ratio(value, &share) != 0 || !(share <= 0.9))
		return -1;
	c->ratio = share;
	return 0;
}

#define AT(m) offsetof(struct config, m)
static const struct conf_key keys[] = {
	{ "sender", "keys", CONF_PATH, AT(path), 64, 0, 0, 1, NULL },
	{ "sender", "word", CONF_STRING, AT(word), 8, 0, 0, 0, NULL },
	{ "link", "rate", CONF_RATE, AT(rate), 0, 1000, 0, 0, NULL },
	{ "link", "burst", CONF_TIME, AT(time), 0, 0, 3600000000000, 0, NULL },
	{ "link", "loss", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_loss },
	{ "link", "count", CONF_COUNT, AT(count), 0, 2, 9, 0, NULL },
	{ "link", "constant", CONF_BOOL, AT(flag), 0, 0, 0, 0, NULL },
	{ "channel ", "max_file", CONF_SIZE, AT(size), 0, 0, 0, 0, NULL },
};
static const char *const required[] = { "sender", NULL };

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	(void)kind;
	if (strlen(name) > 63)
		abort();
	*why = "is refused";
	return strcmp(name, "bad") == 0 ? NULL : config;
}

static void must(int true_)
{
	if (!true_)
		abort();
}

/* The messages themselves are not wanted, those of a sanitizer are. */
static int read_quietly(const struct conf_schema *schema, int fd)
{
	static int null = -1, kept = -1;
	int code;

	if (null < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
		if (__sanitizer_set_report_fd != NULL)
			__sanitizer_set_report_fd((void *)(intptr_t)kept);
	}
	(void)dup2(null, STDERR_FILENO);
	code = conf_read(schema, "/etc/katamichi/t.conf", fd);
	(void)dup2(kept, STDERR_FILENO);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c = { .before = 'b', .after = 'a' };
	const struct conf_schema schema = { keys, sizeof keys / sizeof keys[0], section, &c, required };
	static int fd = -1;
	int code;

	if (fd < 0)
		fd = memfd_create("conf", MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	code = read_quietly(&schema, fd);
	must(code == 0 || code == EXIT_CONFIG);
	must(memchr(c.path, '\0', sizeof c.path) != NULL && memchr(c.word, '\0', sizeof c.word) != NULL);
	must(c.before == 'b' && c.after == 'a');
	must(c.ratio >= 0 && c.ratio < 1 && (c.flag == 0 || c.flag == 1));
	must((c.rate == 0 || c.rate >= 1000) && c.time <= 3600000000000 && (c.count == 0 || (c.count >= 2 && c.count <= 9)));
	if (code == 0)
		must(c.path[0] == '/');
	return 0;
}
