/* why.h - the reason that a content check gives, and how it gives it. */
#ifndef KM_CONTENT_WHY_H
#define KM_CONTENT_WHY_H

#include "content/content.h"

struct content_why { char text[CONTENT_WHY_MAX]; };

/* Always -1, so that a check may `return content_say(...)`.  The first reason stays. */
int content_say(struct content_why *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
