/* SPDX-License-Identifier: BSD-2-Clause */
#include "realmode.h"

void realmode_interrupt(uint8_t vector, struct realmode *r)
{
	const struct segoff *vectors = physical(0);

	/* As the instruction does it: flags pushed, interrupts off. */
	r->arguments[0] = EFLAGS_INTERRUPTS;
	r->eflags = EFLAGS_NO_INTERRUPTS;
	r->entry = vectors[vector];
	realmode_call(r);
}
