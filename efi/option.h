/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_OPTION_H
#define EFI_OPTION_H

#include "efi/path.h"

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
 * That we left for the disk by BootNext, and how often: what tells that the disk
 * did not boot, and that leaving so again would go round for ever.
 */
struct boot_mark {
	uint32_t when;   /* seconds by the machine's clock, as boot_mark_time() counts them */
	uint32_t count;  /* how often in a row, this time included */
	uint32_t resets; /* the machine's so far, as the firmware counts them; 0: it does not */
};

#define BOOT_MARK_SIZE 12
#define BOOT_MARK_RECENT 180 /* seconds: most machines are back by then if the disk gives up */
#define BOOT_MARK_OLD 3600   /* seconds: no machine takes so long to be back */
#define BOOT_MARK_COUNT 5    /* how often in a row, each sooner after the last than that */

/** Returns the seconds since the year 2000, 2099 the last; 0: it is no date. */
uint32_t boot_mark_time(uint32_t year, uint32_t month, uint32_t day, uint32_t second);

void boot_mark_write(const struct boot_mark *mark, uint8_t out[BOOT_MARK_SIZE]);

/**
 * Says whether the machine may leave by BootNext, the last time being as @size
 * bytes at @data tell. @now: its count is set, for the next mark
 */
bool boot_mark_again(const void *data, size_t size, struct boot_mark *now);

#endif
