/* reason.h - the reason why something was refused or set aside, for people.
 *
 * The ledger, the quarantine and JSON keep the English sentence that the process
 * which found it wrote ("row 3 has 5 columns, the first 4"): facts are the same in
 * any language.  Shown to people it is translated: the catalogue has the sentences
 * with their directives ("row %llu has %llu columns, the first %llu"), and a table
 * made of the sources at build time (reasons.h) tells which these are. */
#ifndef KM_REASON_H
#define KM_REASON_H

#include <stddef.h>

/* In the reader's language, or as it is.  Valid until the fourth call after this. */
const char *reason_show(const char *english);

/* What errno says, for what is kept: English in any locale, where strerror() speaks to people. */
const char *reason_errno(int error);
/* A sentence that is kept in English, made; xgettext knows the format (tools/po/messages.sh). */
void reason_put(char *to, size_t room, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
