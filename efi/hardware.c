/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

/* What only firmware knows of NIC, firmware and TPM. */

#define DHCP_HTYPE 1
#define TABLES_MAX 256       /* of ACPI */
#define ACPI_HEADER 36       /* ACPI 6.5, 5.2.6 */
#define ACPI_LENGTH_AT 4
#define RSDP_XSDT_AT 24      /* ACPI 6.5, 5.2.5.3 */
#define RSDP_SIZE 36

static void read_nic(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;
	EFI_SIMPLE_NETWORK *snp;
	uint32_t ids = efi_pci_read(port, efi_parent_with(port, port->path, &pci_guid), 0);

	machine->nic_vendor = (uint16_t)ids;
	machine->nic_device = (uint16_t)(ids >> 16);
	snp = efi_protocol(port, efi_parent_with(port, port->path, &snp_guid), &snp_guid);
	if (machine->dhcp.discover.length > DHCP_HTYPE)
		machine->nic_type = machine->dhcp.discover.data[DHCP_HTYPE];
	else if (snp != NULL && snp->Mode != NULL)
		machine->nic_type = snp->Mode->IfType;
}

/* Names the firmware as UEFI does, "EDK II 1.0"; SMBIOS has the maker's own name. */
static void read_firmware(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;
	const CHAR16 *vendor = port->system->FirmwareVendor;
	uint32_t revision = port->system->FirmwareRevision;
	char name[sizeof(machine->firmware_version)], clean[sizeof(machine->firmware_version)];
	size_t length = 0;

	while (vendor != NULL && length < sizeof(name) - 12 && vendor[length] != 0) {
		name[length] = vendor[length] < 0x80 ? (char)vendor[length] : '?';
		length++;
	}
	text_clean(clean, sizeof(clean), name, length);
	text_format(machine->firmware_version, sizeof(machine->firmware_version), "%s%s%u.%u",
	            clean, clean[0] ? " " : "", revision >> 16, revision & 0xffff);
}

/* Returns the value of a variable of one byte, or @absent. */
static uint8_t read_flag(struct efi_port *port, const CHAR16 *name, uint8_t absent)
{
	UINTN size;
	uint8_t *value = efi_variable(port, name, &global_guid, &size);
	uint8_t flag = value != NULL ? value[0] : absent;

	efi_free(port, value);
	return flag;
}

/* In force: the firmware checks what it starts, and its keys are set (UEFI 3.3). */
static bool secure_boot(struct efi_port *port)
{
	return read_flag(port, L"SecureBoot", 0) == 1 && read_flag(port, L"SetupMode", 0) == 0;
}

/* TCG EFI Protocol Specification, family 2.0, 6.4 */
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

/* TCG EFI Protocol 1.22, 4: for TPM 1.2. */
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
static uint8_t tpm_by_protocol(struct efi_port *port)
{
	static EFI_GUID tcg2_guid = { 0x607f766c, 0x7455, 0x42be,
		                      { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };
	static EFI_GUID tcg_guid = { 0xf541796d, 0xa62e, 0x4954,
		                     { 0xa7, 0x75, 0x95, 0x84, 0xf6, 0x1b, 0x9c, 0xdd } };
	struct tcg2_capability capability2;
	struct tcg_capability capability;
	EFI_PHYSICAL_ADDRESS log, last;
	UINT32 features;
	VOID *protocol;
	uint8_t found = STATE_UNKNOWN;

	memset(&capability2, 0, sizeof(capability2));
	capability2.size = sizeof(capability2);
	if (!EFI_ERROR(port->boot->LocateProtocol(&tcg2_guid, NULL, &protocol))) {
		struct tcg2 *tcg2 = protocol;

		if (!EFI_ERROR(tcg2->get_capability(tcg2, &capability2)))
			found = capability2.present ? STATE_YES : STATE_NO;
	}
	memset(&capability, 0, sizeof(capability));
	capability.size = sizeof(capability);
	if (found != STATE_YES &&
	    !EFI_ERROR(port->boot->LocateProtocol(&tcg_guid, NULL, &protocol))) {
		struct tcg *tcg = protocol;

		if (!EFI_ERROR(tcg->status_check(tcg, &capability, &features, &log, &last)))
			found = capability.present ? STATE_YES : STATE_NO;
	}
	return found;
}

/* Looks for a TPM's table, of either family. Firmware with ACPI lists a TPM there. */
static uint8_t tpm_by_acpi(struct efi_port *port)
{
	static const EFI_GUID acpi_guid = ACPI_20_TABLE_GUID;
	struct wire root = wire_reader(efi_table(port, &acpi_guid), RSDP_SIZE), header, tables;
	const uint8_t *xsdt;
	uint32_t length;

	if (root.data == NULL)
		return STATE_UNKNOWN;
	wire_seek(&root, RSDP_XSDT_AT);
	xsdt = (const uint8_t *)(uintptr_t)wire_read_le64(&root);
	if (xsdt == NULL)
		return STATE_UNKNOWN;
	header = wire_reader(xsdt, ACPI_HEADER);
	wire_seek(&header, ACPI_LENGTH_AT);
	length = wire_read_le32(&header);
	tables = wire_reader(xsdt, length < TABLES_MAX * 8 ? length : TABLES_MAX * 8);
	wire_seek(&tables, ACPI_HEADER);
	while (wire_left(&tables) >= 8) {
		const void *table = (const void *)(uintptr_t)wire_read_le64(&tables);

		if (table != NULL &&
		    (memcmp(table, "TPM2", 4) == 0 || memcmp(table, "TCPA", 4) == 0))
			return STATE_YES;
	}
	return STATE_NO;
}

void hardware_read(struct efi_port *port)
{
	struct machine *machine = &port->platform.machine;

	read_nic(port);
	read_firmware(port);
	machine->secure_boot = secure_boot(port) ? STATE_YES : STATE_NO;
	machine->tpm = tpm_by_protocol(port);
	if (machine->tpm == STATE_UNKNOWN)
		machine->tpm = tpm_by_acpi(port);
	debug(1, &port->platform, "%s, NIC %04x:%04x, secure boot %u, TPM %u",
	      machine->firmware_version, (uint32_t)machine->nic_vendor,
	      (uint32_t)machine->nic_device, (uint32_t)machine->secure_boot,
	      (uint32_t)machine->tpm);
}
