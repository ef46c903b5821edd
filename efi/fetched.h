/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_FETCHED_H
#define EFI_FETCHED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Whether a fetched file is complete, and how long it is. Some firmware, as iPXE before 2026,
 * does not report how much it has read. Then the rest of a pattern that filled the buffer
 * before shows it. No firmware is called here.
 */

/** Fills @capacity bytes at @data with the pattern. */
void fetched_prepare(void *data, size_t capacity);

/**
 * Finds the length of a file that firmware has read into @capacity bytes at @data.
 * @announced: its length as the server announced it, which then is @capacity; 0: unknown
 * @read: how much the firmware says it has read; @capacity if it does not say
 * Returns 0, or ERR_TRUNCATED if it is not as long as announced, or empty.
 */
int fetched_length(const void *data, size_t capacity, uint64_t announced, uint64_t read,
                   size_t *length);

#endif
