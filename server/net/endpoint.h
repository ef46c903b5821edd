/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_NET_ENDPOINT_H
#define SERVER_NET_ENDPOINT_H

#include <stddef.h>

#include <netinet/in.h>

/**
 * Reads "A.B.C.D", "A.B.C.D:PORT" or ":PORT"; what is missing is the default.
 * Returns 0 or ERR_MALFORMED.
 */
int endpoint_parse(const char *text, struct sockaddr_in *endpoint);

/** Writes "A.B.C.D:PORT" to @out of @size bytes. */
void endpoint_format(const struct sockaddr_in *endpoint, char *out, size_t size);

#endif
