/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/boot.h"
#include "nbp/log.h"

/* realmode.asm: the stubs, one a vector, are STUB_SIZE bytes apart. */
extern const uint8_t fault_stubs[], fault_nmi[];

struct gate { /* Intel SDM volume 3A section 6.11 */
	uint16_t offset_low, selector;
	uint16_t type;
	uint16_t offset_high;
} __attribute__((packed));

#define GATE_INTERRUPT32 0x8e00
#define STUB_SIZE 4
#define VECTOR_NMI 2
#define VECTORS 32

extern struct gate fault_idt[VECTORS];

/* The port for fault_report(), which has no other way to find it; NULL: none yet. */
static struct bios *fault_bios;

static uint16_t code_selector(void)
{
	uint16_t selector;

	__asm__("mov %%cs, %0" : "=r"(selector));
	return selector;
}

void fault_catch(struct bios *bios)
{
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint32_t handler = (uint32_t)fault_stubs + i * STUB_SIZE;

		if (i == VECTOR_NMI)
			handler = (uint32_t)fault_nmi;
		fault_idt[i] = (struct gate){
			.offset_low = (uint16_t)handler,
			.selector = code_selector(),
			.type = GATE_INTERRUPT32,
			.offset_high = (uint16_t)(handler >> 16),
		};
	}
	fault_bios = bios;
}

static void print_fault(struct platform *p, const struct fault *f)
{
	const uint32_t *stack = physical(f->esp & ~3u);

	log_line(p, "OpenPreboot %s, %s: fault %u, error %x", VERSION, p->name, f->vector,
	         f->error);
	log_line(p, "EIP %08x ESP %08x CR2 %08x EFLAGS %08x", f->eip, f->esp, f->cr2, f->eflags);
	log_line(p, "EAX %08x EBX %08x ECX %08x EDX %08x", f->eax, f->ebx, f->ecx, f->edx);
	log_line(p, "ESI %08x EDI %08x EBP %08x", f->esi, f->edi, f->ebp);
	log_line(p, "stack: %08x %08x %08x %08x", stack[0], stack[1], stack[2], stack[3]);
	log_line(p, "       %08x %08x %08x %08x", stack[4], stack[5], stack[6], stack[7]);
}

/* The report may fault too: then, and where there is no console yet to report to, the
 * machine restarts. */
void fault_report(const struct fault *fault)
{
	struct bios *bios = fault_bios;

	fault_bios = NULL;
	if (!bios)
		local_reset();
	print_fault(&bios->platform, fault);
	log_line(&bios->platform, "local boot");
	boot_remember(&bios->platform, NULL); /* the next network card boots the disk, too */
	local_boot(&bios->platform, LOCAL_BOOT_RETURN);
	local_reset();
}
