/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/port.h"

void port_fill(struct platform *p)
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
