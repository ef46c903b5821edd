/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_BIOS_H
#define BIOS_BIOS_H

#include "bios/edd.h"
#include "bios/pxe.h"
#include "nbp/ansi_keys.h"
#include "nbp/dhcp.h"
#include "nbp/platform.h"
#include "nbp/x86.h"

/* The BIOS port: everything it knows, in one structure that begins with the
 * platform, so that the platform's functions find the rest. */

struct clock {
	struct x86_clock tsc; /* per_ms 0: use the BIOS's ticks instead */
	uint32_t ticks;       /* the BIOS's counter when last read */
	uint32_t elapsed;     /* ticks of it since the start */
	uint32_t rests;       /* calls of idle() since it moved, of half a millisecond each */
	uint32_t latest;      /* the time last told, by ticks */
};

struct uart {
	uint16_t port;       /* of COM1; 0: none */
	bool stuck;          /* takes no bytes; those that come may still be read */
	uint8_t lcr, mcr;    /* as we found it */
	uint16_t divisor;
	bool fifo;           /* was on */
};

struct console {
	struct uart uart;
	struct keys keys;    /* from the terminal at it */
	bool debug_port;     /* an emulator's console listens at port E9h */
	bool drawn;          /* cleared, or in colours: mode and shape are to be put back */
	bool plain;          /* nothing on the screen has colours */
	uint8_t attribute;   /* VGA's: background << 4 | text */
	uint8_t mode;        /* the screen's, as we found it */
	uint16_t shape;      /* the cursor's */
};

/* A disk as INT 13h has it; machine.disks has the rest. */
struct drive {
	uint8_t number;      /* from 80h on */
	bool extensions;     /* EDD; else it has a geometry */
	struct geometry geometry;
};

/* What the processor was at when it came to a fault; the order is realmode.asm's. */
struct fault {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error, eip, eflags, esp, cr2;
};

enum a20_opener {
	A20_NOT_OURS, /* was open, or would not open */
	A20_BIOS,
	A20_PORT_92,
};

struct bios {
	struct platform platform; /* first: a platform * is a bios * */
	uint32_t mark;            /* end of the base memory that may be used */
	struct clock clock;
	struct console console;
	enum a20_opener a20;
	struct pxe pxe;
	struct dhcp_lease lease;
	struct drive drives[DISKS_MAX]; /* of machine.disks */
	uint16_t local_port;      /* of the UDP socket; 0: not open */
	uint8_t datagram[PXE_PACKET_SIZE];
};

static inline struct bios *bios_of(struct platform *p)
{
	return (struct bios *)p;
}

/* clock.c */

/** Starts the clock at the NBP's first instruction; takes 10 ms. */
void clock_start(struct clock *clock);
uint32_t clock_now(struct platform *p);
void clock_idle(struct platform *p);
size_t clock_entropy(struct platform *p, void *buffer, size_t size);
void cpu_id(uint32_t leaf, uint32_t regs[4]);

/* console.c */

/** Finds out where output can go. */
void console_open(struct console *console);
/** Sets screen and COM1 as they were. */
void console_close(struct console *console);
void console_write(struct platform *p, const char *text, size_t length);
void console_clear(struct platform *p);
void console_move(struct platform *p, unsigned int row, unsigned int column);
void console_colours(struct platform *p, uint8_t text, uint8_t background);
int console_key(struct platform *p);
/** Wipes the BIOS's keyboard buffer. */
void console_forget_keys(struct platform *p);
uint8_t console_shift(struct platform *p);

/* uart.c */

/**
 * Finds COM1 and sets it to 115200 8N1, with FIFO. uart->port stays 0 if there is none,
 * or if the BIOS sends to it what is written to the screen.
 * @write: writes to the screen, something if @some, and has nothing kept back
 */
void uart_open(struct uart *uart, void (*write)(bool some));
/** Waits, briefly, until all is sent, and sets the UART as it was. */
void uart_close(struct uart *uart);
void uart_put(struct uart *uart, char c);
/** Takes a byte; -1: there is none. */
int uart_get(struct uart *uart);

/* memory.c */

/** Returns the first address that belongs to firmware (40:13), at most A0000h. */
uint32_t memory_mark(void);
/**
 * The room for a loader: from after our bss to the mark, or, where the ROM keeps
 * its stack below that, to what the ROM may need of it.
 */
uint32_t memory_room_start(void);
uint32_t memory_room_end(const struct bios *bios);
/**
 * Returns BOUNCE_SIZE bytes at that room's end, not across 64 KiB, as some disk
 * controllers want them; NULL if the room is too small. Its first BOUNCE_SIZE
 * bytes are others. A loader of more than 500 KiB may lie there.
 */
void *memory_bounce(const struct bios *bios);
#define BOUNCE_SIZE 4096u
/** Returns the machine's usable memory in MiB, 0 if no BIOS call says. */
uint32_t memory_size(void);
/** Points machine->smbios at the structure table, if it can be read. */
void memory_find_smbios(struct bios *bios);
/** Closes the A20 gate if it was opened here. */
void memory_close_a20(struct bios *bios);

/* udp.c */

int udp_open(struct platform *p, uint16_t local_port);
int udp_send(struct platform *p, const struct endpoint *to, const void *data, size_t length);
int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                size_t *length);
void udp_close(struct platform *p);

/* chain.c */

int chain_fetch(struct platform *p, const uint8_t server[4], const char *name,
                struct image *image);
int chain_prepare(struct platform *p, const struct image *image, const struct handover *handover);
int chain_start(struct platform *p, const struct image *image, const struct handover *handover);

/* machine.c */

/** Fills in what the firmware tells of the machine, but for the packets. */
void machine_find(struct bios *bios);

/* disk.c */

/** Finds the fixed disks among drives 80h and up. */
void disk_find(struct bios *bios);
int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer);

/* local.c */

/** Puts back what was changed of the machine, before another program has it. */
void local_leave(struct bios *bios);
/** Boots the local disk: @method, then those after it at enum local_boot. */
void local_boot(struct platform *p, enum local_boot method) __attribute__((noreturn));
/** Fetches what local_remember() kept since POST; ERR_NOT_FOUND: nothing. */
int local_recall(struct platform *p, uint8_t record[POWER_ON_SIZE]);
void local_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE]);
void local_reboot(struct platform *p);
/** Switches the machine off, or restarts it if the BIOS cannot. */
void local_power_off(struct platform *p);
/** Restarts the machine at once. */
void local_reset(void) __attribute__((noreturn));

/* fault.c */

/** From now on an exception in our code is told of at @bios's console. */
void fault_open(struct bios *bios);

#endif
