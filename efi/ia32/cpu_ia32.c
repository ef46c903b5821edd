/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"

#include <efidebug.h>

#define FLAGS_DIRECTION_TRAP 0x500u

const struct cpu_names cpu_names = {
	.nbp = "nvlnbpia32.efi",
	.program = "\\EFI\\BOOT\\BOOTIA32.EFI",
	.architecture = ARCHITECTURE_IA32,
	.loader = LOADER_UEFI_IA32,
};

void *const cpu_fault_address = NULL; /* Firmware uses no pages: no address is bad. */

const char cpu_fault_names[][8] = { "eip flg", "cr2 cr3", "edi esi", "ebp esp", "ebx edx",
	                            "ecx eax", "" };

/*
 * The processor goes on here, as firmware sets ebx and ecx for an interrupted program, but not
 * its stack.
 */
void ia32_go_on(void);
__asm__(".text\n"
        "ia32_go_on: mov %ebx, %esp\n"
        "	call *%ecx\n");

void cpu_fault_take(INTN vector, void *context, void (*after)(void),
                    uintptr_t stack, struct cpu_fault *fault)
{
	EFI_SYSTEM_CONTEXT_IA32 *state = context;
	const UINT32 *general = &state->Edi; /* to Eax */

	fault->vector = (uint32_t)vector;
	fault->error = state->ExceptionData;
	fault->at = state->Eip;
	fault->registers[0] = state->Eip;
	fault->registers[1] = state->Eflags;
	fault->registers[2] = state->Cr2;
	fault->registers[3] = state->Cr3;
	for (int i = 0; i < 8; i++)
		fault->registers[4 + i] = general[i];
	state->Eip = (uintptr_t)ia32_go_on;
	state->Ebx = stack & ~(uintptr_t)15;
	state->Ecx = (uintptr_t)after;
	state->Eflags &= ~FLAGS_DIRECTION_TRAP;
}
