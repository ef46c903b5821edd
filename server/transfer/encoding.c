/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/encoding.h"

#include <string.h>

#define LOOKED_AT 64 /* bytes: what is looked at of a text without a byte order mark */

const char *encoding_wrong(const char *text, size_t length)
{
	size_t zeros[2] = { 0, 0 }, count = length < LOOKED_AT ? length & ~(size_t)1 : LOOKED_AT;

	for (size_t i = 0; i < count; i++)
		zeros[i & 1] += text[i] == '\0';
	/* Without the mark: every other byte of plain text is zero. */
	if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
	                    (zeros[0] == 0 && zeros[1] > count / 4) ||
	                    (zeros[1] == 0 && zeros[0] > count / 4)))
		return "is UTF-16; save it as UTF-8";
	return NULL;
}
