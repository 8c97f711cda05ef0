/* log_format.c - see log_format.h */
#include "host/log_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"

enum { FACILITY = 3 << 3, VALUE_MAX = 256 };

/* The ids never change: people have written them into their filters. */
static const struct { const char *name, *id; } event[LOG_EVENTS] = {
	[LOG_EVENT_READY] = { "ready", "291b619378c64c369e5d798e78694097" },
	[LOG_EVENT_STOPPED] = { "process-died", "8d28503143fc42dab510c1d09c76eadd" },
	[LOG_EVENT_DELIVERED] = { "delivered", "796ca057b29d4d89b46543b378917b49" },
	[LOG_EVENT_FORK] = { "fork", "4b3e04153cc14594ba6687001f33671e" },
	[LOG_EVENT_QUARANTINED] = { "quarantined", "e687a99a7bab4551bd730c51addc2e72" },
	[LOG_EVENT_REFUSED] = { "refused", "f51c27e44206468aaa14ac0958e5da18" },
	[LOG_EVENT_CHAIN] = { "chain-broken", "021b7ed7ce9347f88c8416c6b12cbdd8" },
	[LOG_EVENT_CLOSING] = { "closing", "2c3f5af71ca44e09bb55e6a30f9ad19a" },
	[LOG_EVENT_GENERATION] = { "generation", "51612282d0264516b9a69af9f65fa151" },
	[LOG_EVENT_SESSION] = { "session", "611542fa8f824add8e9bf07b61035bb0" },
	[LOG_EVENT_REPLAY] = { "replay", "03d716c6299b46fa8384dd0374e95d7d" },
	[LOG_EVENT_STRANGER] = { "stranger", "e17a7db3098a46ac838c13a6c91f487a" },
	[LOG_EVENT_KEY] = { "key-not-valid", "c0ffb786ae0b4d09a6daea713b21f421" },
	[LOG_EVENT_CLOCK] = { "clock-jump", "25efafd265e54a6193df1d23cce22696" },
	[LOG_EVENT_DISK] = { "disk", "301b43bf5b4d4a528761a25e2b039861" },
	[LOG_EVENT_NUMBERED] = { "numbered", "bb5053bc831245a687c0f7b7c394f504" },
	[LOG_EVENT_SENT] = { "sent", "6f94b817c49c4f53ae1d21fb5868762d" },
	[LOG_EVENT_FILE_REFUSED] = { "file-refused", "e82b03b02057429d878c48d72fe4d71f" },
};

const char *log_event_name(enum log_event e)
{
	return e > LOG_EVENT_NONE && e < LOG_EVENTS && event[e].name != NULL ? event[e].name : "-";
}

const char *log_event_id(enum log_event e)
{
	return e > LOG_EVENT_NONE && e < LOG_EVENTS ? event[e].id : NULL;
}

/* --- a bounded buffer --- */
struct buffer {
	char *at, *end;
};

static void put(struct buffer *b, const char *s, size_t n)
{
	size_t room = (size_t)(b->end - b->at);

	if (n > room)
		n = room;
	memcpy(b->at, s, n);
	b->at += n;
}

