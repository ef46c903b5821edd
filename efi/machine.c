/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/smbios.h"

#define ARCHITECTURE_X64_UEFI 7 /* RFC 4578 section 2.1, as errata and practice have it */

/* The bytes at the start of a DHCP packet that tell the sender's hardware. */
#define DHCP_HTYPE 1
#define DHCP_HLEN 2
#define DHCP_CHADDR 28
#define HTYPE_ETHERNET 1

#define SMBIOS_ENTRY_SIZE 31  /* DSP0134 5.2.1 */
#define SMBIOS3_ENTRY_SIZE 24 /* DSP0134 5.2.2 */

static void read_smbios(struct efi_port *port)
{
	static const EFI_GUID smbios3_guid = SMBIOS3_TABLE_GUID;
	static const EFI_GUID smbios_guid = SMBIOS_TABLE_GUID;
	struct machine *machine = &port->platform.machine;
	struct smbios_entry entry;
	const void *found;

	found = efi_table(port, &smbios3_guid);
	if (found != NULL && smbios_entry_read(found, SMBIOS3_ENTRY_SIZE, &entry) == 0)
		goto good;
	found = efi_table(port, &smbios_guid);
	if (found != NULL && smbios_entry_read(found, SMBIOS_ENTRY_SIZE, &entry) == 0)
		goto good;
	debug(1, &port->platform, "no SMBIOS table");
	return;

good:
	machine->smbios.data = (const uint8_t *)(uintptr_t)entry.address;
	machine->smbios.length = entry.length;
	machine->smbios_version = entry.version;
}

static bool usable(UINT32 type)
{
	return type == EfiConventionalMemory || type == EfiLoaderCode || type == EfiLoaderData ||
	       type == EfiBootServicesCode || type == EfiBootServicesData ||
	       type == EfiACPIReclaimMemory;
}

static uint32_t memory_mib(struct efi_port *port)
{
	UINTN size = 0, key, step = 0;
	UINT32 version;
	UINT64 pages = 0;
	VOID *map = NULL;

	port->boot->GetMemoryMap(&size, NULL, &key, &step, &version);
	if (step == 0)
		return 0;
	size += 8 * step; /* the allocation itself splits entries */
	if (EFI_ERROR(port->boot->AllocatePool(EfiLoaderData, size, &map)))
		return 0;
	if (!EFI_ERROR(port->boot->GetMemoryMap(&size, map, &key, &step, &version))) {
		for (UINTN at = 0; at + step <= size; at += step) {
			const EFI_MEMORY_DESCRIPTOR *entry =
				(const void *)((const uint8_t *)map + at);

			if (usable(entry->Type))
				pages += entry->NumberOfPages;
		}
	}
	port->boot->FreePool(map);
	return (uint32_t)(pages >> 8);
}

/*
 * The NIC's address is in the question that it sent for its own address; where
 * there is no such packet, what the path tells that we were loaded by stays.
 */
static void read_mac(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;
	struct span packet = machine->dhcp.discover;

	if (packet.data == NULL)
		packet = machine->dhcp.ack;
	if (packet.length >= DHCP_CHADDR + 6 && packet.data[DHCP_HTYPE] == HTYPE_ETHERNET &&
	    packet.data[DHCP_HLEN] == 6)
		memcpy(machine->mac, packet.data + DHCP_CHADDR, 6);
}

void machine_read(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;

	machine->firmware = FIRMWARE_UEFI;
	machine->architecture = ARCHITECTURE_X64_UEFI;
	machine->memory_mib = memory_mib(port);
	read_mac(port);
	read_smbios(port);
}
