/* log_format.h: a log line in the forms of others, whatever stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/log_format.h"
#include "tests/unit/seeded.h"

static const struct log_fields about = { LOG_EVENT_QUARANTINED, "eltax", "76c26bdf", "mihon", 12 };
static const struct log_fields nothing;
static char out[LOG_FORMAT_MAX + 1];

static struct log_line line_of(const struct log_fields *f, const char *text)
{
	return (struct log_line){ "katamichi-receiver", "store", "zone", "0.1.0", 812, 1795227963123u, LOG_LEVEL_WARNING, f, text };
}

static const char *made(size_t (*format)(char *, const struct log_line *), const struct log_fields *f, const char *text)
{
	struct log_line l = line_of(f, text);
	size_t n = format(out, &l);

	assert_true(n <= LOG_FORMAT_MAX);
	out[n] = '\0';
	return out;
}

/* Every field is a line; what is not known is left out. */
static void journal(void **state)
{
	(void)state;
	assert_string_equal(made(log_format_journal, &about, "set aside: 不正.csv"),
	    "PRIORITY=4\nSYSLOG_IDENTIFIER=katamichi-receiver\nMESSAGE_ID=e687a99a7bab4551bd730c51addc2e72\nKATAMICHI_EVENT=quarantined\n"
	    "KATAMICHI_CHANNEL=eltax\nKATAMICHI_NUMBER=12\nKATAMICHI_OBJECT=76c26bdf\nKATAMICHI_PEER=mihon\nKATAMICHI_PROCESS=store\n"
	    "MESSAGE=set aside: 不正.csv\n");
	assert_string_equal(made(log_format_journal, &nothing, "x"),
	    "PRIORITY=4\nSYSLOG_IDENTIFIER=katamichi-receiver\nKATAMICHI_PROCESS=store\nMESSAGE=x\n");
	/* A value with a newline would bring a field of its own. */
	const struct log_fields forged = { .event = LOG_EVENT_NONE, .peer = "a\nPRIORITY=0" };
	assert_null(strstr(made(log_format_journal, &forged, "x"), "PRIORITY=0"));
}

static void rfc5424(void **state)
{
	(void)state;
	assert_string_equal(made(log_format_rfc5424, &about, "set aside: 不正.csv"),
	    "<28>1 2026-11-21T02:26:03.123Z zone katamichi-receiver 812 quarantined [katamichi@32473 channel=\"eltax\" number=\"12\""
	    " object=\"76c26bdf\" peer=\"mihon\" process=\"store\"] \xef\xbb\xbfset aside: 不正.csv");
	assert_string_equal(made(log_format_rfc5424, &nothing, "x"),
	    "<28>1 2026-11-21T02:26:03.123Z zone katamichi-receiver 812 - [katamichi@32473 process=\"store\"] \xef\xbb\xbfx");
	/* What ends a value is escaped. */
	const struct log_fields quoted = { .event = LOG_EVENT_SESSION, .peer = "a\"]\\b" };
	assert_non_null(strstr(made(log_format_rfc5424, &quoted, "x"), " peer=\"a\\\"\\]\\\\b\" "));
}

static void cef(void **state)
{
	const struct log_fields odd = { .event = LOG_EVENT_SESSION, .peer = "a=b\\c" };

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_string_equal(made(log_format_cef, &about, "ALARM: a|b = c\\d"),
	    "<28>Nov 21 11:26:03 zone CEF:0|katamichi|katamichi-receiver|0.1.0|quarantined|ALARM: a\\|b = c\\\\d|6|rt=1795227963123 dvchost=zone"
	    " dvcpid=812 cs1Label=channel cs1=eltax cn1Label=number cn1=12 cs2Label=object cs2=76c26bdf cs3Label=peer cs3=mihon sproc=store"
	    " msg=ALARM: a|b \\= c\\\\d");
	assert_non_null(strstr(made(log_format_cef, &odd, "x"), " cs3Label=peer cs3=a\\=b\\\\c "));
}

/* Texts of any length and kind fit, and are cut between characters. */
static void long_texts(void **state)
{
	size_t (*const format[])(char *, const struct log_line *) = { log_format_journal, log_format_rfc5424, log_format_cef };
	static const char *const piece[] = { "\\", "|", "=", "\"", "]", "x", "県" };
	static char text[3 * LOG_FORMAT_MAX];

	(void)state;
	for (int i = 0; i < 300; i++) {
		size_t n = 0, want = seeded_below(i % 2 == 0 ? LOG_FORMAT_MAX : 200);
		while (n < want) {
			const char *p = piece[seeded_below(7)];
			memcpy(text + n, p, strlen(p));
			n += strlen(p);
		}
		text[n] = '\0';
		for (int f = 0; f < 3; f++) {
			const struct log_fields fields = { LOG_EVENT_DELIVERED, text, text, text, 1 };
			made(format[f], i % 3 == 0 ? &fields : &about, text);
			size_t len = strlen(out);
			/* the last byte ends a character */
			assert_true(f == 0 || len < 3 || (unsigned char)out[len - 1] < 0x80 ||
			    (((unsigned char)out[len - 3] & 0xf0) == 0xe0 && ((unsigned char)out[len - 1] & 0xc0) == 0x80));
		}
	}
}

/* Ids are what people filter by: each once, 32 hex digits. */
static void ids(void **state)
{
	(void)state;
	for (int e = LOG_EVENT_NONE + 1; e < LOG_EVENTS; e++) {
		assert_non_null(log_event_id((enum log_event)e));
		assert_int_equal(strspn(log_event_id((enum log_event)e), "0123456789abcdef"), 32);
		assert_true(strlen(log_event_name((enum log_event)e)) <= 32); /* MSGID of RFC 5424 */
		for (int o = LOG_EVENT_NONE + 1; o < e; o++) {
			assert_string_not_equal(log_event_id((enum log_event)e), log_event_id((enum log_event)o));
			assert_string_not_equal(log_event_name((enum log_event)e), log_event_name((enum log_event)o));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(journal), cmocka_unit_test(rfc5424), cmocka_unit_test(cef),
		cmocka_unit_test(long_texts), cmocka_unit_test(ids) };

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
