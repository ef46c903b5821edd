/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/log.h"

static struct bios bios; /* entry.asm has cleared it */

/* No PC has a watchdog that we could use. Only the PS/2 had one (INT 15h AH=C3h): it raises an
 * NMI when timer ticks are missed, and we miss them. */
static void no_watchdog(struct platform *p, uint32_t seconds)
{
	(void)p;
	(void)seconds;
}

void bios_main(void)
{
	struct platform *p = &bios.platform;

	port_fill(p);
	p->name = "nvlnbp.sys";
	p->describe_cpu = cpuid_describe_cpu;
	p->watchdog = no_watchdog;
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
