/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_OPTION_H
#define EFI_OPTION_H

#include "path.h"

/*
 * The boot manager's variables (UEFI 3.1) as bytes. Anybody may have written
 * them. No firmware is called here.
 */

/* EFI_LOAD_OPTION, what a variable Boot#### holds (UEFI 3.1.3). */
struct load_option {
	uint32_t attributes;
	struct span path;         /* the first device path, with its end node */
	struct device_path facts; /* what it says */
	struct span data;         /* for the program, as it is */
};

/**
 * Reads @size bytes of a variable Boot####; @option points into them. Returns 0,
 * ERR_TRUNCATED or ERR_MALFORMED.
 */
int load_option_read(const void *variable, size_t size, struct load_option *option);

/**
 * Says whether the boot manager would take this option by itself, and it may be
 * a local disk's. What its path leads to is still to be seen.
 */
bool load_option_is_disk(const struct load_option *option);

/** Fills @name with the name of the variable of option @number, as UCS-2. */
void load_option_name(uint16_t number, uint16_t name[9]);

/*
 * When we last left for the disk by BootNext: what tells that the disk did not
 * boot, and that leaving so again would go round for ever.
 */
struct boot_mark {
	uint32_t date;   /* year * 10000 + month * 100 + day */
	uint32_t second; /* of that day */
};

#define BOOT_MARK_SIZE 8
#define BOOT_MARK_RECENT 180 /* seconds */

void boot_mark_write(const struct boot_mark *mark, uint8_t out[BOOT_MARK_SIZE]);

/** Says whether the mark kept in @size bytes at @data was made shortly before @now. */
bool boot_mark_recent(const void *data, size_t size, const struct boot_mark *now);

#endif
