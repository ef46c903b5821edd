/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_ENCODING_H
#define SERVER_TRANSFER_ENCODING_H

#include <stddef.h>

/**
 * Says, in static memory, that a text of @length bytes is in UTF-16, as some editors and
 * spreadsheets save it, and what to do; NULL: it is not.
 */
const char *encoding_wrong(const char *text, size_t length);

#endif
