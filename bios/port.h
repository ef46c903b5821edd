/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PORT_H
#define BIOS_PORT_H

#include "bios/int13.h"
#include "bios/pxe_find.h"
#include "nbp/ansi_keys.h"
#include "nbp/dhcp.h"
#include "nbp/port.h"
#include "nbp/x86.h"

/* The BIOS port: all that it knows, in one structure that begins with the platform, so that
 * the platform's functions find the rest; and what each of its files has for the others. */

struct clock {
	struct x86_clock tsc; /* per_ms is 0 where the BIOS's ticks are used instead */
	uint32_t ticks;       /* the BIOS's counter when it was last read */
	uint32_t elapsed;     /* ticks of that counter since the start */
	uint32_t rests;       /* half milliseconds of clock_idle() since the counter moved */
	uint32_t latest;      /* the last time that was given by ticks, ms */
};

struct uart {
	uint16_t port;       /* of COM1; 0: there is none */
	bool stuck;          /* it sends no more bytes; it may still receive some */
	uint8_t lcr, mcr;    /* registers as we found them */
	uint16_t divisor;    /* as we found it */
	bool fifo;           /* was on when we found it */
};

struct console {
	struct uart uart;
	struct ansi_keys keys;    /* the decoder of what the terminal at the UART sends */
	bool debug_port;     /* an emulator's console listens at port E9h */
	bool drawn;          /* it was cleared, or has colours: mode and shape are to be restored */
	bool plain;          /* nothing on the screen has colours */
	uint8_t attribute;   /* VGA's: background << 4 | text */
	uint8_t mode;        /* of the screen, as we found it */
	uint16_t shape;      /* of the cursor, as we found it */
};

/* What INT 13h needs to know of a disk; machine.disks has the rest. */
struct drive {
	uint8_t number;      /* from 80h on */
	bool extensions;     /* it has EDD; otherwise it has a geometry */
	struct geometry geometry;
};

/* The functions of the PXE API (PXE specification, version 2.1). */
enum pxe_opcode {
	PXENV_UNDI_CLEANUP = 0x02,
	PXENV_UNDI_SHUTDOWN = 0x05,
	PXENV_UNDI_GET_INFORMATION = 0x0c,
	PXENV_UNDI_GET_NIC_TYPE = 0x12,
	PXENV_STOP_UNDI = 0x15,
	PXENV_UDP_OPEN = 0x30,
	PXENV_UDP_CLOSE = 0x31,
	PXENV_UDP_READ = 0x32,
	PXENV_UDP_WRITE = 0x33,
	PXENV_UNLOAD_STACK = 0x70,
	PXENV_GET_CACHED_INFO = 0x71,
};

/* The DHCP packets that PXENV_GET_CACHED_INFO knows. */
enum pxe_packet_type {
	PXE_DISCOVER = 1,
	PXE_ACK = 2,
	PXE_REPLY = 3,
};
#define PXE_PACKET_TYPES 3

#define PXE_PACKET_SIZE 1500 /* bytes of a cached packet that are used at most */

/* What is known of the ROM's API. */
struct pxe {
	struct pxe_api api; /* entry is 0:0 after pxe_shut_down() */
	bool nested;        /* what pxe_is_nested() says */
	/* The ROM's own cached packets, by type - 1; empty where it shows none. */
	struct {
		void *data;
		size_t length;
	} own[PXE_PACKET_TYPES];
	/* For ROMs that give away copies only. */
	uint8_t copies[PXE_PACKET_TYPES][PXE_PACKET_SIZE];
};

/* The processor's registers at a fault. The order is that of realmode.asm. */
struct fault {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error, eip, eflags, esp, cr2;
};

enum a20_opener {
	A20_NOT_OURS, /* the gate was open, or would not open */
	A20_BIOS,
	A20_PORT_92,
};

struct bios {
	struct platform platform; /* first, so that a platform * is a bios * */
	bool medium;              /* a drive is a boot medium, which no list of disks has */
	uint32_t base_end;        /* the end of the base memory that may be used */
	struct clock clock;
	struct console console;
	enum a20_opener a20;
	struct pxe pxe;
	struct dhcp_lease lease;
	struct drive drives[DISKS_MAX]; /* those of machine.disks */
	uint16_t local_port;      /* of the UDP socket; 0: it is not open */
	uint8_t datagram[PXE_PACKET_SIZE];
};

/** Returns the port that @p begins. */
static inline struct bios *bios_of(struct platform *p)
{
	return (struct bios *)p;
}

/* main.c */

/** entry.asm jumps here. */
void bios_main(void) __attribute__((noreturn));

/* cpuid.c */

