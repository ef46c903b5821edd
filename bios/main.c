/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/log.h"

static struct bios bios; /* entry.asm has cleared it */

/* No PC has a watchdog that would do. Only the PS/2 had one (INT 15h AH=C3h), which counts
 * missed timer ticks, and ours are missed, and raises an NMI. */
static void no_watchdog(struct platform *p, uint32_t seconds)
{
	(void)p;
	(void)seconds;
}

static void fill_platform(struct platform *p)
{
	p->name = "nvlnbp.sys";
	p->now = clock_now;
	p->idle = clock_idle;
	p->cpuid = machine_cpuid;
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
	p->watchdog = no_watchdog;
}

void bios_main(void)
{
	struct platform *p = &bios.platform;

	fill_platform(p);
	fault_catch(&bios);
	clock_start(&bios);
	console_open(&bios.console);
	bios.base_end = memory_base_end();
	debug(1, p, "%u TSC ticks a millisecond, base memory to %x", bios.clock.tsc.per_ms,
	      bios.base_end);
	if (net_find(&bios) == 0) {
		machine_read(&bios);
		disk_find(&bios);
		flow_run(p);
	} else {
		log_line(p, "no PXE interface found");
		log_line(p, "local boot");
	}
	local_boot(p, LOCAL_BOOT_DEFAULT);
}
