/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/folder.h"

#include <string.h>

#include "server/model/device.h"

bool folder_name_ok(const char *name)
{
	static const char digits[] = "0123456789";
	size_t length = strlen(name);

	return device_name_ok(name) ||
	       (length > 0 && length < NAME_SIZE && strspn(name, digits) == length);
}
