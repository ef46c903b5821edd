/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* The walk through BootOrder (UEFI 3.1): which of its options leads to a local disk. */

#define OPTIONS_MAX 64

static bool read_option(struct boot_order *order, uint16_t number)
{
	CHAR16 name[9];
	UINTN size;

	efi_free(order->efi, order->variable);
	load_option_name(number, name);
	order->number = number;
	order->variable = efi_variable(order->efi, name, &efi_global_guid, &size);
	return order->variable &&
	       load_option_read(order->variable, size, &order->option) == 0 &&
	       load_option_is_disk(&order->option);
}

bool order_next(struct boot_order *order)
{
	if (!order->numbers) {
		order->numbers = efi_variable(order->efi, L"BootOrder", &efi_global_guid,
		                              &order->count);
		order->count = order->count / sizeof(uint16_t);
		if (order->count > OPTIONS_MAX)
			order->count = OPTIONS_MAX;
	}
	while (order->next < order->count)
		if (read_option(order, order->numbers[order->next++]))
			return true;
	return false;
}

void order_end(struct boot_order *order)
{
	efi_free(order->efi, order->variable);
	efi_free(order->efi, order->numbers);
	memset(order, 0, sizeof(*order));
}

/* Copies the path of @handle, which block_fixed() has read. */
static int copy_disk_path(struct efi *efi, EFI_HANDLE handle, size_t size, uint8_t *out)
{
	memcpy(out, efi_protocol(efi, handle, &efi_path_guid), size);
	return (int)(size - DEVICE_PATH_END);
}

static int find_partition(struct boot_order *order, bool connect, uint8_t *out)
{
	struct efi *efi = order->efi;
	struct device_path path;
	EFI_HANDLE *handles;
	UINTN count = efi_handles(efi, &efi_block_guid, &handles);
	int length = ERR_NOT_FOUND;

	for (UINTN i = 0; i < count && length < 0; i++) {
		if (!block_fixed(efi, handles[i], &path) ||
		    path.file != path.size - DEVICE_PATH_END ||
		    !device_path_same_partition(&path.partition, &order->option.facts.partition))
			continue;
		length = copy_disk_path(efi, handles[i], path.size, out);
		if (connect) /* for the partition's file system */
			efi_connect_below(efi, handles[i]);
	}
	efi_free(efi, handles);
	return length;
}

/* Returns @length if there is a local disk at the path in @out: by all of it, or by its device. */
static int find_device(struct boot_order *order, int length, uint8_t *out)
{
	EFI_DEVICE_PATH *rest = (EFI_DEVICE_PATH *)out;
	EFI_HANDLE handle = efi_nearest(order->efi, &rest, &efi_block_guid);

	if (!handle || (size_t)((uint8_t *)rest - out) < order->option.facts.device ||
	    !block_fixed(order->efi, handle, NULL))
		return ERR_NOT_FOUND;
	return length;
}

int order_place(struct boot_order *order, bool connect, uint8_t *out)
{
	const struct load_option *option = &order->option;
	struct span place;
	int length;

	switch (option->facts.kind) {
	case PATH_PARTITION:
		length = find_partition(order, connect, out);
		if (length < 0 && connect) {
			block_connect_all(order->efi);
			length = find_partition(order, connect, out);
		}
		return length;
	case PATH_DEVICE:
		place = (struct span){ option->path.data, option->facts.file };
		length = (int)device_path_join(out, DEVICE_PATH_MAX, place, (struct span){ 0 });
		if (length == 0)
			return ERR_NOT_FOUND;
		if (connect)
			efi_connect(order->efi, (EFI_DEVICE_PATH *)out);
		return find_device(order, length - DEVICE_PATH_END, out);
	case PATH_FILE:
		return 0;
	default:
		return ERR_NOT_FOUND;
	}
}
