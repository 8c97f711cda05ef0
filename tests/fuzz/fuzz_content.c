/* fuzz_content.c - what a channel carries (content.h).  The first byte chooses the name, so
 * the type; the file is fed whole and in pieces whose lengths follow from its bytes: the same
 * answer and the same checks, and a reason exactly where it is refused. */
#include <stdlib.h>
#include <string.h>

#include "content/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
	if (!true_)
		abort();
}

static int feed(struct content *c, const char *name, const uint8_t *data, size_t n, int whole)
{
	static struct content_policy p;
	int result = 0;

	content_policy_of_channel(&p, "pittari");
	content_begin(c, &p, (const uint8_t *)name, strlen(name));
	for (size_t at = 0, m; at < n && result == 0; at += m) {
		uint8_t *piece;

		m = whole ? n : 1 + data[at] % 97u;
		m = m < n - at ? m : n - at;
		piece = malloc(m);
		must(piece != NULL);
		memcpy(piece, data + at, m);
		result = content_bytes(c, piece, m);
		free(piece);
	}
	return result == 0 ? content_end(c) : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a.xml", "a.csv", "a.zip", "a.pdf", "a.jpg", "a.png", "a.zip", "a.xml" };
	static struct content *c;
	const char *name;
	uint32_t made;
	int whole;

	if (c == NULL)
		c = content_new();
	must(c != NULL);
	if (size == 0)
		return 0;
	name = names[data[0] & 7];
	whole = feed(c, name, data + 1, size - 1, 1);
	must((whole == 0) == (content_why(c)[0] == '\0'));
	made = content_made(c);
	must(feed(c, name, data + 1, size - 1, 0) == whole);
	must((whole == 0) == (content_why(c)[0] == '\0'));
	must(whole != 0 || content_made(c) == made);
	return 0;
}
