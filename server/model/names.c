/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/names.h"

#include <string.h>

int names_find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}
