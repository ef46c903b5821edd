/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"
#include "nbp/smbios.h"

#define SMBIOS_ENTRY_SIZE 31  /* DSP0134 5.2.1 */
#define SMBIOS3_ENTRY_SIZE 24 /* DSP0134 5.2.2 */

#define TABLES_MAX 256       /* of ACPI */
#define ACPI_HEADER 36       /* ACPI 6.5, 5.2.6 */
#define ACPI_LENGTH_AT 4
#define RSDP_XSDT_AT 24      /* ACPI 6.5, 5.2.5.3 */
#define RSDP_SIZE 36

static void read_smbios(struct efi *efi)
{
	static const EFI_GUID smbios3_guid = SMBIOS3_TABLE_GUID;
	static const EFI_GUID smbios_guid = SMBIOS_TABLE_GUID;
	struct machine *machine = &efi->platform.machine;
	struct smbios_entry entry;
	const void *found;

	found = efi_table(efi, &smbios3_guid);
	if (found && smbios_entry_read(found, SMBIOS3_ENTRY_SIZE, &entry) == 0)
		goto good;
	found = efi_table(efi, &smbios_guid);
	if (found && smbios_entry_read(found, SMBIOS_ENTRY_SIZE, &entry) == 0)
		goto good;
	debug(1, &efi->platform, "no SMBIOS table");
	return;

good:
	machine->smbios.data = (const uint8_t *)(uintptr_t)entry.address;
	machine->smbios.length = entry.length;
	machine->smbios_version = entry.version;
}

static bool is_usable(UINT32 type)
{
	return type == EfiConventionalMemory || type == EfiLoaderCode || type == EfiLoaderData ||
	       type == EfiBootServicesCode || type == EfiBootServicesData ||
	       type == EfiACPIReclaimMemory;
}

static uint32_t memory_mib(struct efi *efi)
{
	UINTN size = 0, key, step = 0;
	UINT32 version;
	UINT64 pages = 0;
	VOID *map = NULL;

	efi->boot->GetMemoryMap(&size, NULL, &key, &step, &version);
	if (step == 0)
		return 0;
	size += 8 * step; /* AllocatePool() itself splits entries */
	if (EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, size, &map)))
		return 0;
	if (!EFI_ERROR(efi->boot->GetMemoryMap(&size, map, &key, &step, &version))) {
		for (UINTN at = 0; at + step <= size; at += step) {
			const EFI_MEMORY_DESCRIPTOR *entry =
				(const void *)((const uint8_t *)map + at);

			if (is_usable(entry->Type))
				pages += entry->NumberOfPages;
		}
	}
	efi->boot->FreePool(map);
	return (uint32_t)(pages >> 8);
}

/* Names the firmware as UEFI does, "EDK II 1.0"; SMBIOS has the manufacturer's own name. */
static void read_firmware(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;
	const CHAR16 *vendor = efi->system->FirmwareVendor;
	uint32_t revision = efi->system->FirmwareRevision;
	char name[sizeof(machine->firmware_version)], clean[sizeof(machine->firmware_version)];
	size_t length = 0;

	while (vendor && length < sizeof(name) - 12 && vendor[length] != 0) {
		name[length] = vendor[length] < 0x80 ? (char)vendor[length] : '?';
		length++;
	}
	text_clean(clean, sizeof(clean), name, length);
	text_format(machine->firmware_version, sizeof(machine->firmware_version), "%s%s%u.%u",
	            clean, clean[0] ? " " : "", revision >> 16, revision & 0xffff);
}

/* Returns the value of a variable of one byte, or @absent. */
static uint8_t read_flag(struct efi *efi, const CHAR16 *name, uint8_t absent)
{
	UINTN size;
	uint8_t *value = efi_variable(efi, name, &efi_global_guid, &size);
	uint8_t flag = value ? value[0] : absent;

	efi_free(efi, value);
	return flag;
}

/* Says whether the firmware checks what it starts, and has keys for that (UEFI 3.3). */
static bool has_secure_boot(struct efi *efi)
{
	return read_flag(efi, L"SecureBoot", 0) == 1 && read_flag(efi, L"SetupMode", 0) == 0;
}

/* For TPM 2.0: TCG EFI Protocol Specification, family 2.0, 6.4. */
struct tcg2_capability {
	UINT8 size;
	UINT8 versions[4];
	UINT32 hash_algorithms, event_logs;
	BOOLEAN present;
	UINT16 limits[2];
	UINT32 more[3];
};

struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(struct tcg2 *this, struct tcg2_capability *capability);
};

/* For TPM 1.2: TCG EFI Protocol 1.22, 4. */
struct tcg_capability {
	UINT8 size;
	UINT8 versions[8];
	UINT8 hash_algorithms;
	BOOLEAN present;
	BOOLEAN deactivated;
};

struct tcg {
	EFI_STATUS(EFIAPI *status_check)(struct tcg *this, struct tcg_capability *capability,
	                                 UINT32 *features, EFI_PHYSICAL_ADDRESS *log,
	                                 EFI_PHYSICAL_ADDRESS *last_entry);
};

/* Asks the TPM's drivers: firmware may have one for a TPM that is not there. */
static uint8_t find_tpm_by_protocol(struct efi *efi)
{
	static const EFI_GUID tcg2_guid = { 0x607f766c, 0x7455, 0x42be,
		                            { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };
	static const EFI_GUID tcg_guid = { 0xf541796d, 0xa62e, 0x4954,
		                           { 0xa7, 0x75, 0x95, 0x84, 0xf6, 0x1b, 0x9c, 0xdd } };
	struct tcg2_capability capability2;
	struct tcg_capability capability;
	EFI_PHYSICAL_ADDRESS log, last;
	UINT32 features;
	struct tcg2 *tcg2 = efi_locate(efi, &tcg2_guid);
	struct tcg *tcg = efi_locate(efi, &tcg_guid);
	uint8_t found = STATE_UNKNOWN;

	memset(&capability2, 0, sizeof(capability2));
	capability2.size = sizeof(capability2);
	if (tcg2 && !EFI_ERROR(tcg2->get_capability(tcg2, &capability2)))
		found = capability2.present ? STATE_YES : STATE_NO;
	memset(&capability, 0, sizeof(capability));
	capability.size = sizeof(capability);
	if (found != STATE_YES && tcg &&
	    !EFI_ERROR(tcg->status_check(tcg, &capability, &features, &log, &last)))
		found = capability.present ? STATE_YES : STATE_NO;
	return found;
}

/* Looks for a TPM's table, of either family. Firmware with ACPI lists a TPM there. */
static uint8_t find_tpm_by_acpi(struct efi *efi)
{
	static const EFI_GUID acpi_guid = ACPI_20_TABLE_GUID;
	struct wire root = wire_reader(efi_table(efi, &acpi_guid), RSDP_SIZE), header, tables;
	const uint8_t *xsdt;
	uint32_t length;

	if (!root.data)
		return STATE_UNKNOWN;
	wire_seek(&root, RSDP_XSDT_AT);
	xsdt = (const uint8_t *)(uintptr_t)wire_read_le64(&root);
	if (!xsdt)
		return STATE_UNKNOWN;
	header = wire_reader(xsdt, ACPI_HEADER);
	wire_seek(&header, ACPI_LENGTH_AT);
	length = wire_read_le32(&header);
	tables = wire_reader(xsdt, length < TABLES_MAX * 8 ? length : TABLES_MAX * 8);
	wire_seek(&tables, ACPI_HEADER);
	while (wire_left(&tables) >= 8) {
		const void *table = (const void *)(uintptr_t)wire_read_le64(&tables);

		if (table &&
		    (memcmp(table, "TPM2", 4) == 0 || memcmp(table, "TCPA", 4) == 0))
			return STATE_YES;
	}
	return STATE_NO;
}

void machine_read(struct efi *efi)
{
	struct machine *machine = &efi->platform.machine;

	machine->firmware = FIRMWARE_UEFI;
	machine->architecture = cpu_names.architecture;
	machine->loader = cpu_names.loader;
	machine->memory_mib = memory_mib(efi);
	read_smbios(efi);
	read_firmware(efi);
	machine->secure_boot = has_secure_boot(efi) ? STATE_YES : STATE_NO;
	machine->tpm = find_tpm_by_protocol(efi);
	if (machine->tpm == STATE_UNKNOWN)
		machine->tpm = find_tpm_by_acpi(efi);
	debug(1, &efi->platform, "%s, secure boot %u, TPM %u", machine->firmware_version,
	      (uint32_t)machine->secure_boot, (uint32_t)machine->tpm);
}
