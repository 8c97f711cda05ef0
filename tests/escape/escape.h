/* escape.h - a process of ours that turned against us (tests only; linked into build/escape/, where sandbox.c is
 * compiled with -DKM_ESCAPE). */
#ifndef KM_ESCAPE_H
#define KM_ESCAPE_H

#include <stdint.h>

#include "host/sandbox.h"

/* What the filter does with a call that is not in the list: KATAMICHI_ESCAPE=count refuses (so that one process can try
 * everything), KATAMICHI_ESCAPE=ATTEMPT kills as the product does. */
uint32_t escape_refusal(void);
/* In the confined process, as its last step before it serves.  count: every attempt, a line for each,
 * "escape NAME refused: WHY" or "escape NAME WORKED".  ATTEMPT: only that, in the process that
 * KATAMICHI_ESCAPE_PROCESS names ("receiver: link"). */
void escape_run(enum sandbox_id id);

#endif
