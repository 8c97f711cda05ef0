/* publish.h: exactly once, whatever step the process died after; duplicates,
 * forks, places that are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "host/durable.h"
#include "receiver/held.h"
#include "receiver/publish.h"
#include "receiver/quarantine.h"
#include "tests/unit/seeded.h"

static char dir[64], path[80];
static struct ledger l;
static struct publish p;
static struct outfile *out;
static int top;

static int sub(int parent, const char *name)
{
	if (durable_mkdir(parent, name, 0700) != 0)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static struct receiver_conf conf;
static struct quarantine decisions;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%.40s/km-publish-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL || (top = durable_open_dir(dir)) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	ledger_open(&l, path);
	p = (struct publish){ &l, sub(top, "work"), sub(top, "inbox"), sub(top, "quarantine"), syncs_start(), 0 };
	close(sub(p.inbox_fd, "eltax"));
	memset(&conf, 0, sizeof(conf));
	strcpy(conf.channel[0].name, "eltax");
	conf.channels = 1;
	decisions = (struct quarantine){ &p, &conf };
	return (out = outfile_new()) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	outfile_free(out);
	syncs_stop(p.syncs);
	ledger_close(&l);
	close(p.work_fd);
	close(p.inbox_fd);
	close(p.quarantine_fd);
	close(top);
	return durable_remove_tree(AT_FDCWD, dir);
}

/* A transfer of one file, built in work/NAME; its manifest's bytes are `text`. */
static void build(struct transfer *t, struct publish_item *it, const char *name, uint64_t number, const char *text, const char *previous)
{
	uint8_t digest[HASH_LEN];

	transfer_begin(t, p.work_fd, name, out);
	transfer_file(t, (const uint8_t *)"a.csv", 5, strlen(text));
	transfer_data(t, (const uint8_t *)text, strlen(text));
	crypto_sha256(digest, text, strlen(text));
	transfer_file_end(t, digest);
	transfer_put(t, "MANIFEST.json", text, strlen(text));
	transfer_put(t, "MANIFEST.json.sig", "s", 1);
	transfer_put(t, "SHA256SUMS", "x", 1);
	assert_int_equal(t->error, 0);
	assert_string_equal(t->reason, "");
	memset(it, 0, sizeof(*it));
	it->transfer = t;
	strcpy(it->stream.sender, "aa");
	strcpy(it->stream.channel, "eltax");
	strcpy(it->stream.generation, "01");
	it->number = number;
	hex_put(it->manifest, digest, HASH_LEN);
	strcpy(it->previous, previous != NULL ? previous : chain_first);
	snprintf(it->object, sizeof(it->object), "%.32s", it->manifest);
	it->files = 1;
	it->bytes = strlen(text);
	it->checks = "names records";
}

