/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TOOL_NEAREST_H
#define SERVER_TOOL_NEAREST_H

#include <stddef.h>

/**
 * Returns the one name that @word is nearest to, if it is near, as "device" is to "devcie": the
 * answer to "did you mean". NULL: none is, or several are.
 * @name_at: returns the name at an index, from 0; "": there is none; NULL: past the last
 * @data: passed to it
 */
const char *nearest_name(const char *word, const char *(*name_at)(const void *data, size_t index),
                         const void *data);

#endif
