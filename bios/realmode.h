/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_REALMODE_H
#define BIOS_REALMODE_H

#include <stdint.h>

/*
 * Calls into real mode, and the memory that firmware has in it. We run in flat 32-bit
 * protected mode, paging off, so a pointer is a physical address.
 */

/* A real-mode address as firmware keeps it. */
struct segoff {
	uint16_t offset, segment;
} __attribute__((packed));

/* The registers of a call, in the order of realmode.inc's "frame". */
struct realmode {
	uint16_t es, ds;
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t eflags;
	uint16_t arguments[3]; /* at the callee's SS:SP+4, +6 and +8 */
	struct segoff entry;
	uint16_t pad;
} __attribute__((packed));

#define EFLAGS_CF 0x001u
#define EFLAGS_ZF 0x040u
#define EFLAGS_NO_INTERRUPTS 0x002u /* bit 1 is always set */
#define EFLAGS_INTERRUPTS 0x202u

/**
 * Makes a far call to r->entry with the registers, flags and arguments of @r,
 * on the ROM's own stack. @r receives the registers and flags as they were on
 * return. Where the callee leaves SS:SP does not matter.
 */
void realmode_call(struct realmode *r);

/**
 * Does what the instruction INT @vector does, with the registers of @r, and
 * with the carry flag set.
 */
void realmode_interrupt(uint8_t vector, struct realmode *r);

/* entry.asm keeps these at the NBP's first instructions. */
extern const uint64_t entry_tsc;  /* the time stamp counter; 0: there is none */
extern const uint8_t entry_cpuid; /* 1: the CPUID instruction is there */

/* Values of nvlnbp.lds; each is the symbol's address, not what lies there. */
extern const uint8_t bss_end[];           /* where our memory ends */
extern const uint8_t load_address[];      /* where the ROM loads an NBP: 0:7C00 */
extern const uint8_t rom_stack_reserve[]; /* bytes that the ROM may use below its stack pointer */

/** Real-mode targets for realmode_call() that never come back: realmode.asm. */
extern const uint8_t realmode_return[], realmode_move[], realmode_move_end[], realmode_boot[];

/* The variables that realmode_caught begins with; its entry point follows. */
struct caught {
	uint32_t esp; /* realmode_esp */
	uint16_t ss;  /* realmode_ss */
	uint16_t base_memory; /* KiB, as BDA_BASE_MEMORY says before we lower it */
	struct segoff int18, int19;
} __attribute__((packed));

extern const uint8_t realmode_caught[], realmode_caught_end[];

/* The ROM's stack pointer after entry.asm pushed its registers: see struct entry_stack. */
extern const uint32_t realmode_esp;
extern const uint32_t realmode_ss;

struct entry_stack {
	uint16_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t eflags;
	struct segoff caller; /* the far call's return address */
	struct segoff pxe;    /* PXE 2.1 section 4.4.5: the !PXE structure */
} __attribute__((packed));

/** Returns the physical address of a real-mode one. */
static inline uint32_t linear(struct segoff address)
{
	return ((uint32_t)address.segment << 4) + address.offset;
}

/** Returns the real-mode address of something of ours, which always lies below 1 MiB. */
static inline struct segoff segoff(const void *address)
{
	uintptr_t at = (uintptr_t)address;

	return (struct segoff){ .offset = at & 15, .segment = (uint16_t)(at >> 4) };
}

/**
 * Makes a pointer of a physical address without the compiler knowing its
 * value: it takes constant addresses this low for null pointers gone astray.
 */
static inline void *physical(uint32_t address)
{
	__asm__("" : "+r"(address));
	return (void *)(uintptr_t)address;
}

/** Returns the registers and stack that the ROM called us with. */
static inline const struct entry_stack *entry_stack(void)
{
	return physical((realmode_ss << 4) + (realmode_esp & 0xffff));
}

/* The BIOS data area (segment 40h). */
#define BDA 0x400u
#define BDA_COM1 0x400u  /* uint16_t: port of the first serial port, or 0 */
#define BDA_KEY_HEAD 0x41au /* uint16_t: where the next key is taken from, in segment 40h */
#define BDA_KEY_TAIL 0x41cu /* uint16_t: where the next one typed goes */
#define BDA_KEYS 0x41eu  /* uint16_t each: the keys typed, taken or not */
#define BDA_KEYS_SIZE 32
#define BDA_KEYS_START 0x480u /* uint16_t: where in segment 40h the BIOS keeps keys; or 0 */
#define BDA_KEYS_END 0x482u   /* uint16_t: where that buffer ends */
#define BDA_SHARED 0x4f0u /* 16 bytes for programs to leave each other; POST clears them */
#define BDA_BASE_MEMORY 0x413u /* uint16_t: KiB of base memory that nobody has taken */
#define BDA_RESET 0x472u /* uint16_t: 1234h has a reset leave out the self-test */
#define BDA_DISKS 0x475u /* uint8_t: how many drives there are from 80h on */
#define BDA_TICKS 0x46cu /* uint32_t: timer ticks since midnight */

static inline uint16_t bda_read16(uint32_t address)
{
	return *(volatile uint16_t *)physical(address);
}

#endif
