/* console.c - see console.h */
#include "node/console.h"

#include <stddef.h>

#include "driver/uart.h"

enum { SIZE = 2048, PATIENCE = 10000000 /* looks at a transmitter that stands still */ };

static char buffer[SIZE];
static unsigned from, used; /* what waits: buffer[from .. from + used - 1], in a ring */
static unsigned line;       /* bytes of the line that is being made, behind that */
static int cut;

static void put(char c)
{
	if (used + line == SIZE)
		cut = 1;
	else
		buffer[(from + used + line++) % SIZE] = c;
}

static void puts_(const char *s)
{
	while (*s != '\0')
		put(*s++);
}

void console_begin(const char *word)
{
	line = 0;
	cut = 0;
	puts_(word);
}

static void key(const char *k)
{
	put(' ');
	puts_(k);
	put('=');
}

void console_text(const char *k, const char *value)
{
	key(k);
	puts_(value);
}

void console_dec(const char *k, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	key(k);
	/* 32 bits as soon as they are enough: a division of 64 is a long loop. */
	for (; value >> 32 != 0; value /= 10)
		digits[n++] = (char)('0' + value % 10);
	uint32_t rest = (uint32_t)value;
	do
		digits[n++] = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	while (n > 0)
		put(digits[--n]);
}

void console_hex(const char *k, uint32_t value)
{
	key(k);
	for (unsigned shift = 32; shift > 0; shift -= 4)
		put("0123456789abcdef"[value >> (shift - 4) & 15]);
}

void console_end(void)
{
	puts_("\r\n");
	if (!cut)
		used += line;
	line = 0;
}

void console_pump(void)
{
	while (used > 0 && uart_room()) {
		uart_put(buffer[from]);
		from = (from + 1) % SIZE;
		used--;
	}
}

void console_flush(void)
{
	for (uint32_t i = 0; i < PATIENCE && (used > 0 || !uart_idle()); i++)
		console_pump();
}
