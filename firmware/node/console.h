/* console.h - lines of key=value for a console that only transmits.
 *
 * A line is a word and then pairs, "count t=12 pass=34\r\n"; it goes into a
 * buffer that console_pump() empties at the speed of the wire, so that no line
 * holds a frame up.  What does not fit is left out, a whole line at a time. */
#ifndef KM_FIRMWARE_CONSOLE_H
#define KM_FIRMWARE_CONSOLE_H

#include <stdint.h>

void console_begin(const char *word);
void console_text(const char *key, const char *value);
void console_dec(const char *key, uint64_t value);
void console_hex(const char *key, uint32_t value); /* 8 digits */
void console_end(void);
void console_pump(void);  /* as many bytes as the transmitter takes at once */
void console_flush(void); /* all of it, before a reset; ends by itself if the transmitter stands still */

#endif
