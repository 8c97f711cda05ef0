/* doctor.h - katamichi doctor: does the host that it runs on stand as the rules ask?  An item for each of R1-R17.
 *
 * A check gathers facts of the host (what stands in /proc, /sys and /etc, the packet filter's rules, our own files) and
 * says what follows from them:
 *	met          the facts show it
 *	declared     no host can show it; somebody has said so, in the file of declarations
 *	cannot tell  neither
 *	not met      a fact contradicts it
 * The worst that was said counts, in this order.  Nothing is changed, and nothing is certified: the facts are for the
 * auditor.  Each fact is one line, translated where it is written down; with --json it is English.
 *
 * --root DIR reads /proc, /sys, /etc and the rules (DIR/nft.json and nft.txt, from `nft -j list ruleset` and `nft list
 * ruleset`) of a copy: of a host that somebody has sent, or of a test. */
#ifndef KM_DOCTOR_H
#define KM_DOCTOR_H

#include <jansson.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>

#include "host/i18n.h"
#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"
#include "tools/doctor_declared.h"

enum doctor_verdict { DOCTOR_MET, DOCTOR_DECLARED, DOCTOR_CANNOT_TELL, DOCTOR_NOT_MET };
enum { DOCTOR_SENDER = 1, DOCTOR_RECEIVER = 2, DOCTOR_BOTH = 3, DOCTOR_ITEMS = 17 };

struct doctor { /* of one run */
	const char *root;              /* "" or "DIR" */
	unsigned role;                 /* DOCTOR_SENDER or DOCTOR_RECEIVER */
	struct sender_conf sender;     /* the one of the role is filled */
	struct receiver_conf receiver;
	struct doctor_declared said;
	char device[IF_NAMESIZE];      /* the link's; empty: not found */
	json_t *rules;                 /* of nftables; NULL: not to be had */
	enum doctor_verdict verdict;   /* of the item that is being checked */
	json_t *facts;                 /* of it: strings */
};

struct doctor_item {
	const char *id;                /* "R1" */
	unsigned roles;                /* which end has to show it */
	void (*check)(struct doctor *d);
	/* The audit guideline's columns, in our own words. */
	const char *subject, *question, *documents, *method, *jis, *notes;
	const char *ordinance;         /* item numbers, proposed: doctor_items.c */
	const char *basis;             /* where the requirement comes from */
};
extern const struct doctor_item doctor_item[DOCTOR_ITEMS];

/* A fact, and what it says of the item.  fmt is translated already. */
void doctor_fact(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_wrong(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_unclear(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Somebody's word, or, where it is empty, that there is none: the name of its key in the file of declarations. */
void doctor_word(struct doctor *d, const char *key, const char *value);

/* --- reading the host (doctor_host.c); paths without the root --- */
/* A whole file, malloc'd with a NUL behind; NULL if it is not there or larger than 16 MB. */
char *doctor_read(const struct doctor *d, const char *path);
char *doctor_read_stream(FILE *f); /* the same, of what is open */
/* A number in a file; otherwise if it is not there. */
long doctor_number(const struct doctor *d, const char *path, long otherwise);
int doctor_there(const struct doctor *d, const char *path);
/* Each name in a directory but "." and "..", in order; how many. */
int doctor_each(struct doctor *d, const char *path, void (*each)(struct doctor *d, const char *dir, const char *name));
/* Each line of a file, comments (#) and blanks cut; how many files' lines; -1: not there. */
int doctor_lines(struct doctor *d, const char *path, void (*each)(struct doctor *d, const char *path, char *line));
/* Is word one of the words in list? */
int doctor_has(const char *list, const char *word);
/* Fills device and rules. */
void doctor_look(struct doctor *d);
json_t *doctor_rules(const struct doctor *d); /* doctor_rules.c */
void doctor_free(struct doctor *d);

/* --- the checks --- */
void doctor_separated(struct doctor *d);   /* doctor_net.c: R1 */
void doctor_addresses(struct doctor *d);   /* doctor_link.c: R2 */
void doctor_port(struct doctor *d);        /* R3 */
void doctor_no_internet(struct doctor *d); /* doctor_net.c: R7 */
void doctor_one_way(struct doctor *d);     /* doctor_link.c: R8 */
void doctor_wireless(struct doctor *d);    /* doctor_net.c: R11 */
void doctor_pinned(struct doctor *d);      /* doctor_data.c: R4 */
void doctor_keys(struct doctor *d);        /* R6 */
void doctor_media(struct doctor *d);       /* doctor_media.c: R10 */
void doctor_content(struct doctor *d);     /* doctor_data.c: R12 */
void doctor_rest(struct doctor *d);        /* doctor_disk.c: R14 */
void doctor_logs(struct doctor *d);        /* R16 */
void doctor_cabling(struct doctor *d);     /* doctor_said.c: R5 */
void doctor_sign_in(struct doctor *d);     /* R9 */
void doctor_model(struct doctor *d);       /* R13 */
void doctor_format(struct doctor *d);      /* R15 */
void doctor_ordinance(struct doctor *d);   /* R17 */

/* --- the result: [{id, verdict, applies, subject, ..., facts}] --- */
const char *doctor_verdict_name(enum doctor_verdict v); /* for people */
const char *doctor_verdict_word(enum doctor_verdict v); /* in JSON */
json_t *doctor_run(struct doctor *d);
void doctor_page(const struct doctor *d, const json_t *results, FILE *out);

#endif
