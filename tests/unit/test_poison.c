/* poison.c (store.h): an object that the check process dies of is set aside, with its row, and no other with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/ipc_send.h"
#include "host/log.h"
#include "receiver/receiver_proc.h"
#include "receiver/store.h"
#include "tests/unit/tmpdir.h"

static struct store s;
static int link_end; /* what the link process would read */

static int directory(const char *name)
{
	const char *path = tmpdir_path(name);

	return mkdir(path, 0700) == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static int fresh(void **state)
{
	int pair[2];

	/* First, while the store process's descriptor of link is nobody else's. */
	ipc_pair(pair);
	link_end = fcntl(pair[1], F_DUPFD_CLOEXEC, 100);
	if (link_end < 0 || dup2(pair[0], STORE_FD_LINK) < 0 || tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	memset(&s, 0, sizeof(s));
	s.conf.peers = 1;
	strcpy(s.conf.peer[0].name, "outside");
	memset(s.fingerprint[0], 'a', sizeof(s.fingerprint[0]) - 1);
	s.parts.dir = s.parts_dir = directory("parts");
	s.quarantine = directory("quarantine");
	ledger_open(&s.ledger, tmpdir_path("ledger.db"));
	return s.parts_dir >= 0 && s.quarantine >= 0 ? 0 : -1;
}

static int gone(void **state)
{
	ledger_close(&s.ledger);
	return tmpdir_remove(state);
}

static struct job *object(uint8_t id)
{
	struct job *j = calloc(1, sizeof(*j));
	int data, map;

	assert_non_null(j);
	assert_int_equal(part_store_create(&s.parts, &j->slot, &data, &map), 0);
	close(data);
	close(map);
	memset(j->id, id, sizeof(j->id));
	return j;
}

static void set_aside_after_five(void **state)
{
	struct job *bad = object(0xBA), *early = object(0xEA), *later = object(0x1A);
	const uint32_t slot = bad->slot;
	struct ipc_msg *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	job_append(&s, bad);
	job_append(&s, later);
	bad->sent = early->sent = true;
	s.sent = 1;
	s.early = early;
	for (int deaths = 0; deaths < STORE_ATTEMPTS; deaths++) {
		assert_int_equal(poison_suspect(&s, slot), deaths > 0);
		assert_false(poison_set_aside(&s, bad));
		poison_check_died(&s);
		/* The check process saw this one too, the first time; from then on it is not opened early. */
		assert_true(poison_suspect(&s, early->slot));
		s.early = NULL;
	}
	assert_false(poison_suspect(&s, later->slot)); /* was never before it */
	assert_false(poison_set_aside(&s, early));
	assert_true(poison_set_aside(&s, bad));
	/* Kept as it came, out of the queue, in the ledger, and link will not gather it again. */
	assert_int_equal(faccessat(s.quarantine, "sealed-babababababababababababababababa", F_OK, 0), 0);
	assert_ptr_equal(s.jobs, later);
	assert_int_equal(s.sent, 0);
	assert_int_equal(s.waiting, 1);
	assert_int_equal(quarantine_count(&s.ledger), 1);
	assert_int_equal(db_int(&s.ledger.db, "SELECT count(*) FROM object WHERE id = 'babababababababababababababababa'", ""), 1);
	assert_int_equal(ipc_recv(link_end, m), IPC_GOT);
	assert_int_equal(m->type, MSG_DONE);
	assert_int_equal(((const struct msg_done *)ipc_body(m, sizeof(struct msg_done)))->key[0].id[0], 0xBA);
	free(early);
	free(later);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(set_aside_after_five, fresh, gone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
