/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/port.h"
#include "nbp/boot.h"
#include "nbp/debug.h"
#include "nbp/proto/text.h"

/*
 * Processor faults by EFI_CPU_ARCH_PROTOCOL (PI 1.7, volume 2, 12.3). The handler interrupts
 * whatever was going on, so it may call no firmware. It only keeps the registers and has the
 * processor go on in after_fault(), on the stack as it was when flow_run() was called, where
 * firmware can be called again. What is the processor's own is in cpu_fault_take().
 */

#define READ_SECONDS 5 /* for a person to read the screen */

/* EFI_SYSTEM_CONTEXT is a union of pointers, one to the structure of each processor. */
typedef VOID(EFIAPI *fault_handler)(INTN vector, VOID *context);

struct cpu_arch {
	VOID *flush_data_cache, *enable_interrupt, *disable_interrupt, *get_interrupt_state, *init;
	EFI_STATUS(EFIAPI *register_handler)(struct cpu_arch *this, INTN vector,
	                                     fault_handler handler);
};

/* A handler gets nothing but the processor's state, so all else that it needs is here. */
static struct efi *fault_efi;
static struct cpu_fault fault;
static bool faulted;

/* Prints two registers in a line, as wide as they are. log_line() has no 64-bit hexadecimal. */
static void print_registers(struct platform *p, const char *names, uint64_t a, uint64_t b)
{
	if (sizeof(UINTN) == 4)
		log_line(p, "%s %08x %08x", names, (uint32_t)a, (uint32_t)b);
	else
		log_line(p, "%s %08x%08x %08x%08x", names, (uint32_t)(a >> 32), (uint32_t)a,
		         (uint32_t)(b >> 32), (uint32_t)b);
}

static void print_fault(struct efi *efi)
{
	uint64_t offset = fault.at - (uintptr_t)efi->faults.image;
	struct platform *p = &efi->platform;
	char where[24];

	text_format(where, sizeof(where), "outside the NBP");
	if (offset < efi->faults.image_size)
		text_format(where, sizeof(where), "at image+0x%x", (uint32_t)offset);
	log_line(p, "OpenPreboot %s, %s: processor fault %u %s, error 0x%x", VERSION, p->name,
	         fault.vector, where, fault.error);
	for (size_t i = 0; cpu_fault_names[i][0]; i++)
		print_registers(p, cpu_fault_names[i], fault.registers[2 * i],
		                fault.registers[2 * i + 1]);
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

static VOID EFIAPI handle_fault(INTN vector, VOID *context)
{
	if (faulted) /* this is a second fault, in after_fault(): there is no other way out */
		for (;;)
			fault_efi->platform.reboot(&fault_efi->platform);
	faulted = true;
	cpu_fault_take(vector, context, after_fault, fault_efi->faults.stack, &fault);
}

/* Faults in a way that the level of "make DEBUG=fault:level" chooses, to show the report. */
static void provoke_fault(struct efi *efi)
{
	if (DEBUG_LEVEL == 1)
		cpu_fault_instruction();
	if (DEBUG_LEVEL == 2 && cpu_fault_address)
		*(volatile uint8_t *)cpu_fault_address = 0;
	if (DEBUG_LEVEL == 3)
		cpu_fault_divide();
	if (DEBUG_LEVEL == 4 &&
	    cpu_fault_address) { /* in the firmware, where it allows no interrupts */
		efi->boot->RaiseTPL(TPL_HIGH_LEVEL);
		efi->boot->SetMem(cpu_fault_address, 1, 0);
	}
}

void fault_catch(struct efi *efi)
{
	static const EFI_GUID cpu_guid = { 0x26baccb1, 0x6f42, 0x11d4,
		                           { 0xbc, 0xe7, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };
	struct faults *faults = &efi->faults;

	if (!faults->stack)
		faults->stack = (uintptr_t)__builtin_frame_address(0);
	fault_efi = efi;
	faults->cpu = efi_locate(efi, &cpu_guid);
	if (!faults->cpu)
		return;
	for (int i = 0; i < 32; i++) {
		/* The firmware refuses where it has a handler of its own: that one stays. */
		if ((cpu_fault_vectors >> i & 1) &&
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