static void add(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct buffer *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		put(b, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* With a backslash before each of these; never half of such a pair, nor of a character. */
static void escaped(struct buffer *b, const char *s, const char *these, size_t most)
{
	for (size_t i = 0; s[i] != '\0'; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 && (i >= most || b->end - b->at < 8))
			return;
		if (strchr(these, s[i]) != NULL)
			put(b, "\\", 1);
		put(b, &s[i], 1);
	}
}

struct pair {
	const char *name;
	const char *value; /* "" is left out */
};
enum { PAIRS = 5 };

static void pairs_of(struct pair p[static PAIRS], char number[static 24], const struct log_line *l)
{
	(void)snprintf(number, 24, "%llu", l->about->number);
	p[0] = (struct pair){ "channel", l->about->channel != NULL ? l->about->channel : "" };
	p[1] = (struct pair){ "number", l->about->number != 0 ? number : "" };
	p[2] = (struct pair){ "object", l->about->object != NULL ? l->about->object : "" };
	p[3] = (struct pair){ "peer", l->about->peer != NULL ? l->about->peer : "" };
	p[4] = (struct pair){ "process", l->role != NULL ? l->role : "" };
}

/* --- the forms --- */
static void field(struct buffer *b, const char *name, const char *value)
{
	add(b, "%s=", name);
	/* A value must not bring a further line; ours have none, but a peer's name is the configuration's. */
	put(b, value, strcspn(value, "\n"));
	put(b, "\n", 1);
}

size_t log_format_journal(char out[static LOG_FORMAT_MAX], const struct log_line *l)
{
	static const char *const name[PAIRS] = { "KATAMICHI_CHANNEL", "KATAMICHI_NUMBER", "KATAMICHI_OBJECT", "KATAMICHI_PEER",
		"KATAMICHI_PROCESS" };
	struct buffer b = { out, out + LOG_FORMAT_MAX };
	struct pair p[PAIRS];
	char number[24], level[4];

	(void)snprintf(level, sizeof(level), "%d", (int)l->level);
	field(&b, "PRIORITY", level);
	field(&b, "SYSLOG_IDENTIFIER", l->program);
	if (log_event_id(l->about->event) != NULL) {
		field(&b, "MESSAGE_ID", log_event_id(l->about->event));
		field(&b, "KATAMICHI_EVENT", log_event_name(l->about->event));
	}
	pairs_of(p, number, l);
	for (int i = 0; i < PAIRS; i++)
		if (p[i].value[0] != '\0')
			field(&b, name[i], p[i].value);
	field(&b, "MESSAGE", l->text);
	return (size_t)(b.at - out);
}

size_t log_format_rfc5424(char out[static LOG_FORMAT_MAX], const struct log_line *l)
{
	struct buffer b = { out, out + LOG_FORMAT_MAX };
	struct pair p[PAIRS];
	char number[24], at[21];

	clock_iso(at, l->wall_ms / 1000);
	at[19] = '\0';
	add(&b, "<%d>1 %s.%03uZ %s %s %ld %s [katamichi@32473", FACILITY | (int)l->level, at, (unsigned)(l->wall_ms % 1000), l->host,
	    l->program, l->pid, log_event_name(l->about->event));
	pairs_of(p, number, l);
	for (int i = 0; i < PAIRS; i++)
		if (p[i].value[0] != '\0') {
			add(&b, " %s=\"", p[i].name);
			escaped(&b, p[i].value, "\"\\]", VALUE_MAX);
			put(&b, "\"", 1);
		}
	put(&b, "] \xef\xbb\xbf", 5);
	escaped(&b, l->text, "", LOG_FORMAT_MAX);
	return (size_t)(b.at - out);
}

/* 0 to 10, as CEF counts. */
static int severity(enum log_level level)
{
	return level <= LOG_LEVEL_ERROR ? 8 : level == LOG_LEVEL_WARNING ? 6 : 2;
}

size_t log_format_cef(char out[static LOG_FORMAT_MAX], const struct log_line *l)
{
	static const char *const key[PAIRS] = { "cs1Label=channel cs1=", "cn1Label=number cn1=", "cs2Label=object cs2=", "cs3Label=peer cs3=",
		"sproc=" };
	struct buffer b = { out, out + LOG_FORMAT_MAX };
	time_t t = (time_t)(l->wall_ms / 1000);
	struct pair p[PAIRS];
	char number[24], when[24] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	add(&b, "<%d>%s %s CEF:0|katamichi|%s|%s|%s|", FACILITY | (int)l->level, when, l->host, l->program, l->version,
	    log_event_name(l->about->event));
	escaped(&b, l->text, "|\\", VALUE_MAX);
	add(&b, "|%d|rt=%" PRIu64 " dvchost=%s dvcpid=%ld", severity(l->level), l->wall_ms, l->host, l->pid);
	pairs_of(p, number, l);
	for (int i = 0; i < PAIRS; i++)
		if (p[i].value[0] != '\0') {
			add(&b, " %s", key[i]);
			escaped(&b, p[i].value, "=\\", VALUE_MAX);
		}
	put(&b, " msg=", 5);
	escaped(&b, l->text, "=\\", 1024 /* what CEF gives msg room for */);
	return (size_t)(b.at - out);
}
