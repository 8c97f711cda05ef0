/* apart.h - two threads that hand work to each other, on a host with two processors.
 *
 * A kernel likes to run who is woken where the waker runs, and one that packs its
 * tasks does so even while the other processor is idle.  Where the one has to send
 * in time what the other computes, both then stand still for each other: beside a
 * receiver that only counts a sender reached 9 to 13 of 16 Gbit/s that way, and 14
 * to 16 apart (tests/BENCH.md).
 * With one processor there is nothing to part, with more than two the kernel has
 * room: there, and where an administrator gave the process a single one, nothing is done. */
#ifndef KM_APART_H
#define KM_APART_H

#include <sched.h>
#include <stdbool.h>

/* The calling thread, and those that it starts from now on, stay on processor number `which` (0 or 1) of the two that the
 * process was given.  Before sandbox_seal(). */
void apart_stay(unsigned which);
/* The choice alone: that processor into *one; false, and *one as it was, unless `given` are two. */
bool apart_choose(cpu_set_t *one, const cpu_set_t *given, unsigned which);

#endif
