/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_CPU_H
#define EFI_CPU_H

#include <efi.h>

#include "nbp/proto/message.h"

/*
 * What differs from processor to processor. efi/x64/, efi/ia32/ and efi/aa64/ each have all of
 * it, the first two with what is in efi/x86/; the Makefile takes the folders of one processor.
 */

#define CPU_PROGRAM_SIZE 24 /* bytes of the longest cpu_names.program, its end included */

/* What is named after the processor. */
struct cpu_names {
	const char *nbp;       /* this program's file name */
	const char *program;   /* what a disk boots by default (UEFI 3.5.1.1) */
	uint16_t architecture; /* DHCP option 93 */
	enum loader_kind loader;
};
extern const struct cpu_names cpu_names;

/** Returns a counter that runs at one rate, whatever the processor does. */
uint64_t cpu_counter(void);

/**
 * Returns the counter's ticks a millisecond, never 0.
 * @measured: the ticks during a firmware's millisecond, which need not have been one
 */
uint32_t cpu_counter_rate(uint64_t measured);

/** Fills @out with up to @size bytes of the processor's own random numbers; returns how many. */
size_t cpu_random(uint8_t *out, size_t size);

/** As struct platform says of describe_cpu(). */
void cpu_describe(struct request *request);

/** Writes text to the debug console of a virtual machine, where there is one. */
void cpu_write_debug(const char *text, size_t length);

/* --- faults, for fault.c ----------------------------------------------------- */

#define FAULT_REGISTERS_MAX 40

/* A processor's state at a fault. */
struct cpu_fault {
	uint32_t vector;
	uint32_t error;  /* what the processor says of the fault, if anything */
	uint64_t at;     /* the address of the instruction */
	uint64_t registers[FAULT_REGISTERS_MAX]; /* as cpu_fault_names has them */
};

/* The vectors that are faults: bit n for vector n. */
extern const uint32_t cpu_fault_vectors;

/* Two registers' names for each line of a report; "" ends it. */
extern const char cpu_fault_names[][8];

/**
 * Reads a fault's state from @context, the firmware's EFI_SYSTEM_CONTEXT, and changes that:
 * when the firmware's handler returns, the processor calls @after, which must not return, with
 * its stack below @stack.
 */
void cpu_fault_take(INTN vector, void *context, void (*after)(void),
                    uintptr_t stack, struct cpu_fault *fault);

/** Runs an instruction that does not exist, for debug builds, as the next two. */
void cpu_fault_instruction(void);

/** Runs an instruction that has to fail: a division by zero, or a breakpoint where that is none. */
void cpu_fault_divide(void);

/* An address that no processor can have; NULL: it can have all. */
extern void *const cpu_fault_address;

#endif
