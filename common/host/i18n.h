/* i18n.h - messages in the language of the person who reads them (gettext).
 *
 * English stands in the source; tools/po/ja.po has the Japanese.  The locale
 * decides: LC_ALL, LC_MESSAGES or LANG that begins with "ja", or LANGUAGE.
 * Japanese needs no generated locale (a fresh Debian has none): where ja_JP.UTF-8
 * is missing, C.UTF-8 and the catalogue do.  Text is UTF-8 always; in a locale of
 * another encoding (EUC-JP) messages are English, so that none is mangled.
 * Numbers and dates stay as in C: what is printed can be read back.
 *
 * Translated is what people read: log lines (log_error("...") and its like: the
 * format itself, by log.c), output of commands (_("...")), and words that stand
 * in a table and are shown later (N_("...") there, _(word) where it is shown).
 * NEVER translated: JSON, tab-separated output, ledger, manifest, status.json,
 * slips' codes, and what our processes tell each other.  Whole sentences, one
 * format string; ngettext() where a number decides; no fragments pasted together. */
#ifndef KM_I18N_H
#define KM_I18N_H

#include <libintl.h>

#define _(s) gettext(s)
#define N_(s) s

/* Once, at the start of a program, before any sandbox: reads the catalogue,
 * share/locale beside our bin/ or sbin/, or locale/ beside a program in build/.
 * Without a catalogue everything is English.  log_init() and log_init_tool() call it. */
void i18n_init(void);
/* From now on in this language, "ja" or "en", whatever the locale says: for pages that are printed. */
void i18n_language(const char *lang);

#endif
