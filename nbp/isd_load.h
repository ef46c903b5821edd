/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_ISD_LOAD_H
#define NBP_ISD_LOAD_H

#include "nbp/platform.h"
#include "nbp/proto/isd.h"

/**
 * Reads the newest valid copy from machine.disks[0], whatever its sector size. If the
 * disk is slow, the first valid copy is enough.
 * Returns 0, ERR_NOT_FOUND (the place has no valid copy), or ERR_IO (there is no disk,
 * it is too small, or it cannot be read there in time); on error *@isd is all zeros.
 */
int isd_load(struct platform *p, struct isd *isd);

#endif