static bool exists(int base, const char *name)
{
	struct stat st;

	return fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_file(const char *name, const char *text)
{
	char got[64] = "";
	int fd = openat(p.inbox_fd, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	assert_string_equal(got, text);
}

static int64_t rows(const char *event)
{
	char like[64];
	struct ledger_verdict v;

	ledger_verify(&l.db, &v);
	assert_null(v.why);
	snprintf(like, sizeof(like), "%%\"event\":\"%s\"%%", event);
	return db_int(&l.db, "SELECT count(*) FROM ledger WHERE entry LIKE ?", "t", like);
}

/* Entries of a directory. */
static unsigned entries(int base)
{
	DIR *d = fdopendir(openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void delivered(void **state)
{
	struct transfer t;
	struct publish_item it;
	struct stat st;

	(void)state;
	build(&t, &it, "w", 7, "one", NULL);
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, 0);
	assert_string_equal(it.dir, "eltax/00000007");
	assert_file("eltax/00000007/files/a.csv", "one");
	assert_int_equal(entries(p.work_fd), 0);
	assert_int_equal(rows("delivered"), 1);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM intent", ""), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM object", ""), 1);
	assert_int_equal(db_int(&l.db, "SELECT sum(last - first + 1) FROM gap", ""), 6);
	assert_int_equal(fstatat(p.inbox_fd, "eltax/00000007/files", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
}

/* Dead after each step, started again: published once, or built again and then published once. */
static void dead_after_each_step(void **state)
{
	(void)state;
	for (int step = 0; step <= 4; step++) {
		struct transfer t;
		struct publish_item it;
		char text[16], place[64];
		uint64_t number = (uint64_t)step + 1;
		snprintf(text, sizeof(text), "step %d", step);
		snprintf(place, sizeof(place), "eltax/%08d/files/a.csv", step + 1);
		build(&t, &it, "w", number, text, NULL);
		if (step >= 1)
			publish_sync(&p, &it, 1);
		else
			transfer_end(&t);
		if (step >= 2)
			publish_intend(&p, &it, 1);
		if (step >= 3)
			publish_rename(&p, &it, 1);
		if (step >= 4)
			publish_record(&p, &it, 1);
		free(it.entry);
		/* dead; started again */
		ledger_close(&l);
		ledger_open(&l, path);
		assert_int_equal(publish_recover(&p), step == 3);
		assert_int_equal(entries(p.work_fd), 0);
		assert_int_equal(db_int(&l.db, "SELECT count(*) FROM intent", ""), 0);
		assert_int_equal(exists(p.inbox_fd, place), step >= 3);
		assert_int_equal(rows("delivered"), step >= 3 ? number : number - 1);
		/* the sealed object comes again */
		build(&t, &it, "w", number, text, NULL);
		publish_batch(&p, &it, 1);
		assert_int_equal(it.error, 0);
		assert_int_equal(it.duplicate, step >= 3);
		assert_file(place, text);
		assert_int_equal(rows("delivered"), number);
		assert_int_equal(entries(p.work_fd), 0);
	}
	assert_int_equal(rows("fork"), 0);
}

static void duplicate_and_fork(void **state)
{
	struct transfer t[4];
	struct publish_item it[4];
	char forked[80];

	(void)state;
	build(&t[0], &it[0], "a", 1, "first", NULL);
	build(&t[1], &it[1], "b", 1, "first", NULL);  /* the same in one batch */
	build(&t[2], &it[2], "c", 1, "second", NULL); /* a fork in one batch */
	build(&t[3], &it[3], "d", 2, "third", it[0].manifest);
	publish_batch(&p, it, 4);
	assert_false(it[0].fork || it[0].duplicate);
	assert_true(it[1].duplicate);
	assert_true(it[2].fork);
	assert_false(it[3].fork || it[3].duplicate);
	snprintf(forked, sizeof(forked), "eltax/00000001.fork-%.8s", it[2].manifest);
	assert_string_equal(it[2].dir, forked);
	assert_file("eltax/00000001/files/a.csv", "first");
	strcat(forked, "/files/a.csv");
	assert_file(forked, "second");
	assert_int_equal(rows("delivered"), 2);
	assert_int_equal(rows("fork"), 1);
	assert_int_equal(entries(p.work_fd), 0);
	/* a new generation begins with 1 again: no fork, and apart */
	build(&t[0], &it[0], "a", 2, "third", NULL);
	strcpy(it[0].stream.generation, "02");
	publish_batch(&p, it, 1);
	assert_false(it[0].fork || it[0].duplicate);
	assert_string_equal(it[0].dir, "eltax/00000002.g-02");
	/* but within it the same number twice is one */
	build(&t[0], &it[0], "a", 2, "fourth", NULL);
	strcpy(it[0].stream.generation, "02");
	publish_batch(&p, it, 1);
	assert_true(it[0].fork);
	/* another sender's number is no fork, and overwrites nothing */
	build(&t[0], &it[0], "a", 1, "other", NULL);
	strcpy(it[0].stream.sender, "bb");
	strcpy(it[0].stream.generation, "03");
	publish_batch(&p, it, 1);
	assert_false(it[0].fork);
	assert_int_equal(it[0].error, 0);
	assert_string_equal(it[0].dir, "eltax/00000001.g-03");
	assert_file("eltax/00000001/files/a.csv", "first");
	assert_int_equal(rows("delivered"), 4);
	/* and that again is a duplicate */
	build(&t[0], &it[0], "a", 1, "other", NULL);
	strcpy(it[0].stream.sender, "bb");
	strcpy(it[0].stream.generation, "03");
	publish_batch(&p, it, 1);
	assert_true(it[0].duplicate);
}

/* The chain of manifests, as far as the neighbours are known. */
static void chain_of_manifests(void **state)
{
	struct transfer t[3];
	struct publish_item it[3];

	(void)state;
	build(&t[0], &it[0], "a", 1, "one", NULL);
	build(&t[1], &it[1], "b", 2, "two", it[0].manifest);
	build(&t[2], &it[2], "c", 3, "three", it[0].manifest); /* should name two's */
	publish_batch(&p, &it[0], 1);
	publish_batch(&p, &it[2], 1); /* its predecessor is not known yet */
	assert_false(it[0].chain_broken || it[2].chain_broken);
	publish_batch(&p, &it[1], 1); /* now it is seen that three does not follow */
	assert_true(it[1].chain_broken);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE entry LIKE '%\"chain\":%'", ""), 1);
}

/* Something stands there that the ledger does not know. */
static void place_is_taken(void **state)
{
	struct transfer t;
	struct publish_item it;

	(void)state;
	/* this very transfer: the database is older than the inbox */
	build(&t, &it, "a", 1, "one", NULL);
	publish_batch(&p, &it, 1);
	db_exec(&l.db, "DELETE FROM delivery; DELETE FROM object");
	build(&t, &it, "a", 1, "one", NULL);
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, 0);
	assert_string_equal(it.dir, "eltax/00000001");
	assert_int_equal(entries(p.work_fd), 0);
	/* something else */
	close(sub(p.inbox_fd, "eltax/00000002"));
	build(&t, &it, "a", 2, "two", it.manifest);
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, 0);
	assert_non_null(strstr(it.dir, "00000002.m-"));
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE entry LIKE '%00000002.m-%'", ""), 1);
	assert_false(exists(p.inbox_fd, "eltax/00000002/files"));
	/* a dangling link is something too */
	assert_int_equal(symlinkat("nowhere", p.inbox_fd, "eltax/00000003"), 0);
	build(&t, &it, "a", 3, "three", it.manifest);
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, 0);
	assert_non_null(strstr(it.dir, "00000003.m-"));
}

