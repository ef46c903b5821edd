/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_NET_SOCKET_H
#define SERVER_NET_SOCKET_H

#include <stddef.h>

#include "server/net/datagram.h"

/**
 * Opens @count UDP sockets at @address, among which the kernel shares out what
 * comes in. They report which address of ours a datagram came to. Fails where any other socket
 * is bound there. Where the port was 0, @address receives the one chosen.
 * Returns 0, or -1 with errno set and nothing open.
 */
int socket_open(union address *address, int *sockets, size_t count);

/** Prepares a socket that another program has opened and bound. Returns 0 or -1 with errno. */
int socket_adopt(int fd, union address *address);

/**
 * Takes up to BATCH waiting datagrams, without waiting. Errors of the network,
 * such as that nobody took an earlier answer, are ignored.
 * Returns how many there were.
 */
size_t socket_receive(int fd, struct datagram *batch);

/**
 * Sends the replies of those that have one, each from the address that was asked.
 * Returns how many the network did not take.
 */
size_t socket_send(struct datagram *batch, size_t count);

#endif
