/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/bios.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* entry.asm */
void bios_main(void) __attribute__((noreturn));

/* A BOOTP packet's fixed part (RFC 2131 section 2). */
#define BOOTP_HLEN 2
#define BOOTP_CHADDR 28

static struct bios bios; /* all zeros at first */

static bool read_mac(struct span packet, uint8_t mac[6])
{
	if (packet.length < BOOTP_CHADDR + 6 || packet.data[BOOTP_HLEN] != 6)
		return false;
	memcpy(mac, packet.data + BOOTP_CHADDR, 6);
	return true;
}

static void read_packets(struct machine *machine)
{
	pxe_read_packets(&bios.pxe, &machine->dhcp);
	for (size_t i = 0; i < PXE_PACKET_TYPES; i++)
		debug(1, &bios.platform, "packet %u: %u bytes at %x", (uint32_t)i + 1,
		      (uint32_t)bios.pxe.own[i].length, (uint32_t)bios.pxe.own[i].data);
	/* Without a lease the core finds no server either, and says so. */
	dhcp_read(&machine->dhcp, &bios.lease);
	if (!read_mac(machine->dhcp.ack, machine->mac))
		read_mac(machine->dhcp.discover, machine->mac);
}

/* There is none that would do: of PCs only the PS/2 had one (INT 15h AH=C3h),
 * which counts missed timer ticks, as ours are, and raises an NMI. */
static void no_watchdog(struct platform *p, uint32_t seconds)
{
	(void)p;
	(void)seconds;
}

static const struct platform operations = {
	.name = "nvlnbp.sys",
	.now = clock_now,
	.idle = clock_idle,
	.cpuid = cpu_id,
	.entropy = clock_entropy,
	.write = console_write,
	.clear = console_clear,
	.move = console_move,
	.colours = console_colours,
	.key = console_key,
	.forget_keys = console_forget_keys,
	.shift = console_shift,
	.disk_read = disk_read,
	.udp_open = udp_open,
	.udp_send = udp_send,
	.udp_receive = udp_receive,
	.udp_close = udp_close,
	.fetch = chain_fetch,
	.prepare = chain_prepare,
	.chain = chain_start,
	.boot_local = local_boot,
	.recall = local_recall,
	.remember = local_remember,
	.reboot = local_reboot,
	.power_off = local_power_off,
	.watchdog = no_watchdog,
};

void bios_main(void)
{
	struct platform *p = &bios.platform;

	*p = operations;
	fault_open(&bios);
	clock_start(&bios.clock);
	console_open(&bios.console);
	bios.mark = memory_mark();
	debug(1, p, "%u TSC ticks a millisecond, base memory to %x", bios.clock.tsc.per_ms,
	      bios.mark);
	if (pxe_open(&bios.pxe, bios.mark) == 0) {
		debug(1, p, "%s at %04x:%04x", bios.pxe.api.pxenv ? "PXENV+" : "!PXE",
		      (uint32_t)bios.pxe.api.entry.segment, (uint32_t)bios.pxe.api.entry.offset);
		read_packets(&p->machine);
		machine_find(&bios);
		flow_run(p);
	} else {
		log_line(p, "no PXE interface found");
		log_line(p, "local boot");
	}
	local_boot(p, LOCAL_BOOT_DEFAULT);
}
