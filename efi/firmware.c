/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#include <efipciio.h>

#define HANDLES_MAX 256
#define VARIABLE_MAX 0x10000
#define PATH_NODES_MAX 16

const EFI_GUID efi_block_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
const EFI_GUID efi_global_guid = EFI_GLOBAL_VARIABLE;
const EFI_GUID efi_loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
const EFI_GUID efi_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
const EFI_GUID efi_pci_guid = EFI_PCI_IO_PROTOCOL_GUID;
const EFI_GUID efi_pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
const EFI_GUID efi_snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
const EFI_GUID efi_volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

/* Makes of @guid what the firmware's calls take, which do not change it. */
static EFI_GUID *as_argument(const EFI_GUID *guid)
{
	return (EFI_GUID *)(uintptr_t)guid;
}

void *efi_protocol(struct efi *efi, EFI_HANDLE handle, const EFI_GUID *guid)
{
	void *interface = NULL;

	if (!handle || EFI_ERROR(efi->boot->HandleProtocol(handle, as_argument(guid), &interface)))
		return NULL;
	return interface;
}

void *efi_locate(struct efi *efi, const EFI_GUID *guid)
{
	void *interface = NULL;

	if (EFI_ERROR(efi->boot->LocateProtocol(as_argument(guid), NULL, &interface)))
		return NULL;
	return interface;
}

EFI_HANDLE efi_nearest(struct efi *efi, EFI_DEVICE_PATH **path, const EFI_GUID *guid)
{
	EFI_HANDLE handle = NULL;

	if (!*path || EFI_ERROR(efi->boot->LocateDevicePath(as_argument(guid), path, &handle)))
		return NULL;
	return handle;
}

EFI_HANDLE efi_parent_with(struct efi *efi, EFI_DEVICE_PATH *path, const EFI_GUID *guid)
{
	return efi_nearest(efi, &path, guid);
}

void *efi_parent_protocol(struct efi *efi, EFI_DEVICE_PATH *path, const EFI_GUID *guid)
{
	return efi_protocol(efi, efi_nearest(efi, &path, guid), guid);
}

bool efi_is_below(struct efi *efi, EFI_HANDLE handle, const void *above, size_t length)
{
	const void *path = efi_protocol(efi, handle, &efi_path_guid);

	return path && device_path_nodes(path) >= length && memcmp(path, above, length) == 0;
}

UINTN efi_handles(struct efi *efi, const EFI_GUID *guid, EFI_HANDLE **list)
{
	UINTN count = 0;

	*list = NULL;
	if (EFI_ERROR(efi->boot->LocateHandleBuffer(ByProtocol, as_argument(guid), NULL, &count,
	                                            list)))
		return 0;
	return count < HANDLES_MAX ? count : HANDLES_MAX;
}

void *efi_variable(struct efi *efi, const CHAR16 *name, const EFI_GUID *vendor, UINTN *size)
{
	EFI_RUNTIME_SERVICES *runtime = efi->system->RuntimeServices;
	VOID *value;

	*size = 0;
	if (runtime->GetVariable((CHAR16 *)(uintptr_t)name, as_argument(vendor), NULL, size,
	                         NULL) != EFI_BUFFER_TOO_SMALL ||
	    *size > VARIABLE_MAX ||
	    EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, *size, &value)))
		return NULL;
	if (EFI_ERROR(runtime->GetVariable((CHAR16 *)(uintptr_t)name, as_argument(vendor), NULL,
	                                   size, value))) {
		efi->boot->FreePool(value);
		return NULL;
	}
	return value;
}

bool efi_set_variable(struct efi *efi, const CHAR16 *name, const EFI_GUID *vendor,
                      UINT32 attributes, const void *value, UINTN size)
{
	return !EFI_ERROR(efi->system->RuntimeServices->SetVariable(
		(CHAR16 *)(uintptr_t)name, as_argument(vendor),
		attributes | EFI_VARIABLE_BOOTSERVICE_ACCESS, size, (void *)(uintptr_t)value));
}

void efi_free(struct efi *efi, void *pool)
{
	if (pool)
		efi->boot->FreePool(pool);
}

EFI_TPL efi_tpl(struct efi *efi)
{
	EFI_TPL tpl = efi->boot->RaiseTPL(TPL_HIGH_LEVEL);

	efi->boot->RestoreTPL(tpl);
	return tpl;
}

int efi_error(EFI_STATUS status)
{
	switch (status) {
	case EFI_SUCCESS:
		return 0;
	case EFI_TIMEOUT:
	case EFI_NO_RESPONSE:
		return ERR_TIMEOUT;
	case EFI_NOT_FOUND:
		return ERR_NOT_FOUND;
	case EFI_UNSUPPORTED:
		return ERR_UNSUPPORTED;
	case EFI_BUFFER_TOO_SMALL:
	case EFI_OUT_OF_RESOURCES:
		return ERR_SPACE;
	case EFI_ACCESS_DENIED:
	case EFI_SECURITY_VIOLATION:
		return ERR_REFUSED;
	default:
		return ERR_IO;
	}
}

uint32_t efi_pci_read(struct efi *efi, EFI_HANDLE handle, uint32_t offset)
{
	EFI_PCI_IO_PROTOCOL *pci = efi_protocol(efi, handle, &efi_pci_guid);
	UINT32 value = 0;

	if (!pci || EFI_ERROR(pci->Pci.Read(pci, EfiPciIoWidthUint32, offset, 1, &value)))
		return 0;
	return value;
}

const void *efi_table(struct efi *efi, const EFI_GUID *guid)
{
	EFI_CONFIGURATION_TABLE *table = efi->system->ConfigurationTable;

	for (UINTN i = 0; i < efi->system->NumberOfTableEntries; i++)
		if (memcmp(&table[i].VendorGuid, guid, sizeof(*guid)) == 0)
			return table[i].VendorTable;
	return NULL;
}

void efi_connect_below(struct efi *efi, EFI_HANDLE handle)
{
	efi->boot->ConnectController(handle, NULL, NULL, TRUE);
}

/* Each round connects a device whose driver makes the next one on the path appear. */
void efi_connect(struct efi *efi, EFI_DEVICE_PATH *path)
{
	EFI_HANDLE handle, last = NULL;

	for (int i = 0; i < PATH_NODES_MAX; i++) {
		EFI_DEVICE_PATH *rest = path;
		bool there;

		handle = efi_nearest(efi, &rest, &efi_path_guid);
		if (!handle || handle == last)
			return;
		last = handle;
		there = IsDevicePathEnd(rest);
		efi->boot->ConnectController(handle, NULL, there ? NULL : rest, there);
		if (there)
			return;
	}
}
