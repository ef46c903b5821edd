/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/isd_disk.h"

#include <string.h>

#include "nbp/proto/error.h"

int isd_disk_read(const struct isd_disk *disk, struct isd_place *place)
{
	struct isd isd;

	memset(place, 0, sizeof(*place));
	place->current = -1;
	if (disk->read(disk->context, ISD_OFFSET, place->copies, sizeof(place->copies)))
		return ERR_IO;
	for (int i = 0; i < ISD_COPIES; i++) {
		place->state[i] = isd_decode(&isd, place->copies[i]);
		if (place->state[i] || (place->current >= 0 &&
		                        !isd_newer(isd.sequence, place->isd.sequence)))
			continue;
		place->current = i;
		place->isd = isd;
	}
	return 0;
}

bool isd_disk_foreign(const struct isd_place *place)
{
	/* Beside a current copy, the other one may be what an interrupted write left. */
	for (int i = 0; place->current < 0 && i < ISD_COPIES; i++) {
		if (place->state[i] != ERR_NOT_FOUND)
			continue;
		for (size_t at = 0; at < ISD_COPY_SIZE; at++)
			if (place->copies[i][at])
				return true;
	}
	return false;
}

/* Writes the same bytes over both copies, the one that is not current first. */
static int write_both(const struct isd_disk *disk, const struct isd_place *place,
                      const uint8_t copy[ISD_COPY_SIZE])
{
	int first = place->current == 0;

	for (int i = 0; i < ISD_COPIES; i++) {
		uint64_t offset = ISD_OFFSET + (uint64_t)(first ^ i) * ISD_COPY_SIZE;

		if (disk->write(disk->context, offset, copy, ISD_COPY_SIZE) ||
		    disk->sync(disk->context))
			return ERR_IO;
	}
	return 0;
}

int isd_disk_write(const struct isd_disk *disk, const struct isd_place *place, struct isd *isd,
                   const uint8_t *old)
{
	uint8_t copy[ISD_COPY_SIZE];
	int rc;

	isd->sequence = place->current >= 0 ? place->isd.sequence + 1 : 1;
	rc = isd_encode(isd, old, copy);
	return rc ? rc : write_both(disk, place, copy);
}

int isd_disk_clear(const struct isd_disk *disk, const struct isd_place *place)
{
	static const uint8_t zeros[ISD_COPY_SIZE];

	return write_both(disk, place, zeros);
}
