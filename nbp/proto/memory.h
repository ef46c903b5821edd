/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_MEMORY_H
#define NBP_PROTO_MEMORY_H

#include <stddef.h>

/*
 * The few functions of C's <string.h> that the core and the compiler itself need; a
 * freestanding build has no such header. In the NBPs memory.c defines them, on a host
 * the C library.
 */
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);

#endif
