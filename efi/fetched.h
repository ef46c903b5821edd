/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_FETCHED_H
#define EFI_FETCHED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Whether a file came whole, and how long it is. Some firmware, as iPXE before
 * 2026, does not tell how much it has read: then what is left of a pattern that
 * was there before tells. No firmware is called here.
 */

/** Fills @room bytes at @data with the pattern. */
void fetched_prepare(void *data, size_t room);

/**
 * Finds the length of a file that firmware has read into @room bytes at @data.
 * @told: its length as the server told before, which is @room then; 0: not told
 * @read: what the firmware says it has read; @room if it says nothing
 * Returns 0, or ERR_TRUNCATED if it is not as long as told, or empty.
 */
int fetched_length(const void *data, size_t room, uint64_t told, uint64_t read, size_t *length);

#endif
