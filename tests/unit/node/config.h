/* config.h - what katamichi firmware-config would make. */
#define CONFIG_IDENTITY 0x12345678u
#define CONFIG_SENDER_MAC { 2, 0, 0, 0, 1, 1 }
#define CONFIG_INGRESS_MAC { 2, 0, 0, 0, 2, 1 }
#define CONFIG_EGRESS_MAC { 2, 0, 0, 0, 3, 1 }
#define CONFIG_RECEIVER_MAC { 2, 0, 0, 0, 4, 1 }
#define CONFIG_SENDER_IP 0x0A4D0001u
#define CONFIG_RECEIVER_IP 0x0A4D0002u
#define CONFIG_PORT 5150u
#define CONFIG_DATAGRAM_LEN 1472u
#define CONFIG_RATE 1000000000u
#define CONFIG_BURST 100000000u
