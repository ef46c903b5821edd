/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_LOAD_OPTION_H
#define EFI_LOAD_OPTION_H

#include "efi/device_path.h"

/*
 * The boot manager's options, EFI_LOAD_OPTION (UEFI 3.1.3), as the variables Boot####
 * have them. Anybody may have written them. No firmware is called here.
 */
struct load_option {
	uint32_t attributes;
	struct span path;         /* the first device path, with its end node */
	struct device_path facts; /* what that path says */
	struct span data;         /* the load options of its program */
};

/**
 * Reads @size bytes of a variable Boot####; @option points into them. Returns 0,
 * ERR_TRUNCATED or ERR_MALFORMED.
 */
int load_option_read(const void *variable, size_t size, struct load_option *option);

/**
 * Says whether the boot manager would take this option by itself, and its path may be a
 * local disk's. What that path leads to, only the firmware can say.
 */
bool load_option_is_disk(const struct load_option *option);

/** Fills @name with the UCS-2 name of the variable of option @number. */
void load_option_name(uint16_t number, uint16_t name[9]);

#endif
