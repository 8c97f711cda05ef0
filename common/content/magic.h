/* magic.h - does a file begin like a program?  Pure on bytes; run by the check
 * process of both sides.
 *
 * Recognised: ELF, Windows and DOS programs (MZ), Mach-O (also universal),
 * Java classes, Android DEX, WebAssembly, scripts that name an interpreter
 * ("#!", also behind a byte order mark), Windows shortcuts, and batch files
 * that begin with "@echo off".  A name proves nothing, so it is not asked. */
#ifndef KM_MAGIC_H
#define KM_MAGIC_H

#include <stddef.h>
#include <stdint.h>

enum { MAGIC_LEN = 64 }; /* bytes from the beginning that are enough */

/* The kind of program ("an ELF program"), static; NULL if it is none. */
const char *magic_program(const uint8_t *p, size_t n);

#endif
