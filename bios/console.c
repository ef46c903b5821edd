/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios.h"

/* The 16550 UART's registers, from its base port on. */
#define UART_DATA 0        /* and the divisor's low byte while DLAB is set */
#define UART_DIVISOR_HIGH 1
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7

#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS 0x03
#define LSR_READY 0x20 /* takes another byte */
#define LSR_EMPTY 0x40 /* all is sent */
#define DIVISOR_115200 1

/* A byte takes 87 us at 115200; a read of a port 0.1 us to 1 us. */
#define UART_READS_MAX 20000

#define DEBUG_PORT 0xe9 /* reads as E9h where an emulator listens */

static void uart_set(uint16_t uart, uint16_t divisor, uint8_t lcr, uint8_t mcr)
{
	x86_out8(uart + UART_LCR, LCR_DLAB);
	x86_out8(uart + UART_DATA, (uint8_t)divisor);
	x86_out8(uart + UART_DIVISOR_HIGH, divisor >> 8);
	x86_out8(uart + UART_LCR, lcr);
	x86_out8(uart + UART_MCR, mcr);
}

static bool uart_answers(uint16_t uart)
{
	x86_out8(uart + UART_SCRATCH, 0x5a);
	if (x86_in8(uart + UART_SCRATCH) != 0x5a)
		return false;
	x86_out8(uart + UART_SCRATCH, 0xa5);
	return x86_in8(uart + UART_SCRATCH) == 0xa5 && x86_in8(uart + UART_LSR) != 0xff;
}

void console_open(struct console *console)
{
	uint16_t uart = bda_read16(BDA_COM1);

	console->debug_port = DEBUG_BUILD && x86_in8(DEBUG_PORT) == DEBUG_PORT;
	if (uart == 0 || !uart_answers(uart))
		return;
	console->uart = uart;
	console->lcr = x86_in8(uart + UART_LCR) & (uint8_t)~LCR_DLAB;
	console->mcr = x86_in8(uart + UART_MCR);
	x86_out8(uart + UART_LCR, LCR_DLAB);
	console->divisor = x86_in8(uart + UART_DATA);
	console->divisor |= x86_in8(uart + UART_DIVISOR_HIGH) << 8;
	uart_set(uart, DIVISOR_115200, LCR_8N1, console->mcr | MCR_DTR_RTS);
}

static bool uart_wait(uint16_t uart, uint8_t bits)
{
	for (size_t i = 0; i < UART_READS_MAX; i++)
		if ((x86_in8(uart + UART_LSR) & bits) == bits)
			return true;
	return false;
}

void console_close(struct console *console)
{
	if (!console->uart)
		return;
	uart_wait(console->uart, LSR_READY | LSR_EMPTY);
	uart_set(console->uart, console->divisor, console->lcr, console->mcr);
	console->uart = 0;
}

static void put(struct console *console, char c)
{
	/* Page 0, light grey; the colour counts in graphics modes only. */
	struct realmode r = { .eax = 0x0e00 | (uint8_t)c, .ebx = 0x0007 };

	realmode_interrupt(0x10, &r);
	if (console->uart) {
		if (uart_wait(console->uart, LSR_READY))
			x86_out8(console->uart + UART_DATA, (uint8_t)c);
		else
			console->uart = 0; /* stuck; wait for it once only */
	}
	if (console->debug_port)
		x86_out8(DEBUG_PORT, (uint8_t)c);
}

void console_write(struct platform *p, const char *text, size_t length)
{
	struct console *console = &bios_of(p)->console;

	while (length--) {
		if (*text == '\n')
			put(console, '\r');
		put(console, *text++);
	}
}