/** Runs CPUID @leaf into EAX, EBX, ECX, EDX; gives zeros where the processor has no CPUID. */
void cpuid_read(uint32_t leaf, uint32_t regs[4]);
/** Does what platform.h says of describe_cpu(). */
void cpuid_describe_cpu(struct request *request);

/* clock.c */

/** Starts the clock, which counts from the NBP's first instruction. Takes 10 ms. */
void clock_start(struct bios *bios);

/* console.c */

/** Finds out which outputs there are. */
void console_open(struct console *console);
/** Sets screen and COM1 as they were. */
void console_close(struct console *console);

/* keys.c */

/**
 * Translates a key as INT 16h AH=10h gives it.
 * @ax: scan code in the high byte; in the low one ASCII, or 0 or E0h where the key has none
 * Returns a key as platform.h's key() does; KEY_NONE if it is none of those.
 */
int keys_translate(uint16_t ax);
/** Translates the shift state of INT 16h AH=02h to SHIFT_ bits. */
uint8_t keys_shift_of(uint8_t al);

/* uart.c */

/**
 * Finds COM1 and sets it to 115200 8N1, with FIFO. uart->port stays 0 if there is none,
 * or if the BIOS sends to it what is written to the screen.
 * @write: writes to the screen what cannot be seen: a backspace at a line's beginning or, if
 * @blank is set, a blank and a backspace over it
 */
void uart_open(struct uart *uart, void (*write)(bool blank));
/** Waits, briefly, until all is sent, and sets the UART as it was. */
void uart_close(struct uart *uart);
void uart_put(struct uart *uart, char c);
/** Returns the next byte, -1 if there is none. */
int uart_get(struct uart *uart);

/* memory.c */

/** Returns the end of base memory, after which the firmware's begins (40:13): at most A0000h. */
uint32_t memory_base_end(void);
/**
 * The memory for a loader begins after our bss and ends with base memory or, where the
 * ROM keeps its stack below that end, below what the ROM may need of its stack.
 */
uint32_t memory_loader_start(void);
uint32_t memory_loader_end(const struct bios *bios);
/**
 * Returns BOUNCE_SIZE bytes at the end of the memory for a loader, not across 64 KiB, as
 * some disk controllers want them; NULL if that memory is too small. They are never its
 * first BOUNCE_SIZE bytes. A loader of more than 500 KiB may lie there.
 */
void *memory_bounce(const struct bios *bios);
#define BOUNCE_SIZE 4096u
/** Returns the machine's usable memory in MiB, 0 if no BIOS call says. */
uint32_t memory_size(void);
/** Points machine->smbios at the structure table, if it can be read. */
void memory_find_smbios(struct bios *bios);
/** Closes the A20 gate if it was opened here. */
void memory_close_a20(struct bios *bios);

/* pxe.c */

/** Finds the API on this machine. Returns 0 or ERR_NOT_FOUND. */
int pxe_open(struct bios *bios);
/**
 * Calls the API on the ROM's stack, with interrupts on.
 * @parameters: begins with the uint16_t Status
 * Returns 0, or ERR_IO when the ROM says that it failed.
 */
int pxe_call(struct bios *bios, uint16_t opcode, void *parameters);
/** Points machine.dhcp at the DHCP packets that the ROM has kept. */
void pxe_read_packets(struct bios *bios);
/**
 * Says whether a loader that asks for a copy of packet @type would get what is now in the
 * ROM's own: whether a change of that packet has any effect.
 */
bool pxe_packet_kept(struct bios *bios, enum pxe_packet_type type);
/**
 * Has the ROM let go of the network card and of the interrupts it took, for an operating
 * system to come; the UDP socket must be closed. Afterwards the ROM can only
 * be returned to. A second call does nothing.
 */
void pxe_shut_down(struct bios *bios);

/* net.c */

/**
 * Finds the PXE API, lists the DHCP packets in machine.dhcp, and reads what ROM and packets
 * say of the NIC. Returns 0, or ERR_NOT_FOUND if there is no API.
 */
int net_find(struct bios *bios);

/* machine.c */

/** Fills platform.machine in but for NIC, packets and disks. */
void machine_read(struct bios *bios);

/* disk.c */

/** Lists the fixed disks among drives 80h and up in machine.disks, boot media left out. */
void disk_find(struct bios *bios);

/* local.c */

/** Restores what was changed of the machine, before another program has it. */
void local_leave(struct bios *bios);
/** Boots the local disk: by @method, then by those after it in enum local_boot. */
void local_boot(struct platform *p, enum local_boot method) __attribute__((noreturn));
/** Restarts the machine at once. */
void local_reset(void) __attribute__((noreturn));

/* fault.c */

/** From now on an exception in our code is reported at @bios's console, and boots the disk. */
void fault_catch(struct bios *bios);
/** realmode.asm jumps here. */
void fault_report(const struct fault *fault) __attribute__((noreturn));

#endif
