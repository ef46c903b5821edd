/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_MEDIUM_H
#define NBP_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The mark of a boot medium that openpreboot-medium made: the NBP is started from it, and never
 * takes it for the machine's own disk. It is the disk's id in the MBR of an image for sticks, and
 * of an ISO image.
 */
#define MEDIUM_MARK 0x4f50424du
#define MEDIUM_MARK_OFFSET 440 /* in the first sector, in bytes; in the order of a PC */

/** Says whether a disk is a boot medium, by its first sector, or the first 512 bytes of that. */
static inline bool medium_is(const void *sector)
{
	uint32_t mark;

	__builtin_memcpy(&mark, (const uint8_t *)sector + MEDIUM_MARK_OFFSET, sizeof(mark));
	return mark == MEDIUM_MARK;
}

#endif
