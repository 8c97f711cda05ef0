/* child.h - run a function in a child and see how it ended and what it wrote
 * to standard error; and a temporary directory.  For functions that end the
 * process, and for the logger. */
#ifndef KM_TEST_CHILD_H
#define KM_TEST_CHILD_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	int code;   /* exit code, or -signal */
	char text[65536];
	size_t len;
};

/* env: "JOURNAL_STREAM" is set to the pipe itself where journal != 0. */
static inline void child_run(struct child *c, void (*function)(void *), void *argument, int journal)
{
	int p[2], status;
	ssize_t n;

	fflush(NULL);
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct stat st;
		char stream[64];
		if (dup2(p[1], STDERR_FILENO) < 0 || fstat(STDERR_FILENO, &st) != 0)
			_exit(99);
		close(p[0]);
		close(p[1]);
		(void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
		if (journal)
			setenv("JOURNAL_STREAM", stream, 1);
		function(argument);
		_exit(0);
	}
	close(p[1]);
	c->len = 0;
	while ((n = read(p[0], c->text + c->len, sizeof c->text - 1 - c->len)) > 0)
		c->len += (size_t)n;
	c->text[c->len] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	c->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A fresh directory, its path in path; child_rmdir() removes it and all in it. */
static inline void child_mkdir(char path[static 256])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(path, 256, "%s/katamichi-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
}

static inline void child_rmdir(const char *path)
{
	char command[512];

	(void)snprintf(command, sizeof command, "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

#endif
