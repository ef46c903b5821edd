/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/loaders.h"

void loaders_row(struct store_rows *row, int column, struct loaders *loaders)
{
	for (enum loader_kind kind = 0; kind < LOADERS; kind++)
		store_text(row, column + (int)kind, loaders->of[kind], FILE_SIZE);
}
