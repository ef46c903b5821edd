/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/nic.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* EFI_VLAN_CONFIG_PROTOCOL (UEFI 27.2), which GNU-EFI's headers lack. */
struct vlan_config {
	EFI_STATUS(EFIAPI *set)(struct vlan_config *this, UINT16 number, UINT8 priority);
	VOID *find;
	EFI_STATUS(EFIAPI *remove)(struct vlan_config *this, UINT16 number);
};

#define NODE_MESSAGING 3
#define NODE_VLAN 20 /* UEFI 10.3.4.15 */

static const EFI_GUID vlan_guid = { 0x9e23d768, 0xd2f3, 0x4366,
	                            { 0x9f, 0xc3, 0x3a, 0x7a, 0xba, 0x86, 0x43, 0x74 } };

EFI_HANDLE vlan_make(struct efi *efi, EFI_HANDLE nic, uint16_t number)
{
	const uint8_t node[6] = { NODE_MESSAGING, NODE_VLAN, 6, 0, (uint8_t)number,
		                  (uint8_t)(number >> 8) };
	struct vlan_config *config = efi_protocol(efi, nic, &vlan_guid);
	const void *above = efi_protocol(efi, nic, &efi_path_guid);
	uint8_t path[DEVICE_PATH_MAX];
	EFI_DEVICE_PATH *rest = (EFI_DEVICE_PATH *)path;
	EFI_HANDLE handle;
	EFI_STATUS status;

	if (!config || !above ||
	    device_path_join(path, sizeof(path), (struct span){ above, device_path_nodes(above) },
	                     (struct span){ node, sizeof(node) }) == 0)
		return NULL;
	status = config->set(config, number, 0);
	debug(1, &efi->platform, "VLAN %u: status %d", (uint32_t)number, (int)status);
	handle = efi_nearest(efi, &rest, &efi_path_guid);
	if (!handle || !IsDevicePathEnd(rest))
		return NULL;
	efi_connect_below(efi, handle);
	return handle;
}
