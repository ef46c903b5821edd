/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/folder.h"

#include <stdbool.h>

#include "nbp/proto/memory.h"

size_t folder_length(const char *name)
{
	size_t length = strlen(name);

	while (length && name[length - 1] != '/' && name[length - 1] != '\\')
		length--;
	return length;
}

static bool in_file_name(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
	       c == '-';
}

size_t folder_by_pxelinux(const char *name)
{
	size_t length = strlen(name);

	while (length && in_file_name(name[length - 1]))
		length--;
	return length;
}
