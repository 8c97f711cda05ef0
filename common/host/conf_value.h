/* conf_value.h - one value of a configuration file, by the type of its key.  Used by conf.c only. */
#ifndef KM_CONF_VALUE_H
#define KM_CONF_VALUE_H

#include "host/conf.h"

/* Parse v into its place in the section's object (file: what a CONF_PATH is
 * relative to).  NULL, or what is wrong with it: a sentence part. */
const char *conf_put(const struct conf_key *k, void *object, const char *file, const char *v)
    __attribute__((warn_unused_result));

#endif
