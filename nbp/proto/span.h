/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_SPAN_H
#define NBP_PROTO_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* Bytes in memory that the span does not own, and that stay where they are. */
struct span {
	const uint8_t *data; /* NULL where there is nothing */
	size_t length;
};

#endif
