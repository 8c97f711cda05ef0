/* store_tally.c - what was done since the start, by channel (store.h). */
#include "receiver/store.h"

static struct store_tally *of(struct store *s, const char *channel)
{
	const struct receiver_channel *c = receiver_conf_channel(&s->conf, channel);

	return c != NULL ? &s->tally[c - s->conf.channel] : NULL;
}

void tally_published(struct store *s, const struct publish_item *it)
{
	struct store_tally *t = of(s, it->stream.channel);

	if (t == NULL || it->duplicate)
		return;
	if (it->base == PUBLISH_QUARANTINE) {
		t->quarantined++;
		return;
	}
	t->delivered++;
	t->quarantined += it->parts; /* files kept apart, the rest delivered */
	t->files += it->files;
	t->bytes += it->bytes;
	t->forks += it->fork;
}

void tally_refused(struct store *s, const struct job *j)
{
	struct store_tally *t = j->opened ? of(s, j->inner.channel) : NULL;

	if (t != NULL)
		t->refused++;
	else
		s->unopened++;
}
