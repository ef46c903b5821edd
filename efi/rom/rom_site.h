/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_ROM_ROM_SITE_H
#define EFI_ROM_ROM_SITE_H

#include <efi.h>

/*
 * The driver of a ROM gives the site's settings to its NBP as this interface, which is on the
 * handle that it hands out the NBP by.
 */
#define ROM_SITE_GUID \
	{ 0x6e32ea41, 0x2f0b, 0x4f0d, { 0x9c, 0x4e, 0x51, 0x1d, 0x83, 0x5a, 0x70, 0x2b } }

/* The text of openpreboot.cfg, as nbp/site.h describes it. It stays the driver's. */
struct rom_site {
	const void *text;
	UINTN length;
};

#endif
