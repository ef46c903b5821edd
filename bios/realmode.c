/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/realmode.h"

void realmode_interrupt(uint8_t vector, struct realmode *r)
{
	const struct segoff *vectors = physical(0);

	/* As the instruction does, this pushes the flags and turns interrupts off. The carry
	 * is set, as some BIOSes leave it alone where they do not know a function. */
	r->arguments[0] = EFLAGS_INTERRUPTS | EFLAGS_CF;
	r->eflags = EFLAGS_NO_INTERRUPTS;
	r->entry = vectors[vector];
	realmode_call(r);
}
