/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_BOOTNEXT_H
#define EFI_BOOTNEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The record of local boots by BootNext in a row. The next NBP sees by it that the disk did
 * not boot, and that another BootNext would go round for ever. No firmware is called here.
 */
struct bootnext {
	uint32_t when;   /* seconds by the machine's clock, as bootnext_time() counts them */
	uint32_t count;  /* how often in a row, this time included */
	uint32_t resets; /* of the machine so far, as the firmware counts them; 0: it does not */
};

#define BOOTNEXT_SIZE 12
#define BOOTNEXT_RECENT 180 /* seconds: if the disk gives up, most machines are back by then */
#define BOOTNEXT_OLD 3600   /* seconds: no machine takes so long to be back */
#define BOOTNEXT_COUNT 5    /* how often in a row, each within BOOTNEXT_OLD of the last */

/** Returns the seconds since the year 2000, 2099 being the last year; 0: it is no date. */
uint32_t bootnext_time(uint32_t year, uint32_t month, uint32_t day, uint32_t second);

/** Writes the record as bytes. */
void bootnext_write(const struct bootnext *record, uint8_t out[BOOTNEXT_SIZE]);

/**
 * Says whether the machine may leave by BootNext.
 * @last_record: the record of the last time, of @size bytes; other bytes count as none
 * @now: has time and resets; receives the count, and then is the record of this time
 */
bool bootnext_allowed(const void *last_record, size_t size, struct bootnext *now);

#endif
