/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"
#include "nbp/proto/text.h"
#include "server/net/endpoint.h"

static int parse_port(const char *text, uint16_t *port)
{
	uint64_t value;

	if (text_parse_number(text, 65535, &value))
		return ERR_MALFORMED;
	*port = (uint16_t)value;
	return 0;
}

/* @text: the text after the opening bracket */
static int parse_in6(const char *text, struct sockaddr_in6 *in6)
{
	size_t length = strcspn(text, "]");
	uint16_t port = POLICY_PORT;
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE], *scope;

	if (text[length] != ']' || length >= sizeof(host))
		return ERR_MALFORMED;
	memcpy(host, text, length);
	host[length] = '\0';
	text += length + 1;
	if (*text && (*text != ':' || parse_port(text + 1, &port)))
		return ERR_MALFORMED;
	memset(in6, 0, sizeof(*in6));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	scope = strchr(host, '%');
	if (scope) {
		*scope = '\0';
		in6->sin6_scope_id = if_nametoindex(scope + 1);
		if (!in6->sin6_scope_id)
			return ERR_MALFORMED;
	}
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 ? 0 : ERR_MALFORMED;
}

int address_parse(const char *text, union address *address)
{
	memset(address, 0, sizeof(*address));
	return text[0] == '[' ? parse_in6(text + 1, &address->in6)
	                      : endpoint_parse(text, &address->in);
}

socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

uint16_t address_port(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->in6.sin6_port
	                                                : address->in.sin_port);
}

/* The four bytes of an IPv4 address, NULL if it is none. */
static const uint8_t *as_ipv4(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return (const uint8_t *)&address->in.sin_addr;
	if (IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return address->in6.sin6_addr.s6_addr + 12;
	return NULL;
}

void address_host(const union address *address, char out[ADDRESS_TEXT])
{
	const uint8_t *ipv4 = as_ipv4(address);

	if (ipv4)
		text_format(out, ADDRESS_TEXT, "%pI4", ipv4);
	else
		inet_ntop(AF_INET6, &address->in6.sin6_addr, out, ADDRESS_TEXT);
}

void address_format(const union address *address, char out[ADDRESS_TEXT])
{
	bool bracket = !as_ipv4(address);
	char host[ADDRESS_TEXT];

	address_host(address, host);
	text_format(out, ADDRESS_TEXT, "%s%s%s:%u", bracket ? "[" : "", host, bracket ? "]" : "",
	            (uint32_t)address_port(address));
}

int address_is_any(const union address *address)
{
	return address->any.sa_family == AF_INET
	       ? address->in.sin_addr.s_addr == htonl(INADDR_ANY)
	       : IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

uint64_t address_prefix(const union address *address)
{
	const uint8_t *bytes = as_ipv4(address);
	uint64_t prefix = 0;

	/* The top byte keeps the two kinds apart. */
	if (bytes)
		return (uint64_t)4 << 56 | (uint64_t)bytes[0] << 16 | (uint64_t)bytes[1] << 8 |
		       bytes[2];
	for (int i = 0; i < 7; i++)
		prefix = prefix << 8 | address->in6.sin6_addr.s6_addr[i];
	return (uint64_t)6 << 56 | prefix;
}

uint64_t address_region(const union address *address)
{
	uint64_t prefix = address_prefix(address);
	unsigned shift = prefix >> 56 == 4 ? 8 : 24;

	return (prefix & ~((uint64_t)0xff << 56)) >> shift | (prefix & (uint64_t)0xff << 56);
}
