/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/boot.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

#include <efidebug.h>

/*
 * Processor faults, by EFI_CPU_ARCH_PROTOCOL (PI 1.7, volume 2, 12.3). The
 * handler runs in the middle of whatever was going on and may call no firmware;
 * it only keeps the registers and has the processor go on in a function of ours,
 * on the stack as it was when flow_run() was called, where all is as usual again.
 */

#define READ_SECONDS 5 /* for a person to read the screen */

/* #DE #BP #OF #UD #NM #DF #TS #NP #SS #GP #PF #MF #AC #XM: not NMI or debugger's. */
#define VECTORS 0x000b7dd9u

#define FLAGS_DIRECTION_TRAP 0x500u

/* A union of pointers to one structure a processor architecture. */
typedef VOID(EFIAPI *fault_handler)(EFI_EXCEPTION_TYPE type, EFI_SYSTEM_CONTEXT_X64 *context);

struct cpu_arch {
	VOID *flush_data_cache, *enable_interrupt, *disable_interrupt, *get_interrupt_state, *init;
	EFI_STATUS(EFIAPI *register_handler)(struct cpu_arch *this, EFI_EXCEPTION_TYPE type,
	                                     fault_handler handler);
};

/* The handler is told only the processor's state, so these have no other way. */
static struct efi_port *fault_port;
static struct {
	UINT64 vector, error, rip, flags, cr2, cr3;
	UINT64 registers[14]; /* as firmware orders them, rdi to r13 */
} fault;
static bool faulted;

/* Two a line; log_line() has no 64-bit hexadecimal. */
static void print_registers(struct platform *p, const char *names, UINT64 a, UINT64 b)
{
	log_line(p, "%s %08x%08x %08x%08x", names, (uint32_t)(a >> 32), (uint32_t)a,
	         (uint32_t)(b >> 32), (uint32_t)b);
}

static void print_fault(struct efi_port *port)
{
	static const char names[][8] = { "rdi rsi", "rbp rsp", "rbx rdx", "rcx rax",
		                         "r8  r9 ", "r10 r11", "r12 r13" };
	uint64_t offset = fault.rip - (uintptr_t)port->faults.image;
	struct platform *p = &port->platform;
	char where[24];

	text_format(where, sizeof(where), "outside the NBP");
	if (offset < port->faults.image_size)
		text_format(where, sizeof(where), "at image+0x%x", (uint32_t)offset);
	log_line(p, "OpenPreboot %s, %s: processor fault %u %s, error 0x%x", VERSION, p->name,
	         (uint32_t)fault.vector, where, (uint32_t)fault.error);
	print_registers(p, "rip flg", fault.rip, fault.flags);
	print_registers(p, "cr2 cr3", fault.cr2, fault.cr3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		print_registers(p, names[i], fault.registers[2 * i], fault.registers[2 * i + 1]);
	log_line(p, "local boot");
}

/* What runs after a fault, as if efi_main() had called it. */
static void __attribute__((noreturn)) after_fault(void)
{
	struct efi_port *port = fault_port;

	if (efi_tpl(port) > port->tpl)
		port->boot->RestoreTPL(port->tpl);
	print_fault(port);
	boot_remember(&port->platform, NULL); /* or the next network entry would start it all over */
	port->boot->Stall(READ_SECONDS * 1000000);
	efi_leave(port);
	for (;;)
		port->platform.reboot(&port->platform);
}

static VOID EFIAPI handle(EFI_EXCEPTION_TYPE type, EFI_SYSTEM_CONTEXT_X64 *context)
{
	if (faulted) /* on the way out: there is none any more */
		for (;;)
			fault_port->platform.reboot(&fault_port->platform);
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
	context->Rsp = (fault_port->faults.stack & ~(uint64_t)15) - 8;
	context->Rflags &= ~(uint64_t)FLAGS_DIRECTION_TRAP;
}

/* For "make DEBUG=fault[:level]": shows that all this works, level by level. */
static void provoke(struct efi_port *port)
{
	if (DEBUG_LEVEL == 1)
		__asm__ volatile("ud2");
	if (DEBUG_LEVEL == 2) /* an address that no processor can have */
		*(volatile uint8_t *)0x0123456789abcdef = 0;
	if (DEBUG_LEVEL == 3)
		__asm__ volatile("xor %%edx, %%edx; xor %%eax, %%eax; div %%eax" ::: "eax", "edx");
	if (DEBUG_LEVEL == 4) { /* in the firmware, where it allows no interrupts */
		port->boot->RaiseTPL(TPL_HIGH_LEVEL);
		port->boot->SetMem((VOID *)0x0123456789abcdef, 1, 0);
	}
}

void fault_catch(struct efi_port *port, const void *stack)
{
	static EFI_GUID cpu_guid = { 0x26baccb1, 0x6f42, 0x11d4,
		                     { 0xbc, 0xe7, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };
	struct faults *faults = &port->faults;
	VOID *cpu;

	if (stack != NULL)
		faults->stack = (uintptr_t)stack;
	fault_port = port;
	if (EFI_ERROR(port->boot->LocateProtocol(&cpu_guid, NULL, &cpu)))
		return;
	faults->cpu = cpu;
	for (int i = 0; i < 32; i++) {
		/* Refused where the firmware has its own: that one stays. */
		if ((VECTORS >> i & 1) &&
		    !EFI_ERROR(faults->cpu->register_handler(faults->cpu, i, handle)))
			faults->caught |= 1u << i;
	}
	debug(1, &port->platform, "fault handlers: %x", faults->caught);
	provoke(port);
}

void fault_release(struct efi_port *port)
{
	struct faults *faults = &port->faults;

	for (int i = 0; i < 32; i++)
		if (faults->caught >> i & 1)
			faults->cpu->register_handler(faults->cpu, i, NULL);
	faults->caught = 0;
}
