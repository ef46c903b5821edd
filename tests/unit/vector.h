/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_VECTOR_H
#define TESTS_UNIT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/**
 * Reads a line of hex into @out of @size bytes: digits, "HH*N" for N times that
 * byte, blanks, "#" and a comment. Returns how many bytes it was.
 */
size_t read_hex(const char *line, uint8_t *out, size_t size);

/**
 * Reads the hex block under the heading "Vector: @name" of nbp/protocol.md, or of
 * nbp/image-safe-data.md, into @out of @size bytes. A vector that is missing or too large fails the
 * test. Returns its length.
 */
size_t read_vector(const char *name, uint8_t *out, size_t size);

#endif
