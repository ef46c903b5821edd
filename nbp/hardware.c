/* SPDX-License-Identifier: BSD-2-Clause */
#include "hardware.h"

#include "cpu.h"
#include "memory.h"
#include "smbios.h"
#include "text.h"

static void describe_disks(const struct machine *machine, struct request *request)
{
	for (size_t i = 0; i < machine->disk_count && i < REQUEST_DISKS; i++) {
		const struct disk *disk = &machine->disks[i];

		request->disks[i] = (struct disk_fact){
			.kind = disk->kind,
			.sector_size = disk->sector_size,
			.sectors = disk->sectors,
		};
		request->disk_count++;
	}
}

void hardware_describe(struct platform *p, struct request *request)
{
	const struct machine *machine = &p->machine;

	smbios_describe(machine->smbios, machine->smbios_version, request);
	cpu_describe(p->cpuid, request);
	text_format(request->version, sizeof(request->version), "%s %s", p->name, VERSION);
	text_format(request->firmware_version, sizeof(request->firmware_version), "%s",
	            machine->firmware_version);
	memcpy(request->identity.mac, machine->mac, sizeof(request->identity.mac));
	request->architecture = machine->architecture;
	request->firmware = (uint8_t)machine->firmware;
	request->memory_mib = machine->memory_mib;
	request->secure_boot = machine->secure_boot;
	request->tpm = machine->tpm;
	request->nic_vendor = machine->nic_vendor;
	request->nic_device = machine->nic_device;
	request->nic_type = machine->nic_type;
	describe_disks(machine, request);
}
