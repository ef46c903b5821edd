/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/nic.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* EFI_VLAN_CONFIG_PROTOCOL (UEFI 27.2), which GNU-EFI's headers lack. */
struct vlan_config {
	EFI_STATUS(EFIAPI *set)(struct vlan_config *this, UINT16 number, UINT8 priority);
	VOID *find;
	EFI_STATUS(EFIAPI *remove)(struct vlan_config *this, UINT16 number);
};

#define NODE_MESSAGING 3

static const EFI_GUID vlan_guid = { 0x9e23d768, 0xd2f3, 0x4366,
	                            { 0x9f, 0xc3, 0x3a, 0x7a, 0xba, 0x86, 0x43, 0x74 } };

/*
 * Has the firmware make the VLAN for this power-on alone. EDK2 keeps it in a variable, named by the
 * card's address, and ends the untagged network for it, which would be gone in all later boots.
 */
static void set_once(struct efi *efi, struct vlan_config *config, const uint8_t mac[6],
                     uint16_t number)
{
	CHAR16 name[13];
	void *before;
	UINTN size;

	for (unsigned int i = 0; i < 12; i++) {
		uint8_t byte = mac[i / 2];

		name[i] = (CHAR16)"0123456789ABCDEF"[i % 2 ? byte & 15 : byte >> 4];
	}
	name[12] = 0;
	before = efi_variable(efi, name, &vlan_guid, &size);
	config->set(config, number, 0);
	efi_set_variable(efi, name, &vlan_guid, EFI_VARIABLE_NON_VOLATILE, before, size);
	efi_free(efi, before);
}

EFI_HANDLE vlan_make(struct efi *efi, EFI_HANDLE nic, const uint8_t mac[6], uint16_t number)
{
	const uint8_t node[6] = { NODE_MESSAGING, NODE_VLAN, 6, 0, (uint8_t)number,
		                  (uint8_t)(number >> 8) };
	struct vlan_config *config = efi_protocol(efi, nic, &vlan_guid);
	const void *above = efi_protocol(efi, nic, &efi_path_guid);
	uint8_t path[DEVICE_PATH_MAX];
	EFI_DEVICE_PATH *rest;
	EFI_HANDLE handle;

	if (!config || !above ||
	    device_path_join(path, sizeof(path), (struct span){ above, device_path_nodes(above) },
	                     (struct span){ node, sizeof(node) }) == 0)
		return NULL;
	/* EDK2 goes wrong if it is to set a VLAN that is there and not in its variable. */
	for (bool made = false;; made = true) {
		rest = (EFI_DEVICE_PATH *)path;
		handle = efi_nearest(efi, &rest, &efi_path_guid);
		if (IsDevicePathEnd(rest))
			break;
		if (made)
			return NULL;
		set_once(efi, config, mac, number);
	}
	efi_connect_below(efi, handle);
	return handle;
}
