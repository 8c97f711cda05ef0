/* corpus_main.c - runs a fuzzer once over files, without libFuzzer: what was
 * found once stays found, also where there is no clang.  make test links it to
 * every tests/fuzz/fuzz_X.c and names the files of tests/fuzz/corpus/X. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { INPUT_MAX = 16 << 20 /* bytes */ };

static int run(const char *name)
{
	FILE *f = fopen(name, "rb");
	uint8_t *buf;
	size_t n;

	if (f == NULL) {
		perror(name);
		return -1;
	}
	buf = malloc(INPUT_MAX);
	if (buf == NULL)
		abort();
	n = fread(buf, 1, INPUT_MAX, f);
	fclose(f);
	/* A copy of the exact size, so that a read past the end is seen by the sanitizers. */
	uint8_t *exact = malloc(n > 0 ? n : 1);
	if (exact == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		exact[i] = buf[i];
	free(buf);
	/* Said before, so that the last line names the file that kills the process. */
	printf("%s\n", name);
	fflush(stdout);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		if (run(argv[i]) != 0)
			bad = 1;
	return bad;
}
