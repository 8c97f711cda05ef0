/* object_file.c - see object_file.h. */
#include "sender/object_file.h"

#include <stdlib.h>
#include <string.h>

void object_file_init(struct object_file *o, struct disk *d, struct window *window)
{
	memset(o, 0, sizeof(*o));
	o->disk = d;
	o->fd = -1;
	o->window = window;
	o->count = window != NULL ? window->pieces : OBJECT_FILE_BUFFERS;
	o->memory = window == NULL ? disk_buffers(OBJECT_FILE_BUFFERS) : NULL;
	for (unsigned i = 0; i < o->count; i++) {
		o->op[i].write = true;
		o->op[i].buf = window != NULL ? window_piece(window, i) : o->memory + (size_t)i * DISK_PIECE;
	}
}

void object_file_free(struct object_file *o)
{
	object_file_abandon(o);
	free(o->memory);
}

/* What the buffer held is shown no longer. */
static void fill_next(struct object_file *o, unsigned i)
{
	o->filling = i;
	if (o->window != NULL)
		window_hide(o->window, i);
}

void object_file_begin(struct object_file *o, int fd, bool large, uint64_t key)
{
	object_file_abandon(o);
	o->fd = fd;
	o->key = key;
	fill_next(o, 0);
	o->have = 0;
	o->length = 0;
	o->error = 0;
	atomic_store(&o->there, 0);
	for (unsigned i = 0; i < o->count; i++) {
		o->op[i].fd = fd;
		o->op[i].n = 0;
		o->op[i].error = 0;
	}
	if (large)
		(void)disk_direct(fd, true);
}

/* The buffer can be filled again; what became of its piece is known. */
static int reclaim(struct object_file *o, struct disk_op *op)
{
	disk_wait(o->disk, op);
	if (o->error == 0)
		o->error = op->error;
	/* Pieces are written in order, so all before this one are there, too. */
	if (o->error == 0 && op->n > 0 && op->at + op->n > atomic_load(&o->there))
		atomic_store(&o->there, op->at + op->n);
	return o->error == 0 ? 0 : -1;
}

/* The end of the file, with nothing else under way. */
static int put_end(struct object_file *o)
{
	struct disk_op *op = &o->op[o->filling];

	op->n = o->have;
	op->at = o->length - o->have;
	o->have = 0;
	disk_run_here(op);
	return reclaim(o, op);
}

/* The buffer that was filled so many before the present one. */
static struct disk_op *before(struct object_file *o, unsigned i)
{
	return &o->op[(o->filling + o->count - i) % o->count];
}

static int put(struct object_file *o)
{
	struct disk_op *op = &o->op[o->filling];

	op->n = o->have;
	op->at = o->length - o->have;
	if (o->window != NULL)
		window_show(o->window, o->filling, o->key, op->at / DISK_PIECE);
	disk_submit(o->disk, op);
	o->have = 0;
	fill_next(o, (o->filling + 1) % o->count);
	return reclaim(o, before(o, OBJECT_FILE_BUFFERS));
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
	for (unsigned i = OBJECT_FILE_BUFFERS - 1; i > 0; i--) /* the oldest first */
		if (reclaim(o, before(o, i)) != 0)
			break;
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
	for (unsigned i = 0; i < o->count; i++)
		disk_wait(o->disk, &o->op[i]);
}
