/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "nbp/proto/memory.h"

#include <efidebug.h>

#define FLAGS_DIRECTION_TRAP 0x500u

const struct cpu_names cpu_names = {
	.nbp = "nvlnbpx64.efi",
	.program = "\\EFI\\BOOT\\BOOTX64.EFI",
	.architecture = ARCHITECTURE_X64, /* 7, as the errata of RFC 4578 and practice have it */
	.loader = LOADER_UEFI,
};

void *const cpu_fault_address = (void *)0x0123456789abcdef;

const char cpu_fault_names[][8] = { "rip flg", "cr2 cr3", "rdi rsi", "rbp rsp", "rbx rdx",
	                            "rcx rax", "r8  r9 ", "r10 r11", "r12 r13", "" };

/* The processor goes on here, on a stack that need not be any good. */
void x64_go_on(void);
__asm__(".text\n"
        "x64_go_on: mov %rbx, %rsp\n"
        "	call *%rcx\n");

void cpu_fault_take(INTN vector, void *context, void (*after)(void),
                    uintptr_t stack, struct cpu_fault *fault)
{
	EFI_SYSTEM_CONTEXT_X64 *state = context;

	fault->vector = (uint32_t)vector;
	fault->error = (uint32_t)state->ExceptionData;
	fault->at = state->Rip;
	fault->registers[0] = state->Rip;
	fault->registers[1] = state->Rflags;
	fault->registers[2] = state->Cr2;
	fault->registers[3] = state->Cr3;
	memcpy(&fault->registers[4], &state->Rdi, 14 * sizeof(UINT64)); /* Rdi to R13 */
	state->Rip = (uintptr_t)x64_go_on;
	state->Rbx = stack & ~(uintptr_t)15;
	state->Rcx = (uintptr_t)after;
	state->Rflags &= ~(UINT64)FLAGS_DIRECTION_TRAP;
}
