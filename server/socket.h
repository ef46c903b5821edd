/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_SOCKET_H
#define SERVER_SOCKET_H

#include <stddef.h>

#include "serve.h"

/**
 * Opens a UDP socket at @endpoint that tells which address a datagram came to;
 * @endpoint receives the port where it was 0.
 * Returns the descriptor, or -1 with errno set.
 */
int socket_open(struct sockaddr_in *endpoint);

/**
 * Takes up to @count waiting datagrams, without waiting. Errors of the network,
 * such as an earlier answer's that nobody took, are passed over.
 * Returns how many there were.
 */
size_t socket_receive(int fd, struct datagram *batch, size_t count);

/** Sends the reply of @d, from the address that was asked. Returns 0 or ERR_IO. */
int socket_reply(const struct datagram *d);

#endif