static void quarantined(void **state)
{
	struct transfer t;
	struct publish_item it;
	struct stat st;

	(void)state;
	build(&t, &it, "a", 0, "bad", NULL);
	it.manifest[0] = it.previous[0] = '\0';
	it.base = PUBLISH_QUARANTINE;
	it.reason = "a.csv is an ELF program";
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, 0);
	assert_int_equal(fstatat(p.quarantine_fd, it.dir, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(rows("quarantined"), 1);
	assert_int_equal(rows("delivered"), 0);
	assert_int_equal(entries(p.inbox_fd), 1); /* the channel's directory */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE entry LIKE '%\"reason\":\"a.csv is an ELF program\"%'", ""), 1);
}

static int64_t count(const char *table)
{
	char q[160];

	snprintf(q, sizeof(q), "SELECT count(*) FROM %s", table);
	return db_int(&l.db, q, "");
}

/* A number that stands in the quarantine is neither delivered nor a gap; the
 * same transfer, good, is delivered after all, and no fork of itself. */
static void good_after_quarantined(void **state)
{
	struct transfer t[2];
	struct publish_item it[2];

	(void)state;
	build(&t[0], &it[0], "a", 1, "one", NULL);
	strcpy(it[0].object, "0123");
	it[0].base = PUBLISH_QUARANTINE;
	it[0].reason = "a.csv is a program";
	publish_batch(&p, it, 1);
	assert_int_equal(count("delivery"), 0);
	assert_int_equal(count("gap"), 0);
	assert_int_equal(count("aside WHERE number = 1 AND reason LIKE '%program'"), 1);
	assert_int_equal(db_int(&l.db, "SELECT delivered FROM stream", ""), 0);
	build(&t[0], &it[0], "a", 1, "one", NULL); /* the same object once more */
	strcpy(it[0].object, "0123");
	it[0].base = PUBLISH_QUARANTINE;
	it[0].reason = "a.csv is a program";
	publish_batch(&p, it, 1);
	assert_true(it[0].duplicate);
	assert_int_equal(count("aside"), 1);
	assert_int_equal(rows("quarantined"), 1);
	/* quarantined and good in one batch */
	build(&t[0], &it[0], "a", 1, "one", NULL);
	strcpy(it[0].object, "4567");
	it[0].base = PUBLISH_QUARANTINE;
	it[0].reason = "its bytes were cut off";
	build(&t[1], &it[1], "b", 1, "one", NULL);
	publish_batch(&p, it, 2);
	assert_false(it[1].duplicate || it[1].fork || it[1].error != 0);
	assert_string_equal(it[1].dir, "eltax/00000001");
	assert_file("eltax/00000001/files/a.csv", "one");
	assert_int_equal(count("aside"), 0);
	assert_int_equal(count("delivery"), 1);
}

static int disk_error;

/* What many files are made durable by, with a disk that fails. */
int syncfs(int fd)
{
	if (disk_error == 0)
		return (int)syscall(SYS_syncfs, fd);
	errno = disk_error;
	return -1;
}

/* It is told once for all files: whoever is building others has to know (publish.h). */
static void not_written(void **state)
{
	struct transfer t;
	struct publish_item it;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		disk_error = i == 0 ? EIO : 0;
		build(&t, &it, "a", 3, "three", NULL);
		it.files = 1000; /* as far as syncs are concerned */
		publish_batch(&p, &it, 1);
		assert_int_equal(it.error, disk_error);
		assert_int_equal(p.sync_error, disk_error);
		assert_int_equal(count("delivery"), i);
		assert_int_equal(exists(p.inbox_fd, "eltax/00000003"), i);
	}
}

