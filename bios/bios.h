/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_BIOS_H
#define BIOS_BIOS_H

#include "dhcp.h"
#include "platform.h"
#include "pxe.h"
#include "x86.h"

/* The BIOS port: everything it knows, in one structure that begins with the
 * platform, so that the platform's functions find the rest. */

struct clock {
	struct x86_clock tsc; /* per_ms 0: use the BIOS's ticks instead */
	uint32_t ticks;       /* the BIOS's counter when last read */
	uint32_t elapsed;     /* ticks of it since the start */
	uint32_t rests;       /* calls of idle() since it moved, of half a millisecond each */
	uint32_t latest;      /* the time last told, by ticks */
};

struct console {
	uint16_t uart;       /* port of COM1; 0: none */
	bool debug_port;     /* an emulator's console listens at port E9h */
	uint8_t lcr, mcr;    /* the UART as we found it */
	uint16_t divisor;
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

/** Finds out where output can go, and sets COM1 to 115200 8N1 if it is there. */
void console_open(struct console *console);
/** Waits, briefly, until all is sent and sets COM1 as it was. */
void console_close(struct console *console);
void console_write(struct platform *p, const char *text, size_t length);

/* memory.c */

/** Returns the first address that belongs to firmware (40:13), at most A0000h. */
uint32_t memory_mark(void);
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
int chain_start(struct platform *p, const struct image *image, const struct handover *handover);
/** Returns to the ROM, whatever @method. Does not come back. */
void chain_local(struct platform *p, enum local_boot method) __attribute__((noreturn));

#endif
