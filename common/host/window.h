/* window.h - the pieces of large files that were written last, in shared memory:
 * who reads a file just behind the one who writes it takes them from there, and
 * the disk only has to write.
 *
 * One process writes; it fills a piece, which then is what it writes to the file
 * (past the page cache), and shows it as the bytes of a file at a place until it
 * needs the piece for others.  A reader copies; whether a piece was changed meanwhile
 * is seen afterwards.  Or it keeps a piece, where it lies, and the writer then takes another
 * one for what comes next.  Whoever finds nothing reads the file.  So what is in a
 * window is only ever what is in the file, or will be.
 *
 * The memory is a memfd whose size is sealed, so that no access can fault.  A reader
 * believes nothing in it but what it copied or kept, as far as it would believe the file.  The
 * writer believes no reader: one that keeps everything has it write elsewhere, and shows it nothing more.
 *
 *   at 0     a head for each piece: turn, key, index, u64 each; turn is odd while the piece shows nothing
 *   at 4096  the reader's: how often it keeps each piece, u32 each
 *   at 8192  the pieces */
#ifndef KM_WINDOW_H
#define KM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WINDOW_PIECE = 1 << 20, WINDOW_PIECES_MAX = 128 };

struct window {
	struct window_head *head;
	_Atomic uint32_t *kept; /* written by the reader only */
	uint8_t *data;
	unsigned pieces;
};

/* The memfd of a new one, or -1 and errno. */
int window_create(unsigned pieces) __attribute__((warn_unused_result));
/* Map it: 0, or -1 and errno (EINVAL: not a window, or its size is not sealed).  The memfd may be closed afterwards.
 * One reader, which keeps nothing to begin with. */
int window_open(struct window *w, int memfd, bool writer) __attribute__((warn_unused_result));
void window_close(struct window *w);

/* Writer: WINDOW_PIECE bytes, aligned to a page.  They may be changed while they show nothing, as in the beginning. */
uint8_t *window_piece(const struct window *w, unsigned i);
void window_hide(struct window *w, unsigned i);
bool window_take_back(struct window *w, unsigned i); /* the same, unless the reader keeps it: then false, and it is shown */
/* Piece i holds WINDOW_PIECE bytes of the file `key` from index * WINDOW_PIECE on; no other piece does any longer. */
void window_show(struct window *w, unsigned i, uint64_t key, uint64_t index);
void window_hide_file(struct window *w, uint64_t key); /* all that is shown of it */

/* Reader: bytes [at, at + n) of the file, as far as they lie in one piece that is shown: how many were copied, or 0. */
size_t window_copy(const struct window *w, uint64_t key, uint64_t at, uint8_t *out, size_t n);
/* Reader: where the WINDOW_PIECE bytes of the file from index * WINDOW_PIECE on lie, and will until they are let go, by
 * the number in *piece; NULL: nowhere. */
const uint8_t *window_keep(const struct window *w, uint64_t key, uint64_t index, unsigned *piece);
void window_let_go(const struct window *w, unsigned piece);

#endif
