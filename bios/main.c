/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios.h"
#include "debug.h"
#include "error.h"
#include "flow.h"
#include "log.h"
#include "memory.h"

/* entry.asm and realmode.asm */
void bios_main(void) __attribute__((noreturn));
void bios_fault(void) __attribute__((noreturn));
extern const uint8_t idt_fault[], idt_nmi[];

struct gate { /* Intel SDM volume 3A section 6.11 */
	uint16_t offset_low, selector;
	uint16_t type;
	uint16_t offset_high;
} __attribute__((packed));

#define GATE_INTERRUPT32 0x8e00
#define SELECTOR_CODE32 8 /* realmode.inc */
#define VECTOR_NMI 2
#define VECTORS 32

extern struct gate idt[VECTORS];

/* A BOOTP packet's fixed part (RFC 2131 section 2). */
#define BOOTP_HLEN 2
#define BOOTP_CHADDR 28

/* In bss, and global, for a fault's sake. */
static struct bios bios;

static void set_gates(void)
{
	for (size_t i = 0; i < VECTORS; i++) {
		uint32_t handler = (uint32_t)(i == VECTOR_NMI ? idt_nmi : idt_fault);

		idt[i] = (struct gate){
			.offset_low = (uint16_t)handler,
			.selector = SELECTOR_CODE32,
			.type = GATE_INTERRUPT32,
			.offset_high = (uint16_t)(handler >> 16),
		};
	}
}

static bool read_mac(struct span packet, uint8_t mac[6])
{
	if (packet.length < BOOTP_CHADDR + 6 || packet.data[BOOTP_HLEN] != 6)
		return false;
	memcpy(mac, packet.data + BOOTP_CHADDR, 6);
	return true;
}

static void describe_machine(struct machine *machine)
{
	machine->firmware = FIRMWARE_BIOS;
	machine->architecture = 0;
	machine->memory_mib = memory_size();
	memory_find_smbios(&bios);
	pxe_read_packets(&bios.pxe, &machine->dhcp);
	for (size_t i = 0; i < PXE_PACKET_TYPES; i++)
		debug(1, &bios.platform, "packet %u: %u bytes at %x", (uint32_t)i + 1,
		      (uint32_t)bios.pxe.own[i].length, (uint32_t)bios.pxe.own[i].data);
	/* Without a lease the core finds no server either, and says so. */
	dhcp_read(&machine->dhcp, &bios.lease);
	if (!read_mac(machine->dhcp.ack, machine->mac))
		read_mac(machine->dhcp.discover, machine->mac);
}

static const struct platform operations = {
	.name = "nvlnbp.sys",
	.now = clock_now,
	.idle = clock_idle,
	.cpuid = cpu_id,
	.entropy = clock_entropy,
	.write = console_write,
	.udp_open = udp_open,
	.udp_send = udp_send,
	.udp_receive = udp_receive,
	.udp_close = udp_close,
	.fetch = chain_fetch,
	.chain = chain_start,
	.boot_local = chain_local,
};

void bios_main(void)
{
	struct platform *p = &bios.platform;

	*p = operations;
	set_gates();
	clock_start(&bios.clock);
	console_open(&bios.console);
	bios.mark = memory_mark();
	debug(1, p, "%u TSC ticks a millisecond, base memory to %x", bios.clock.tsc.per_ms,
	      bios.mark);
	if (pxe_open(&bios.pxe, bios.mark) == 0) {
		debug(1, p, "%s at %04x:%04x", bios.pxe.api.pxenv ? "PXENV+" : "!PXE",
		      (uint32_t)bios.pxe.api.entry.segment, (uint32_t)bios.pxe.api.entry.offset);
		describe_machine(&p->machine);
		flow_run(p);
	} else {
		log_line(p, "no PXE interface found");
		log_line(p, "local boot");
	}
	chain_local(p, LOCAL_BOOT_DEFAULT);
}

void bios_fault(void)
{
	log_line(&bios.platform, "%s: processor fault", operations.name);
	log_line(&bios.platform, "local boot");
	chain_local(&bios.platform, LOCAL_BOOT_DEFAULT);
}
