/* publish_private.h - what the files of publish.h share. */
#ifndef KM_PUBLISH_PRIVATE_H
#define KM_PUBLISH_PRIVATE_H

#include "receiver/publish.h"

bool publish_out(const struct publish_item *it); /* nothing more is done with it */
/* Not to be published: forget what was built.  What was to be released stays. */
void publish_give_up(struct publish *p, struct publish_item *it, int error);
void publish_write_intent(struct publish *p, struct publish_item *it); /* in a transaction; again: for another directory */
enum publish_base publish_base_named(const char *name); /* as in table intent */
int publish_source_fd(const struct publish *p, enum publish_base b);

#endif
