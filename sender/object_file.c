/* object_file.c - see object_file.h. */
#include "sender/object_file.h"

#include <stdlib.h>
#include <string.h>

#include "host/big.h"

void object_file_init(struct object_file *o, struct disk *d, struct window *window)
{
	memset(o, 0, sizeof(*o));
	o->disk = d;
	o->fd = -1;
	o->window = window;
	o->pieces = window != NULL ? window->pieces : 0;
	o->memory = disk_buffers(OBJECT_FILE_BUFFERS); /* beside a window hardly ever touched */
	for (unsigned i = 0; i < o->pieces + OBJECT_FILE_BUFFERS; i++) {
		o->op[i].write = true;
		o->op[i].buf = i < o->pieces ? window_piece(window, i) : o->memory + (size_t)(i - o->pieces) * DISK_PIECE;
	}
}

void object_file_make(struct object_file *o)
{
	if (o->window == NULL)
		big_make(o->memory, (size_t)OBJECT_FILE_BUFFERS * DISK_PIECE);
}

void object_file_free(struct object_file *o)
{
	object_file_abandon(o);
	free(o->memory);
}

static bool is_under_way(const struct object_file *o, unsigned i)
{
	for (unsigned k = 0; k < o->waiting; k++)
		if (o->under_way[k] == i)
			return true;
	return false;
}

/* A buffer to fill: the piece of the window that has shown its bytes longest, unless the link keeps it; or else one that
 * nobody sees.  Fewer than OBJECT_FILE_BUFFERS are being written, so there is always one. */
static void fill_next(struct object_file *o)
{
	for (unsigned n = 0; n < o->pieces; n++) {
		unsigned i = ++o->turn % o->pieces;
		if (!is_under_way(o, i) && window_take_back(o->window, i)) {
			o->filling = i;
			return;
		}
	}
	o->filling = o->pieces;
	while (is_under_way(o, o->filling))
		o->filling++;
}

void object_file_begin(struct object_file *o, int fd, bool large, uint64_t key)
{
	object_file_abandon(o);
	o->fd = fd;
	o->key = key;
	fill_next(o);
	o->have = 0;
	o->length = 0;
	o->error = 0;
	atomic_store(&o->there, 0);
	if (large)
		(void)disk_direct(fd, true);
}

/* The oldest buffer can be filled again; what became of its piece is known. */
static int reclaim(struct object_file *o)
{
	struct disk_op *op = &o->op[o->under_way[0]];

	disk_wait(o->disk, op);
	memmove(o->under_way, o->under_way + 1, --o->waiting * sizeof(o->under_way[0]));
	if (o->error == 0)
		o->error = op->error;
	/* Pieces are written in order, so all before this one are there, too. */
	if (o->error == 0)
		atomic_store(&o->there, op->at + op->n);
	return o->error == 0 ? 0 : -1;
}

/* What is in the buffer becomes the next piece of the file. */
static struct disk_op *cut(struct object_file *o)
{
	struct disk_op *op = &o->op[o->filling];

	op->fd = o->fd;
	op->n = o->have;
	op->at = o->length - o->have;
	o->have = 0;
	o->under_way[o->waiting++] = o->filling;
	return op;
}

/* The end of the file, with nothing else under way. */
static int put_end(struct object_file *o)
{
	disk_run_here(cut(o));
	return reclaim(o);
}

static int put(struct object_file *o)
{
	struct disk_op *op = cut(o);

	if (o->filling < o->pieces)
		window_show(o->window, o->filling, o->key, op->at / DISK_PIECE);
	disk_submit(o->disk, op);
	int r = o->waiting == OBJECT_FILE_BUFFERS ? reclaim(o) : 0;
	fill_next(o);
	return r;
}

uint8_t *object_file_room(struct object_file *o, size_t *n)
{
	*n = DISK_PIECE - o->have;
	return o->op[o->filling].buf + o->have;
}

int object_file_write(struct object_file *o, const uint8_t *data, size_t n)
{
	while (n > 0 && o->error == 0) {
		size_t part;
		uint8_t *room = object_file_room(o, &part);

		part = n < part ? n : part;
		if (data != room)
			memcpy(room, data, part);
		o->have += part;
		o->length += part;
		data += part;
		n -= part;
		if (o->have == DISK_PIECE && put(o) != 0)
			break;
	}
	return o->error == 0 ? 0 : -1;
}

int object_file_settle(struct object_file *o)
{
	while (o->waiting > 0 && reclaim(o) == 0)
		;
	return o->error == 0 ? 0 : -1;
}

int object_file_end(struct object_file *o)
{
	if (object_file_settle(o) != 0)
		return -1;
	return o->have > 0 ? put_end(o) : 0;
}

void object_file_abandon(struct object_file *o)
{
	while (o->waiting > 0)
		(void)reclaim(o);
}
