/* held.c - files that did not pass are taken out of their transfer (held.h). */
#include "receiver/held.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/i18n.h"
#include "host/log.h"
#include "receiver/name_json.h"

static const char *const beside[] = { "MANIFEST.json", "MANIFEST.json.sig", "SHA256SUMS" };

void held_reason(char *out, size_t room, const struct transfer *t)
{
	const struct manifest_file *f = &t->found.file[t->bad[0].file];
	char name[160];

	log_show(name, sizeof(name), f->name, f->name_len);
	if (t->bads == 1)
		snprintf(out, room, "%s: %s", name, t->bad[0].reason);
	else
		snprintf(out, room, N_("%s: %s; and %u more did not pass"), name, t->bad[0].reason, t->bads - 1);
}

/* held/INDEX with what belongs beside the file, and the file. */
static int move_one(struct transfer *t, const struct publish_item *part)
{
	char dir[PUBLISH_DIR_MAX], to[PUBLISH_DIR_MAX + NAME_MAX_LEN + 16], name[NAME_MAX_LEN + 1];

	memcpy(name, part->file, part->file_len);
	name[part->file_len] = '\0';
	snprintf(dir, sizeof(dir), TRANSFER_HELD "/%u", part->index);
	snprintf(to, sizeof(to), "%s/files", dir);
	if (mkdirat(t->dir, dir, 0700) != 0 || mkdirat(t->dir, to, 0700) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(to, sizeof(to), "%s/%s", dir, beside[i]);
		if (linkat(t->dir, beside[i], t->dir, to, 0) != 0)
			return -1;
	}
	snprintf(to, sizeof(to), "%s/files/%s", dir, name);
	return renameat(t->files, name, t->dir, to);
}

static void fill(struct publish_item *part, const struct publish_item *it, const struct transfer *t, const struct transfer_bad *b)
{
	const struct manifest_file *f = &t->found.file[b->file];

	part->base = PUBLISH_QUARANTINE;
	part->stream = it->stream;
	part->number = it->number;
	memcpy(part->manifest, it->manifest, sizeof(part->manifest));
	memcpy(part->previous, it->previous, sizeof(part->previous));
	memcpy(part->object, it->object, sizeof(part->object));
	part->files = 1;
	part->bytes = f->size;
	part->more = it->more;
	part->kept = "file";
	part->kept_file = true;
	memcpy(part->file, f->name, f->name_len);
	part->file_len = f->name_len;
	part->index = b->file + 1;
	snprintf(part->work, sizeof(part->work), "%s/" TRANSFER_HELD "/%u", t->name, part->index);
}

/* What the directory says of what is not in it. */
static void put_note(struct transfer *t, const struct publish_item *it)
{
	json_t *files = json_array(), *o;
	char entry[PUBLISH_DIR_MAX], *text;

	for (uint32_t k = 0; k < it->parts; k++) {
		json_t *f = json_object();
		snprintf(entry, sizeof(entry), QUARANTINE_FILE, it->stream.channel, (unsigned long long)it->number, it->object,
		    it->part[k].index);
		json_object_set_new(f, "entry", json_string(entry));
		name_json(f, "name", "name_b64", it->part[k].file, it->part[k].file_len);
		json_object_set_new(f, "reason", json_string(it->part[k].reason));
		json_array_append_new(files, f);
	}
	o = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "@format", "katamichi-quarantine-1", "channel", it->stream.channel,
	    "manifest", it->manifest, "number", (json_int_t)it->number, "object", it->object, "files", files);
	if ((text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS)) == NULL) {
		t->error = ENOMEM;
	} else {
		size_t n = strlen(text);
		text[n] = '\n'; /* over its NUL */
		transfer_put(t, "QUARANTINE.json", text, n + 1);
	}
	free(text);
	json_decref(o);
}

void held_apart(struct transfer *t, struct publish_item *it)
{
	if ((it->part = calloc(t->bads, sizeof(*it->part))) == NULL || mkdirat(t->dir, TRANSFER_HELD, 0700) != 0) {
		t->error = errno;
		return;
	}
	it->parts = t->bads;
	for (uint32_t k = 0; k < it->parts; k++) {
		struct publish_item *part = &it->part[k];
		fill(part, it, t, &t->bad[k]);
		/* Theirs now. */
		part->checks = part->own_checks = t->bad[k].checks;
		part->reason = part->own_reason = t->bad[k].reason;
		t->bad[k].checks = t->bad[k].reason = NULL;
		it->files--;
		it->bytes -= part->bytes;
		if (t->error == 0 && move_one(t, part) != 0)
			t->error = errno;
	}
	put_note(t, it);
}
