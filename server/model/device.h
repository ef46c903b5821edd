/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_DEVICE_H
#define SERVER_MODEL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/message.h"

#define DEVICE_MACS_MAX 16

/* A machine that is registered. */
struct device {
	uint64_t id;
	char name[NAME_SIZE];
	uint8_t uuid[16];   /* zeros: none given */
	uint8_t isd[16];    /* device id in its image-safe data; likewise */
	/* Of a device that has only that: the machine that came with it first. */
	uint8_t bound_uuid[16], bound_mac[6];
	int64_t added;      /* Unix time */
};

/** Says whether @name may name a device: [A-Za-z0-9][A-Za-z0-9._-]*, not digits only. */
bool device_name_ok(const char *name);

#endif
