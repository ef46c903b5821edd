/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_NET_ADDRESS_H
#define SERVER_NET_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* A UDP endpoint, IPv4 or IPv6. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

#define ADDRESS_TEXT 64 /* "[address%scope]:port" with the NUL */

/**
 * Reads "A.B.C.D", "A.B.C.D:PORT", ":PORT", "[IPv6]" or "[IPv6]:PORT"; a port that
 * is missing is the policy protocol's. Returns 0 or ERR_MALFORMED.
 */
int address_parse(const char *text, union address *address);

/** Returns the size of @address for bind() and the like. */
socklen_t address_size(const union address *address);
/** Returns the port, in the host's byte order. */
uint16_t address_port(const union address *address);

/** Writes "A.B.C.D:PORT" or "[IPv6]:PORT". */
void address_format(const union address *address, char out[ADDRESS_TEXT]);
/** Writes the address without port or brackets; IPv4 within IPv6 as IPv4. */
void address_host(const union address *address, char out[ADDRESS_TEXT]);

/** Says whether it stands for every address of this host. */
int address_is_any(const union address *address);

/**
 * Returns a number that addresses of one network share: the first 24 bits of IPv4,
 * also within IPv6, or 56 bits of IPv6.
 */
uint64_t address_prefix(const union address *address);

/** Returns the same of a wider one: 16 bits of IPv4, 32 of IPv6, which many networks share. */
uint64_t address_region(const union address *address);

#endif
