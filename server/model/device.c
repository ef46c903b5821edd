/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/device.h"

#include <string.h>

bool device_name_ok(const char *name)
{
	static const char allowed[] =
		"._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);

	return length > 0 && length < NAME_SIZE && strspn(name, allowed) == length &&
	       !strchr("._-", name[0]) && strspn(name, "0123456789") < length;
}
