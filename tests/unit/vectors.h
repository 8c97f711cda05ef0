/* vectors.h - tests/vectors/NAME.txt: lines of `name = hexadecimal` (PROTOCOL.md, section 10). */
#ifndef KM_VECTORS_H
#define KM_VECTORS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "codec/hex.h"
#include "codec/party.h"

#ifndef KM_SRC
#define KM_SRC "."
#endif

struct vector {
	uint8_t *b;
	size_t n;
};

/* Memory that lives until the end of the test program, and can be reached until then. */
static struct vector_kept {
	struct vector_kept *next;
	uint8_t b[];
} *vector_kept;

static inline uint8_t *vector_keep(size_t n)
{
	struct vector_kept *k = malloc(sizeof(*k) + n);

	assert_non_null(k);
	k->next = vector_kept;
	vector_kept = k;
	return k->b;
}

static inline struct vector vector_get(const char *file, const char *name)
{
	const char *src = getenv("KATAMICHI_SRC");
	char path[4096], *line = NULL;
	size_t room = 0, len = strlen(name);
	struct vector v = {NULL, 0};

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s.txt", src != NULL ? src : KM_SRC, file);
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("cannot open %s", path);
	while (f != NULL && getline(&line, &room, f) > 0) {
		if (strncmp(line, name, len) != 0 || strncmp(line + len, " = ", 3) != 0)
			continue;
		const char *text = line + len + 3;

		v.n = strcspn(text, "\n") / 2;
		v.b = vector_keep(v.n + 1);
		if (hex_get(v.b, v.n, text, 2 * v.n) != 0)
			fail_msg("%s: %s is not hexadecimal", path, name);
		v.b[v.n] = '\0';
		break;
	}
	if (v.b == NULL)
		fail_msg("%s: no %s", path, name);
	free(line);
	(void)fclose(f);
	return v;
}

/* "PREFIX.NAME" */
static inline struct vector vector_of(const char *file, const char *prefix, const char *name)
{
	char full[128];

	(void)snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return vector_get(file, full);
}

/* A party of party.txt, with its secrets; in crypto_secret_alloc() memory, as everywhere. */
static inline struct party_secret *vector_party(const char *name)
{
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));

	assert_non_null(s);
	s->pub.role = vector_of("party", name, "role").b[0] == 1 ? PARTY_SENDER : PARTY_RECEIVER;
	crypto_sign_keypair_seed(s->pub.sign, s->sign, vector_of("party", name, "ed25519_seed").b);
	memcpy(s->dh, vector_of("party", name, "x25519_secret").b, KEY_LEN);
	crypto_dh_public(s->pub.dh, s->dh);
	party_finish(&s->pub);
	return s;
}

#define assert_vector(v, bytes, len) do { \
	assert_int_equal((v).n, len); \
	assert_memory_equal((v).b, bytes, len); \
} while (0)

#endif
