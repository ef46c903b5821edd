/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/isd_load.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* A disk that takes longer is broken. The machine waits, so one valid copy must be enough. */
#define SLOW_MS 500

int isd_load(struct platform *p, struct isd *isd)
{
	uint8_t copy[ISD_COPY_SIZE];
	const struct disk *disk = &p->machine.disks[0];
	uint32_t size = disk->sector_size, per_copy;
	uint32_t begun = p->now(p);
	struct isd found;
	int best = ERR_IO;

	memset(isd, 0, sizeof(*isd));
	if (p->machine.disk_count == 0 || size < 512 || size > ISD_COPY_SIZE || (size & (size - 1)))
		return ERR_IO;
	per_copy = ISD_COPY_SIZE / size;
	if (disk->sectors && disk->sectors < ISD_END / size)
		return ERR_IO;
	for (uint32_t i = 0; i < ISD_COPIES; i++) {
		if (p->now(p) - begun > SLOW_MS)
			return best ? ERR_IO : 0;
		if (p->disk_read(p, 0, ISD_OFFSET / size + i * per_copy, per_copy, copy))
			continue;
		if (best == ERR_IO)
			best = ERR_NOT_FOUND;
		if (isd_decode(&found, copy) || (best == 0 && !isd_newer(found.sequence,
		                                                          isd->sequence)))
			continue;
		*isd = found;
		best = 0;
	}
	return best;
}
