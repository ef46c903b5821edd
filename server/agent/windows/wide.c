/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/agent/windows/wide.h"

#include <stdlib.h>
#include <windows.h>

char *wide_to_utf8(const wchar_t *text)
{
	int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *out = malloc((size_t)size + 1);

	if (out)
		out[size] = '\0';
	if (out)
		WideCharToMultiByte(CP_UTF8, 0, text, -1, out, size, NULL, NULL);
	return out;
}

wchar_t *wide_from_utf8(const char *text)
{
	int size = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	wchar_t *out = malloc(((size_t)size + 1) * sizeof(*out));

	if (out)
		out[size] = L'\0';
	if (out)
		MultiByteToWideChar(CP_UTF8, 0, text, -1, out, size);
	return out;
}
