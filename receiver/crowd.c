/* crowd.c - see crowd.h. */
#include "receiver/crowd.h"

uint32_t crowd_too_many(const struct crowd_member *m, uint32_t n, uint32_t sender)
{
	unsigned count[RECEIVER_PEERS_MAX] = { 0 };
	uint32_t most = sender, oldest = n;

	for (uint32_t i = 0; i < n; i++)
		count[m[i].sender]++;
	for (uint32_t i = 0; i < RECEIVER_PEERS_MAX; i++)
		if (count[i] > count[most])
			most = i;
	for (uint32_t i = 0; i < n; i++)
		if (m[i].sender == most && (oldest == n || m[i].serial < m[oldest].serial))
			oldest = i;
	return oldest;
}
