/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PORT_H
#define NBP_PORT_H

#include "nbp/platform.h"

/*
 * The functions that each port has under the same name, in the file that the name begins
 * with. They do what struct platform says of the members that port_fill() sets to them.
 */

uint32_t clock_now(struct platform *p);
void clock_idle(struct platform *p);
size_t clock_entropy(struct platform *p, void *buffer, size_t size);

void console_write(struct platform *p, const char *text, size_t length);
void console_clear(struct platform *p);
void console_move(struct platform *p, unsigned int row, unsigned int column);
void console_colours(struct platform *p, uint8_t text, uint8_t background);

int keys_read(struct platform *p);
void keys_forget(struct platform *p);
uint8_t keys_shift(struct platform *p);

int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer);

int udp_open(struct platform *p, uint16_t local_port);
int udp_send(struct platform *p, const struct endpoint *to, const void *data, size_t length);
int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                size_t *length);
void udp_close(struct platform *p);

int chain_fetch(struct platform *p, const uint8_t server[4], const char *name, bool multicast,
                struct image *image);
int chain_prepare(struct platform *p, const struct image *image, const struct handover *handover);
int chain_start(struct platform *p, const struct image *image, const struct handover *handover);

void local_boot(struct platform *p, enum local_boot method);
int local_recall(struct platform *p, uint8_t record[POWER_ON_SIZE]);
void local_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE]);
void local_reboot(struct platform *p);
void local_power_off(struct platform *p);

/** Sets the functions of @p to those above. The port itself sets describe_cpu and watchdog. */
static inline void port_fill(struct platform *p)
{
	p->now = clock_now;
	p->idle = clock_idle;
	p->entropy = clock_entropy;
	p->write = console_write;
	p->clear = console_clear;
	p->move = console_move;
	p->colours = console_colours;
	p->key = keys_read;
	p->forget_keys = keys_forget;
	p->shift = keys_shift;
	p->disk_read = disk_read;
	p->udp_open = udp_open;
	p->udp_send = udp_send;
	p->udp_receive = udp_receive;
	p->udp_close = udp_close;
	p->fetch = chain_fetch;
	p->prepare = chain_prepare;
	p->chain = chain_start;
	p->boot_local = local_boot;
	p->recall = local_recall;
	p->remember = local_remember;
	p->reboot = local_reboot;
	p->power_off = local_power_off;
}

#endif
