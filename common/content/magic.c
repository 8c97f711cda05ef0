/* magic.c - see magic.h. */
#include "content/magic.h"

#include <string.h>
#include <strings.h>

struct magic {
	const char *bytes;
	size_t n;
	const char *kind;
};

#define M(bytes, kind) { bytes, sizeof(bytes) - 1, kind }

static const struct magic table[] = {
	M("\x7f" "ELF", "ELF"),
	M("\xfe\xed\xfa\xce", "Mach-O"),
	M("\xfe\xed\xfa\xcf", "Mach-O"),
	M("\xce\xfa\xed\xfe", "Mach-O"),
	M("\xcf\xfa\xed\xfe", "Mach-O"),
	M("\xca\xfe\xba\xbe", "Java class or universal Mach-O"),
	M("\xca\xfe\xba\xbf", "universal Mach-O"),
	M("\xbe\xba\xfe\xca", "universal Mach-O"),
	M("dex\n", "Android"),
	M("\0asm", "WebAssembly"),
	M("#!", "script"),
	M("\xef\xbb\xbf#!", "script"),
	/* A shell link begins with its own size (76) and its class id. */
	M("\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46", "Windows shortcut"),
};

/* "MZ" alone is also how a line of text may begin.  A program that Windows
 * would load has its header's offset, below 16 MB, within these bytes, so a
 * zero byte; text has none. */
static int is_dos(const uint8_t *p, size_t n)
{
	return n > 2 && (memcmp(p, "MZ", 2) == 0 || memcmp(p, "ZM", 2) == 0) &&
	    memchr(p, 0, n < MAGIC_LEN ? n : MAGIC_LEN) != NULL;
}

const char *magic_program(const uint8_t *p, size_t n)
{
	static const char batch[] = "@echo off";

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (n >= table[i].n && memcmp(p, table[i].bytes, table[i].n) == 0)
			return table[i].kind;
	if (n >= sizeof(batch) - 1 && strncasecmp((const char *)p, batch, sizeof(batch) - 1) == 0)
		return "batch file";
	return is_dos(p, n) ? "Windows or DOS" : NULL;
}
