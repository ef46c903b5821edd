/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/boot.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

#include <efidebug.h>

/*
 * Processor faults by EFI_CPU_ARCH_PROTOCOL (PI 1.7, volume 2, 12.3). The handler interrupts
 * whatever was going on, so it may call no firmware. It only keeps the registers and has the
 * processor go on in after_fault(), on the stack as it was when flow_run() was called, where
 * firmware can be called again.
 */

#define READ_SECONDS 5 /* for a person to read the screen */

/* #DE #BP #OF #UD #NM #DF #TS #NP #SS #GP #PF #MF #AC #XM, neither NMI nor a debugger's. */
#define VECTORS 0x000b7dd9u

#define FLAGS_DIRECTION_TRAP 0x500u

/* EFI_SYSTEM_CONTEXT is a union of pointers, one to the structure of each architecture. */
typedef VOID(EFIAPI *fault_handler)(EFI_EXCEPTION_TYPE type, EFI_SYSTEM_CONTEXT_X64 *context);

struct cpu_arch {
	VOID *flush_data_cache, *enable_interrupt, *disable_interrupt, *get_interrupt_state, *init;
	EFI_STATUS(EFIAPI *register_handler)(struct cpu_arch *this, EFI_EXCEPTION_TYPE type,
	                                     fault_handler handler);
};

/* A handler gets nothing but the processor's state, so all else that it needs is here. */
static struct efi *fault_efi;
static struct {
	UINT64 vector, error, rip, flags, cr2, cr3;
	UINT64 registers[14]; /* in the firmware's order, rdi to r13 */
} fault;
static bool faulted;

/* Prints two registers in a line. log_line() has no 64-bit hexadecimal. */
static void print_registers(struct platform *p, const char *names, UINT64 a, UINT64 b)
{
	log_line(p, "%s %08x%08x %08x%08x", names, (uint32_t)(a >> 32), (uint32_t)a,
	         (uint32_t)(b >> 32), (uint32_t)b);
}

static void print_fault(struct efi *efi)
{
	static const char names[][8] = { "rdi rsi", "rbp rsp", "rbx rdx", "rcx rax",
		                         "r8  r9 ", "r10 r11", "r12 r13" };
	uint64_t offset = fault.rip - (uintptr_t)efi->faults.image;
	struct platform *p = &efi->platform;
	char where[24];

	text_format(where, sizeof(where), "outside the NBP");
	if (offset < efi->faults.image_size)
		text_format(where, sizeof(where), "at image+0x%x", (uint32_t)offset);
	log_line(p, "OpenPreboot %s, %s: processor fault %u %s, error 0x%x", VERSION, p->name,
	         (uint32_t)fault.vector, where, (uint32_t)fault.error);
	print_registers(p, "rip flg", fault.rip, fault.flags);
	print_registers(p, "cr2 cr3", fault.cr2, fault.cr3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		print_registers(p, names[i], fault.registers[2 * i], fault.registers[2 * i + 1]);
	log_line(p, "local boot");
}

/* Runs after a fault as if efi_main() had called it. */
static void __attribute__((noreturn)) after_fault(void)
{
	struct efi *efi = fault_efi;

	if (efi_tpl(efi) > efi->tpl)
		efi->boot->RestoreTPL(efi->tpl);
	print_fault(efi);
	/* The record has the next network option boot the disk instead of asking once more. */
	boot_remember(&efi->platform, NULL);
	efi->boot->Stall(READ_SECONDS * 1000000);
	efi->faults.leave(efi);
	for (;;)
		efi->platform.reboot(&efi->platform);
}

static VOID EFIAPI handle_fault(EFI_EXCEPTION_TYPE type, EFI_SYSTEM_CONTEXT_X64 *context)
{
	if (faulted) /* this is a second fault, in after_fault(): there is no other way out */
		for (;;)
			fault_efi->platform.reboot(&fault_efi->platform);
	faulted = true;
	fault.vector = (UINT64)type;
	fault.error = context->ExceptionData;
	fault.rip = context->Rip;
	fault.cr2 = context->Cr2;
	fault.cr3 = context->Cr3;
	fault.flags = context->Rflags;
	memcpy(fault.registers, &context->Rdi, sizeof(fault.registers)); /* Rdi to R13 */
	context->Rip = (uintptr_t)after_fault;
	/* A called function finds its return address at 8 below a multiple of 16. */
	context->Rsp = (fault_efi->faults.stack & ~(uint64_t)15) - 8;
	context->Rflags &= ~(uint64_t)FLAGS_DIRECTION_TRAP;
}

/* Faults in a way that the level of "make DEBUG=fault:level" chooses, to show the report. */
static void provoke_fault(struct efi *efi)
{
	if (DEBUG_LEVEL == 1)
		__asm__ volatile("ud2");
	if (DEBUG_LEVEL == 2) /* an address that no processor can have */
		*(volatile uint8_t *)0x0123456789abcdef = 0;
	if (DEBUG_LEVEL == 3)
		__asm__ volatile("xor %%edx, %%edx; xor %%eax, %%eax; div %%eax" ::: "eax", "edx");
	if (DEBUG_LEVEL == 4) { /* in the firmware, where it allows no interrupts */
		efi->boot->RaiseTPL(TPL_HIGH_LEVEL);
		efi->boot->SetMem((VOID *)0x0123456789abcdef, 1, 0);
	}
}

void fault_catch(struct efi *efi, const void *stack)
{
	static EFI_GUID cpu_guid = { 0x26baccb1, 0x6f42, 0x11d4,
		                     { 0xbc, 0xe7, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };
	struct faults *faults = &efi->faults;
	VOID *cpu;

	if (stack)
		faults->stack = (uintptr_t)stack;
	fault_efi = efi;
	if (EFI_ERROR(efi->boot->LocateProtocol(&cpu_guid, NULL, &cpu)))
		return;
	faults->cpu = cpu;
	for (int i = 0; i < 32; i++) {
		/* The firmware refuses where it has a handler of its own: that one stays. */
		if ((VECTORS >> i & 1) &&
		    !EFI_ERROR(faults->cpu->register_handler(faults->cpu, i, handle_fault)))
			faults->caught |= 1u << i;
	}
	debug(1, &efi->platform, "fault handlers: %x", faults->caught);
	provoke_fault(efi);
}

void fault_release(struct efi *efi)
{
	struct faults *faults = &efi->faults;

	for (int i = 0; i < 32; i++)
		if (faults->caught >> i & 1)
			faults->cpu->register_handler(faults->cpu, i, NULL);
	faults->caught = 0;
}
