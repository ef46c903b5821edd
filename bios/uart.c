/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"

/* The 16550 UART's registers, from its base port on. */
#define UART_DATA 0        /* the divisor's low byte while DLAB is set */
#define UART_DIVISOR_HIGH 1
#define UART_FIFO 2        /* write only; reads as IIR */
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7

#define FIFO_ON 0x07       /* which also empties it */
#define FIFO_OFF 0x00
#define IIR_FIFO_IS_ON 0xc0
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS 0x03
#define MCR_OUT 0x0c   /* OUT1 and OUT2, which are RI and DCD in a loop */
#define MCR_LOOP 0x10  /* what is sent is received, and nothing leaves */
#define LSR_DATA 0x01  /* a byte has come */
#define LSR_READY 0x20 /* the UART takes another byte */
#define LSR_EMPTY 0x40 /* all is sent */
#define DIVISOR_115200 1

/* A byte takes 87 us at 115200; a read of a port 0.1 us to 1 us. */
#define UART_READS_MAX 20000
#define UART_FIFO_SIZE 16

static void set_line(uint16_t port, uint16_t divisor, uint8_t lcr, uint8_t mcr)
{
	x86_out8(port + UART_LCR, LCR_DLAB);
	x86_out8(port + UART_DATA, (uint8_t)divisor);
	x86_out8(port + UART_DIVISOR_HIGH, divisor >> 8);
	x86_out8(port + UART_LCR, lcr);
	x86_out8(port + UART_MCR, mcr);
}

static bool is_uart(uint16_t port)
{
	x86_out8(port + UART_SCRATCH, 0x5a);
	if (x86_in8(port + UART_SCRATCH) != 0x5a)
		return false;
	x86_out8(port + UART_SCRATCH, 0xa5);
	return x86_in8(port + UART_SCRATCH) == 0xa5 && x86_in8(port + UART_LSR) != 0xff;
}

/* Waits, for at most the time of a few bytes, until the LSR has all of @bits. */
static bool wait_lsr(uint16_t port, uint8_t bits)
{
	for (size_t i = 0; i < UART_READS_MAX; i++)
		if ((x86_in8(port + UART_LSR) & bits) == bits)
			return true;
	return false;
}

/* Drops the bytes that have come. */
static void drain(uint16_t port)
{
	for (size_t i = 0; i < UART_FIFO_SIZE; i++)
		x86_in8(port + UART_DATA);
}

/* Says whether the BIOS sends to the port what @write writes: then the port has not sent all,
 * or has received it again. In its loop the UART sees the other end as ready for anything. */
static bool is_used(uint16_t port, void (*write)(bool blank))
{
	uint8_t mcr = x86_in8(port + UART_MCR);
	bool used;

	write(false); /* a BIOS that has kept back a character sends it now */
	if (!wait_lsr(port, LSR_READY | LSR_EMPTY))
		return false;
	x86_out8(port + UART_MCR, mcr | MCR_DTR_RTS | MCR_OUT | MCR_LOOP);
	drain(port);
	write(true);
	used = (x86_in8(port + UART_LSR) & (LSR_EMPTY | LSR_DATA)) != LSR_EMPTY;
	/* Otherwise the rest would be sent once the loop has ended. */
	wait_lsr(port, LSR_READY | LSR_EMPTY);
	drain(port);
	x86_out8(port + UART_MCR, mcr);
	return used;
}

void uart_open(struct uart *uart, void (*write)(bool blank))
{
	uint16_t port = bda_read16(BDA_COM1);

	if (port == 0 || !is_uart(port) || is_used(port, write))
		return;
	uart->port = port;
	uart->lcr = x86_in8(port + UART_LCR) & (uint8_t)~LCR_DLAB;
	uart->mcr = x86_in8(port + UART_MCR);
	uart->fifo = (x86_in8(port + UART_FIFO) & IIR_FIFO_IS_ON) == IIR_FIFO_IS_ON;
	x86_out8(port + UART_LCR, LCR_DLAB);
	uart->divisor = x86_in8(port + UART_DATA);
	uart->divisor |= x86_in8(port + UART_DIVISOR_HIGH) << 8;
	set_line(port, DIVISOR_115200, LCR_8N1, uart->mcr | MCR_DTR_RTS);
	/* Without the FIFO an arrow key's bytes would overrun each other between two polls. */
	x86_out8(port + UART_FIFO, FIFO_ON);
}

void uart_close(struct uart *uart)
{
	if (!uart->port)
		return;
	/* A FIFO's 16 bytes take 16 times as long as one. */
	for (size_t i = 0; i < 16 && !wait_lsr(uart->port, LSR_READY | LSR_EMPTY); i++)
		;
	if (!uart->fifo)
		x86_out8(uart->port + UART_FIFO, FIFO_OFF);
	set_line(uart->port, uart->divisor, uart->lcr, uart->mcr);
	uart->port = 0;
}

void uart_put(struct uart *uart, char c)
{
	if (!uart->port || uart->stuck)
		return;
	uart->stuck = !wait_lsr(uart->port, LSR_READY); /* a stuck one is waited for only once */
	if (!uart->stuck)
		x86_out8(uart->port + UART_DATA, (uint8_t)c);
}

int uart_get(struct uart *uart)
{
	uint8_t state;

	if (!uart->port)
		return -1;
	state = x86_in8(uart->port + UART_LSR);
	if (state == 0xff || !(state & LSR_DATA))
		return -1;
	return x86_in8(uart->port + UART_DATA);
}
