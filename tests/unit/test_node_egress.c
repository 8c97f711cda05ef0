/* firmware/node as the egress node: tests/unit/test_node.c once more. */
#define NODE_EGRESS
#include "tests/unit/test_node.c"
