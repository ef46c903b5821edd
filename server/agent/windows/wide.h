/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_WINDOWS_WIDE_H
#define SERVER_AGENT_WINDOWS_WIDE_H

#include <wchar.h>

/* Windows' own text is UTF-16, prebootwork's UTF-8. */

/** Returns @text in the other encoding, to be freed by the caller; NULL: no memory. */
char *wide_to_utf8(const wchar_t *text);
wchar_t *wide_from_utf8(const char *text);

#endif
