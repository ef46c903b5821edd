/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/bios.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"

/* Of PXENV_UNDI_GET_NIC_TYPE; only what a PCI card has. */
struct nic_type {
	uint16_t status;
	uint8_t type;
	uint16_t vendor, device;
	uint8_t rest[16];
} __attribute__((packed));

#define NIC_PCI 2
#define NIC_CARDBUS 4
#define NIC_NOT_TOLD 0xff

/* Of PXENV_UNDI_GET_INFORMATION. */
struct nic_information {
	uint16_t status, io_base, interrupt, mtu;
	uint16_t hardware_type, address_length;
	uint8_t address[16], permanent_address[16];
	uint8_t rest[16];
} __attribute__((packed));

/* Outputs begin as what no card says: not every ROM writes all of them. The
 * ROM of a Dell with an X710 leaves the type out, and is a PCI card's. */
static void find_nic(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;
	struct nic_information information;
	struct nic_type type;

	memset(&type, 0xff, sizeof(type));
	if (pxe_call(&bios->pxe.api, PXENV_UNDI_GET_NIC_TYPE, &type) == 0 &&
	    (type.type == NIC_PCI || type.type == NIC_CARDBUS || type.type == NIC_NOT_TOLD) &&
	    type.vendor != 0xffff && type.device != 0xffff) {
		machine->nic_vendor = type.vendor;
		machine->nic_device = type.device;
	}
	memset(&information, 0, sizeof(information));
	if (pxe_call(&bios->pxe.api, PXENV_UNDI_GET_INFORMATION, &information) == 0)
		machine->nic_type = (uint8_t)information.hardware_type;
	debug(1, &bios->platform, "NIC type %u, %04x:%04x, hardware type %u, %pM", (uint32_t)type.type,
	      (uint32_t)type.vendor, (uint32_t)type.device, (uint32_t)machine->nic_type,
	      information.address);
}

/* TCG PC Client Implementation for Conventional BIOS, TCG_StatusCheck. */
#define TCG_STATUS_CHECK 0xbb00
#define TCG_SIGNATURE 0x41504354 /* "TCPA" */

static enum tristate find_tpm(void)
{
	struct realmode r = { .eax = TCG_STATUS_CHECK };

	realmode_interrupt(0x1a, &r);
	return r.eax == 0 && r.ebx == TCG_SIGNATURE ? STATE_YES : STATE_NO;
}

void machine_find(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;

	machine->firmware = FIRMWARE_BIOS;
	machine->architecture = 0;
	machine->secure_boot = STATE_NO; /* UEFI's alone */
	machine->tpm = find_tpm();
	machine->memory_mib = memory_size();
	memory_find_smbios(bios);
	find_nic(bios);
	disk_find(bios);
}