/* Dead between the rename and the record: the reason is not lost. */
static void quarantined_and_dead(void **state)
{
	struct transfer t;
	struct publish_item it;

	(void)state;
	build(&t, &it, "a", 3, "three", NULL);
	it.base = PUBLISH_QUARANTINE;
	it.reason = "a.csv is a program";
	publish_sync(&p, &it, 1);
	publish_intend(&p, &it, 1);
	publish_rename(&p, &it, 1);
	free(it.entry);
	assert_int_equal(publish_recover(&p), 1);
	assert_int_equal(count("aside WHERE number = 3 AND reason = 'a.csv is a program' AND dir <> ''"), 1);
	assert_int_equal(count("delivery"), 0);
}

/* A transfer of three files, of which the middle one did not pass. */
static void build_mixed(struct transfer *t, struct publish_item *it)
{
	static const char *const name[] = { "a.csv", "b.csv", "c.csv" };
	uint8_t digest[HASH_LEN];

	transfer_begin(t, p.work_fd, "w", out);
	for (int i = 0; i < 3; i++) {
		transfer_file(t, (const uint8_t *)name[i], 5, 1);
		transfer_data(t, (const uint8_t *)name[i], 1);
		if (i == 1)
			transfer_bad(t, "csv names", "line 1 has other columns");
		crypto_sha256(digest, name[i], 1);
		transfer_file_end(t, digest);
	}
	transfer_put(t, "MANIFEST.json", "m", 1);
	transfer_put(t, "MANIFEST.json.sig", "s", 1);
	transfer_put(t, "SHA256SUMS", "x", 1);
	memset(it, 0, sizeof(*it));
	it->transfer = t;
	strcpy(it->stream.sender, "aa");
	strcpy(it->stream.channel, "eltax");
	strcpy(it->stream.generation, "01");
	it->number = 1;
	crypto_sha256(digest, "m", 1);
	hex_put(it->manifest, digest, HASH_LEN);
	strcpy(it->previous, chain_first);
	strcpy(it->object, "0123456789abcdef0123456789abcdef");
	it->files = 3;
	it->bytes = 3;
	it->checks = "csv names";
	held_apart(t, it);
	assert_int_equal(t->error, 0);
}

