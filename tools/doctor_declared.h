/* doctor_declared.h - what no host can show, as the city says it: a file, doctor.conf beside the configuration unless
 * --declared names another.  tools/packaging/conf/doctor.conf is one to fill in. */
#ifndef KM_DOCTOR_DECLARED_H
#define KM_DOCTOR_DECLARED_H

#include <stdint.h>

enum { DOCTOR_TEXT_MAX = 512, DOCTOR_ITEMS_MAX = 17 };

struct doctor_declared {
	/* Records that exist elsewhere: which, of when, who has them. */
	char cabling[DOCTOR_TEXT_MAX];         /* R5 */
	char sign_in[DOCTOR_TEXT_MAX];         /* R9 */
	char model[DOCTOR_TEXT_MAX];           /* R13 */
	char audit[DOCTOR_TEXT_MAX];           /* R13 */
	char ordinance[DOCTOR_TEXT_MAX];       /* R17: who compared the mapping with the text */
	char diode[DOCTOR_TEXT_MAX];           /* R8: the record of its self-test */
	char disk_encryption[DOCTOR_TEXT_MAX]; /* R14: where this host cannot see it */
	char wireless[DOCTOR_TEXT_MAX];        /* R11: why there is some */
	char exception[DOCTOR_TEXT_MAX];       /* R7: recorded, and shown beside "not met" */
	/* What belongs to this host: words, separated by blanks. */
	char interfaces[DOCTOR_TEXT_MAX];      /* R1, beside the link's and lo */
	char resolvers[DOCTOR_TEXT_MAX];       /* R1: addresses inside the zone */
	char time_servers[DOCTOR_TEXT_MAX];    /* R1: the same, names or addresses */
	char endpoints[DOCTOR_TEXT_MAX];       /* R7: networks that the sender may reach, as 192.0.2.0/24 */
	char unchecked[DOCTOR_TEXT_MAX];       /* R12: channels whose content is not looked at, by decision */
	uint64_t log_years;                    /* R16: 3 unless said */
	uint64_t key_days;                     /* R6: a key may be so old; 0: no limit */
	struct doctor_item_said {
		char number[32];               /* R15: the guideline's 例文番号 of this item */
		char ordinance[32];            /* R17: item numbers, where the proposed ones are not right */
	} item[DOCTOR_ITEMS_MAX];
};

/* 0, or EXIT_CONFIG or EXIT_SYSTEM after one logged line.  A file that is not there is empty unless needed. */
int doctor_declared_read(struct doctor_declared *s, const char *path, int needed) __attribute__((warn_unused_result));

#endif
