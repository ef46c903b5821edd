/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_LOADERS_H
#define SERVER_STORE_LOADERS_H

#include "server/model/loader.h"
#include "server/store/store_rows.h"

/* The columns of loaders, which bundles and jobs have, in the order of enum loader_kind. */

#define LOADERS_COLUMNS "loader_bios, loader_uefi, loader_uefi_ia32, loader_uefi_arm64"
#define LOADERS_VALUES(loaders) \
	(loaders).of[LOADER_BIOS], (loaders).of[LOADER_UEFI], (loaders).of[LOADER_UEFI_IA32], \
	(loaders).of[LOADER_UEFI_ARM64]

/** Reads the columns of a row; @column is the first one's. */
void loaders_row(struct store_rows *row, int column, struct loaders *loaders);

#endif
