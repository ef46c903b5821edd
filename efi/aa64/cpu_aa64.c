/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/aa64/midr.h"
#include "efi/cpu.h"
#include "nbp/proto/memory.h"

/*
 * "ARM" below means the Arm Architecture Reference Manual for A-profile, "UEFI" the UEFI
 * Specification 2.10.
 */

/* Ticks a millisecond that a counter can have: 1 MHz to 2 GHz. */
#define RATE_MIN 1000
#define RATE_MAX 2000000
#define RATE_DEFAULT 62500

#define ISAR0_RNDR_SHIFT 60
#define PSTATE_SINGLE_STEP (1u << 21)
#define PSTATE_ILLEGAL (1u << 20)
#define PSTATE_BRANCH_TYPE (3u << 10)

const struct cpu_names cpu_names = {
	.nbp = "nvlnbpaa64.efi",
	.program = "\\EFI\\BOOT\\BOOTAA64.EFI",
	.architecture = ARCHITECTURE_ARM64,
	.loader = LOADER_UEFI_ARM64,
};

/* --- the processor ------------------------------------------------------------- */

uint64_t cpu_counter(void)
{
	uint64_t value;

	/* Without the barrier the counter might be read before what comes ahead of it is done. */
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

/* Firmware sets the rate in a register, as it must before any system can run. */
uint32_t cpu_counter_rate(uint64_t measured)
{
	uint64_t hertz, rate;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hertz));
	rate = hertz / 1000;
	if (rate < RATE_MIN || rate > RATE_MAX)
		rate = measured;
	return rate < RATE_MIN || rate > RATE_MAX ? RATE_DEFAULT : (uint32_t)rate;
}

/* By the instruction that reads RNDR, an extension of ARMv8.5. */
size_t cpu_random(uint8_t *out, size_t size)
{
	uint64_t features;
	size_t count = 0;

	__asm__("mrs %0, id_aa64isar0_el1" : "=r"(features));
	if (features >> ISAR0_RNDR_SHIFT == 0)
		return 0;
	for (int tries = 0; tries < 20 && count + sizeof(uint64_t) <= size; tries++) {
		uint64_t word, good;

		/* The register is named by its number, as an assembler for ARMv8.0 must have it. */
		__asm__ volatile("mrs %0, s3_3_c2_c4_0; cset %1, ne"
		                 : "=r"(word), "=r"(good) : : "cc");
		if (!good)
			continue;
		memcpy(out + count, &word, sizeof(word));
		count += sizeof(word);
	}
	return count;
}

void cpu_describe(struct request *request)
{
	uint64_t midr;

	__asm__("mrs %0, midr_el1" : "=r"(midr));
	midr_describe((uint32_t)midr, request);
}

/* Virtual machines for this processor have no such console. */
void cpu_write_debug(const char *text, size_t length)
{
	(void)text;
	(void)length;
}

/* --- faults ------------------------------------------------------------------- */

/* EFI_SYSTEM_CONTEXT_AARCH64 (UEFI 18.2.4), which GNU-EFI has not. */
struct context {
	uint64_t general[32]; /* x0 to x30, sp */
	uint64_t vectors[64]; /* v0 to v31 */
	uint64_t elr, spsr, fpsr, esr, far;
};

/* Synchronous exceptions and SError (UEFI 18.2.4), neither IRQ nor FIQ. */
const uint32_t cpu_fault_vectors = 0x9;

void *const cpu_fault_address = (void *)0x0123456789abcdef;

const char cpu_fault_names[][8] = { "elr psr", "far esr", "x0  x1 ", "x2  x3 ", "x4  x5 ",
	                            "x6  x7 ", "x8  x9 ", "x10 x11", "x12 x13", "x14 x15",
	                            "x16 x17", "x18 x19", "x20 x21", "x22 x23", "x24 x25",
	                            "x26 x27", "x28 fp ", "lr  sp ", "" };

/*
 * The processor goes on here, as firmware sets x19 and x20 for an interrupted program, but not
 * its stack.
 */
void aa64_go_on(void);
__asm__(".text\n"
        "aa64_go_on: mov sp, x19\n"
        "	blr x20\n");

void cpu_fault_take(INTN vector, void *context, void (*after)(void),
                    uintptr_t stack, struct cpu_fault *fault)
{
	struct context *state = context;

	fault->vector = (uint32_t)vector;
	fault->error = (uint32_t)state->esr;
	fault->at = state->elr;
	fault->registers[0] = state->elr;
	fault->registers[1] = state->spsr;
	fault->registers[2] = state->far;
	fault->registers[3] = state->esr;
	memcpy(&fault->registers[4], state->general, sizeof(state->general));
	state->elr = (uintptr_t)aa64_go_on;
	state->general[19] = stack & ~(uintptr_t)15;
	state->general[20] = (uintptr_t)after;
	state->spsr &= ~(uint64_t)(PSTATE_SINGLE_STEP | PSTATE_ILLEGAL | PSTATE_BRANCH_TYPE);
}

void cpu_fault_instruction(void)
{
	__asm__ volatile("udf #0");
}

/* A division by zero is no fault here: it gives zero. */
void cpu_fault_divide(void)
{
	__asm__ volatile("brk #0");
}
