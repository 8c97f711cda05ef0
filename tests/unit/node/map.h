/* map.h - a board that tests/unit/test_node.c plays. */
#define BOARD_NAME "test"
#define BOARD_HZ 1000000u
#define MAC_HOST 0x1000u
#define MAC_FIBRE 0x2000u