static void start_again(void)
{
	ledger_close(&l);
	ledger_open(&l, path);
	publish_recover(&p);
	quarantine_start(&decisions);
	assert_int_equal(entries(p.work_fd), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM intent", ""), 0);
}

#define ENTRY "eltax-00000001-01234567-2"

static void assert_mixed_published(void)
{
	assert_file("eltax/00000001/files/a.csv", "a");
	assert_file("eltax/00000001/files/c.csv", "c");
	assert_false(exists(p.inbox_fd, "eltax/00000001/files/b.csv"));
	assert_false(exists(p.inbox_fd, "eltax/00000001/held"));
	assert_true(exists(p.inbox_fd, "eltax/00000001/QUARANTINE.json"));
	assert_true(exists(p.quarantine_fd, ENTRY "/files/b.csv"));
	assert_true(exists(p.quarantine_fd, ENTRY "/MANIFEST.json.sig"));
	assert_int_equal(entries(p.quarantine_fd), 1);
	assert_int_equal(rows("delivered"), 1);
	assert_int_equal(rows("quarantined"), 1);
	assert_int_equal(rows("fork"), 0);
	assert_int_equal(quarantine_count(&l), 1);
}

/* One bad file: the rest is delivered, it alone is held, whatever step the process died after, and once. */
static void one_bad_file(void **state)
{
	(void)state;
	for (int step = 0; step <= 5; step++) {
		struct transfer t;
		struct publish_item it;
		if (step > 0) {
			assert_int_equal(teardown(NULL), 0);
			assert_int_equal(setup(NULL), 0);
		}
		build_mixed(&t, &it);
		if (step >= 1)
			publish_sync(&p, &it, 1);
		else
			transfer_end(&t);
		if (step >= 2)
			publish_intend(&p, &it, 1);
		if (step == 3) { /* the bad file is in the quarantine, the rest is not published */
			assert_int_equal(renameat(p.work_fd, it.part[0].work, p.quarantine_fd, it.part[0].dir), 0);
		} else if (step >= 4) {
			publish_rename(&p, &it, 1);
		}
		if (step >= 5)
			publish_record(&p, &it, 1);
		publish_free(&it);
		start_again();
		/* Until the rest is there the object is not done with. */
		assert_int_equal(db_int(&l.db, "SELECT count(*) FROM object", ""), step >= 4);
		build_mixed(&t, &it);
		publish_batch(&p, &it, 1);
		assert_int_equal(it.duplicate, step >= 4);
		publish_free(&it);
		assert_int_equal(entries(p.work_fd), 0);
		assert_mixed_published();
	}
}

static int ask(const char *what, const char *entry, const char *operator, const char *why)
{
	db_run(&l.db, "INSERT INTO quarantine_request(what, entry, operator, reason, login, at) VALUES(?, ?, ?, ?, 'root', 0)", "tttt",
	    what, entry, operator, why);
	quarantine_run(&decisions);
	return (int)db_int(&l.db, "SELECT code FROM quarantine_request ORDER BY id DESC LIMIT 1", "");
}

static void publish_mixed(void)
{
	struct transfer t;
	struct publish_item it;

	build_mixed(&t, &it);
	publish_batch(&p, &it, 1);
	publish_free(&it);
}

#define RELEASED "eltax/00000001.released-01234567-2"

static void assert_released(void)
{
	struct stat st;

	assert_file(RELEASED "/files/b.csv", "b");
	assert_true(exists(p.inbox_fd, RELEASED "/RELEASE.json"));
	assert_true(exists(p.inbox_fd, RELEASED "/MANIFEST.json"));
	assert_int_equal(fstatat(p.inbox_fd, RELEASED "/files", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(entries(p.quarantine_fd), 0);
	assert_int_equal(rows("released"), 1);
	assert_int_equal(quarantine_count(&l), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM delivery", ""), 1);
}

/* What operators decide is done once, and its row says who and why. */
static void decisions_once(void **state)
{
	(void)state;
	publish_mixed();
	assert_int_equal(ask("release", "no-such-entry", "山田", "checked by hand"), QUARANTINE_NO);
	assert_int_equal(ask("release", ENTRY, " ", "checked by hand"), QUARANTINE_NO);
	assert_int_equal(ask("release", ENTRY, "山田", ""), QUARANTINE_NO);
	assert_int_equal(ask("release", ENTRY, "山田\n", "x"), QUARANTINE_NO);
	assert_int_equal(ask("steal", ENTRY, "山田", "x"), QUARANTINE_NO);
	assert_int_equal(ask("release", ENTRY, "山田", "checked by hand"), QUARANTINE_DONE);
	assert_released();
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE json_extract(entry, '$.operators[0].operator') = '山田' AND"
	    " json_extract(entry, '$.operators[0].reason') = 'checked by hand' AND json_extract(entry, '$.file') = 'b.csv'", ""), 1);
	assert_int_equal(ask("release", ENTRY, "山田", "once more"), QUARANTINE_NO);
	assert_int_equal(ask("discard", ENTRY, "山田", "once more"), QUARANTINE_NO);
	assert_released();
	publish_mixed(); /* the object comes again: nothing of it is quarantined again */
	assert_released();
}

/* Whose word counts twice, and who has no name. */
static void operators(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} row[] = {
		{ "山田 太郎", "山田　太郎", true }, { "　山田", "山田", true }, { "Ｚ＿ｚ～", "z_Z~", true }, { "山田", "山口", false },
		{ "a", "ab", false }, { "あ", "い", false }, { "\ue000", "\ue001", false }, /* gaiji */
		{ "ガ", "カ\u3099", true },                   /* NFC and NFD */
		{ "ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダタロウ", true },        /* half-width kana */
		{ "山\u200b田", "山田", true }, { "山田\u2060", "山田", true }, { "\u00ad山田", "山田", true }, /* what nobody sees */
		{ "葛\U000e0100城", "葛城", true },           /* a variation selector */
		{ "\ufa19山", "神山", true },                 /* a compatibility ideograph */
		{ "Ｙａｍａｄａ", "YAMADA", true }, { "ÄRA", "a\u0308ra", true },
		{ "山田・太郎", "山田 太郎", true }, { "山田（総務）", "山田(総務)", true }, { "カ", "ガ", false }, { "佐藤1", "佐藤2", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(quarantine_same_operator(row[i].a, row[i].b), row[i].same);
		assert_int_equal(quarantine_same_operator(row[i].b, row[i].a), row[i].same);
	}
	assert_false(quarantine_text_ok("　 ", QUARANTINE_OPERATOR_MAX));
	assert_false(quarantine_text_ok("", QUARANTINE_OPERATOR_MAX));
	assert_false(quarantine_text_ok("\u200b\u3164", QUARANTINE_OPERATOR_MAX)); /* nothing that could be seen */
	assert_false(quarantine_text_ok("...", QUARANTINE_OPERATOR_MAX));
	assert_true(quarantine_text_ok("山田　太郎", QUARANTINE_OPERATOR_MAX));
	assert_true(quarantine_same_operator("\xef\xbc", "\xef\xbc")); /* cut off: nothing is read behind the end */
}

/* Two operators: the second has to be another one, however the first spells the name. */
static void two_operators(void **state)
{
	(void)state;
	publish_mixed();
	conf.channel[0].two = 1;
	assert_int_equal(ask("release", ENTRY, "Yamada Taro", "checked"), QUARANTINE_ANOTHER);
	assert_int_equal(ask("release", ENTRY, "yamada  taro ", "checked again"), QUARANTINE_ANOTHER);
	assert_int_equal(ask("release", ENTRY, "\u3000Ｙａｍａｄａ\u3000ＴＡＲＯ\u00a0", "as an input method writes it"), QUARANTINE_ANOTHER);
	assert_int_equal(rows("released"), 0);
	assert_int_equal(rows("approved"), 1);
	start_again(); /* the first word outlives it */
	assert_int_equal(ask("release", ENTRY, "Suzuki", "agreed"), QUARANTINE_DONE);
	assert_released();
	assert_int_equal(db_int(&l.db, "SELECT json_array_length(entry, '$.operators') FROM ledger ORDER BY seq DESC LIMIT 1", ""), 2);
}

/* Dead at any step of a release: it happens once, or is asked for still. */
static void release_and_dead(void **state)
{
	(void)state;
	for (int step = 0; step < 3; step++) {
		struct publish_item it = { .base = PUBLISH_RELEASE, .number = 1, .kept = "file", .kept_file = true, .file_len = 5, .index = 2,
			.file = "b.csv", .checks = "", .reason = "x", .dir = RELEASED, .work = ENTRY };
		if (step > 0) {
			assert_int_equal(teardown(NULL), 0);
			assert_int_equal(setup(NULL), 0);
		}
		publish_mixed();
		strcpy(it.stream.sender, "aa");
		strcpy(it.stream.channel, "eltax");
		strcpy(it.stream.generation, "01");
		db_exec(&l.db, "INSERT INTO quarantine_request(what, entry, operator, reason, login, at) VALUES('release', '" ENTRY "', 'a', 'b',"
		    " x'63ff', 0)"); /* a login that is no text does not stop the ledger */
		if (step >= 1)
			publish_intend(&p, &it, 1);
		if (step >= 2) {
			int fd = openat(p.quarantine_fd, ENTRY "/RELEASE.json", O_CREAT | O_WRONLY, 0640);
			close(fd);
			assert_int_equal(fchmodat(p.quarantine_fd, ENTRY "/files", 0750, 0), 0);
			publish_rename(&p, &it, 1);
		}
		free(it.entry);
		start_again();
		quarantine_run(&decisions);
		assert_released();
		assert_int_equal(db_int(&l.db, "SELECT code FROM quarantine_request", ""), QUARANTINE_DONE);
		assert_int_equal(db_int(&l.db, "SELECT count(*) FROM quarantine_request WHERE code IS NULL", ""), 0);
	}
}

static void discarded(void **state)
{
	(void)state;
	publish_mixed();
	assert_int_equal(ask("discard", ENTRY, "山田", "not wanted"), QUARANTINE_DONE);
	assert_int_equal(entries(p.quarantine_fd), 0);
	assert_int_equal(rows("discarded"), 1);
	assert_int_equal(quarantine_count(&l), 0);
	/* dead before it was removed */
	close(sub(p.quarantine_fd, ENTRY));
	start_again();
	assert_int_equal(entries(p.quarantine_fd), 0);
}

/* A whole transfer goes to its number's place, and one that no sender signed never goes anywhere. */
static void whole_transfers(void **state)
{
	struct transfer t[2];
	struct publish_item it[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		build(&t[i], &it[i], i == 0 ? "a" : "b", (uint64_t)i + 1, i == 0 ? "one" : "two", NULL);
		it[i].base = PUBLISH_QUARANTINE;
		it[i].reason = "a.csv: is a program";
		it[i].kept = i == 0 ? "transfer" : "unverified";
	}
	publish_batch(&p, it, 2);
	assert_int_equal(count("aside"), 2);
	assert_int_equal(ask("release", it[0].dir, "山田", "known"), QUARANTINE_DONE);
	assert_file("eltax/00000001/files/a.csv", "one");
	assert_int_equal(count("aside"), 1);
	assert_int_equal(count("delivery"), 1);
	assert_int_equal(rows("released"), 1);
	assert_int_equal(ask("release", it[1].dir, "山田", "known"), QUARANTINE_NO);
	assert_int_equal(count("delivery"), 1);
	/* delivered meanwhile */
	build(&t[0], &it[0], "a", 3, "three", NULL);
	it[0].base = PUBLISH_QUARANTINE;
	it[0].kept = "transfer";
	it[0].reason = "x";
	strcpy(it[0].object, "89ab");
	publish_batch(&p, it, 1);
	build(&t[1], &it[1], "b", 3, "three", NULL);
	publish_batch(&p, &it[1], 1);
	assert_int_equal(ask("release", it[0].dir, "山田", "known"), QUARANTINE_NO);
}

/* The disk fails under it: nothing is published, nothing is left. */
static void no_channel_directory(void **state)
{
	struct transfer t;
	struct publish_item it;

	(void)state;
	build(&t, &it, "a", 1, "one", NULL);
	strcpy(it.stream.channel, "pittari"); /* not there */
	publish_batch(&p, &it, 1);
	assert_int_equal(it.error, ENOENT);
	assert_int_equal(entries(p.work_fd), 0);
	assert_int_equal(rows("delivered"), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM intent", ""), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM object", ""), 0);
}

/* Events that the check process would never send. */
static void transfers_refuse(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} bad[] = { { "..", 2 }, { "a/b", 3 }, { "", 0 }, { "a\0b", 3 }, { ".x", 2 }, { "a\nb", 3 } };
	struct transfer t;
	uint8_t digest[HASH_LEN] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		transfer_begin(&t, p.work_fd, "w", out);
		transfer_file(&t, (const uint8_t *)bad[i].name, bad[i].n, 1);
		assert_true(t.reason[0] != '\0');
		transfer_data(&t, (const uint8_t *)"x", 1);
		transfer_remove(&t);
	}
	transfer_begin(&t, p.work_fd, "w", out);
	transfer_data(&t, (const uint8_t *)"x", 1); /* without a file */
	assert_true(t.reason[0] != '\0');
	transfer_remove(&t);
	transfer_begin(&t, p.work_fd, "w", out);
	transfer_file(&t, (const uint8_t *)"a", 1, 2);
	transfer_data(&t, (const uint8_t *)"xyz", 3); /* more than was said */
	assert_true(t.reason[0] != '\0');
	transfer_remove(&t);
	transfer_begin(&t, p.work_fd, "w", out);
	transfer_file(&t, (const uint8_t *)"a", 1, 1);
	transfer_data(&t, (const uint8_t *)"x", 1);
	transfer_file_end(&t, digest); /* another hash */
	assert_true(t.reason[0] != '\0');
	transfer_remove(&t);
	transfer_begin(&t, p.work_fd, "w", out);
	transfer_file(&t, (const uint8_t *)"a", 1, 0);
	transfer_file(&t, (const uint8_t *)"a", 1, 0); /* twice: O_EXCL */
	assert_int_equal(t.error, EEXIST);
	transfer_remove(&t);
	transfer_begin(&t, p.work_fd, "w", out);
	transfer_file(&t, (const uint8_t *)"a", 1, 1ull << 62); /* more than any disk has: known before a byte of it is written */
	assert_int_equal(t.error, ENOSPC);
	transfer_remove(&t);
	assert_int_equal(entries(p.work_fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(delivered, setup, teardown),
		cmocka_unit_test_setup_teardown(dead_after_each_step, setup, teardown),
		cmocka_unit_test_setup_teardown(duplicate_and_fork, setup, teardown),
		cmocka_unit_test_setup_teardown(chain_of_manifests, setup, teardown),
		cmocka_unit_test_setup_teardown(place_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(quarantined, setup, teardown),
		cmocka_unit_test_setup_teardown(good_after_quarantined, setup, teardown),
		cmocka_unit_test_setup_teardown(not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(quarantined_and_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(one_bad_file, setup, teardown),
		cmocka_unit_test_setup_teardown(decisions_once, setup, teardown),
		cmocka_unit_test(operators),
		cmocka_unit_test_setup_teardown(two_operators, setup, teardown),
		cmocka_unit_test_setup_teardown(release_and_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(discarded, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_transfers, setup, teardown),
		cmocka_unit_test_setup_teardown(no_channel_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(transfers_refuse, setup, teardown),
	};

	if (crypto_init() != 0)
		return 1;
	seeded_init();
	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
