/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/net/endpoint.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"
#include "nbp/proto/text.h"

int endpoint_parse(const char *text, struct sockaddr_in *endpoint)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	uint8_t address[4] = { 0 };
	char host[16];
	uint64_t port = POLICY_PORT;

	if (length >= sizeof(host) || (length == 0 && !colon))
		return ERR_MALFORMED;
	memcpy(host, text, length);
	host[length] = '\0';
	if (length && text_parse_ipv4(host, address))
		return ERR_MALFORMED;
	if (colon && text_parse_number(colon + 1, 65535, &port))
		return ERR_MALFORMED;
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->sin_family = AF_INET;
	endpoint->sin_port = htons((uint16_t)port);
	memcpy(&endpoint->sin_addr, address, sizeof(address));
	return 0;
}

void endpoint_format(const struct sockaddr_in *endpoint, char *out, size_t size)
{
	text_format(out, size, "%pI4:%u", (const uint8_t *)&endpoint->sin_addr,
	            (uint32_t)ntohs(endpoint->sin_port));
}
