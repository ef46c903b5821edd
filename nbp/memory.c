/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/memory.h"

/*
 * Plain byte loops: the NBP copies a few kilobytes in its life. They are built
 * with -fno-tree-loop-distribute-patterns, or the compiler would turn each
 * loop into a call of itself.
 */

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (count--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t count)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f)
		return memcpy(to, from, count);
	while (count--)
		t[count] = f[count];
	return to;
}

void *memset(void *to, int byte, size_t count)
{
	unsigned char *t = to;

	while (count--)
		*t++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
	const unsigned char *x = a, *y = b;

	for (; count--; x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}
