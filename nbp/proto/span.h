/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_SPAN_H
#define NBP_PROTO_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* Foreign bytes in memory that the port owns and that stay put. */
struct span {
	const uint8_t *data; /* NULL where there is nothing */
	size_t length;
};

#endif
