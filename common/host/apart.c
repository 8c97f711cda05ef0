/* apart.c - see apart.h. */
#include "host/apart.h"

#include <errno.h>
#include <string.h>

#include "host/log.h"

bool apart_choose(cpu_set_t *one, const cpu_set_t *given, unsigned which)
{
	unsigned cpu = 0;

	if (CPU_COUNT(given) != 2)
		return false;
	for (unsigned before = which; !CPU_ISSET(cpu, given) || before > 0; cpu++)
		before -= CPU_ISSET(cpu, given) ? 1 : 0;
	CPU_ZERO(one);
	CPU_SET(cpu, one);
	return true;
}

void apart_stay(unsigned which)
{
	static cpu_set_t given; /* before any thread stayed anywhere; more processors than it holds count as none */
	static bool known;
	cpu_set_t one;

	if (!known && sched_getaffinity(0, sizeof(given), &given) != 0)
		CPU_ZERO(&given);
	known = true;
	if (apart_choose(&one, &given, which) && sched_setaffinity(0, sizeof(one), &one) != 0)
		log_debug("no processor of its own for a thread: %s", strerror(errno));
}
