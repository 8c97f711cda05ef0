/* policy_conf.h - the keys of a channel's section that say what it may carry
 * (content.h): rows for the table of a configuration's keys, one text for both ends.
 * `channel` is the structure that has a member `struct content_policy content`. */
#ifndef KM_POLICY_CONF_H
#define KM_POLICY_CONF_H

#include <stddef.h>

#include "content/content.h"
#include "host/conf.h"

#define POLICY_CONF_FUNCTION(key, parse) \
	static int policy_conf_##key(void *object, const char *value, const char **why) \
	{ \
		return parse(&((POLICY_CONF_CHANNEL *)object)->content, value, why); \
	}
POLICY_CONF_FUNCTION(content, content_policy_named)
POLICY_CONF_FUNCTION(types, content_policy_types)
POLICY_CONF_FUNCTION(csv, content_policy_csv)

#define POLICY_CONF_KEYS \
	{ "channel ", "content", CONF_CUSTOM, 0, 0, 0, 0, 0, policy_conf_content }, \
	{ "channel ", "types", CONF_CUSTOM, 0, 0, 0, 0, 0, policy_conf_types }, \
	{ "channel ", "csv", CONF_CUSTOM, 0, 0, 0, 0, 0, policy_conf_csv }

#endif
