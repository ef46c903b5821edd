/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_MESSAGE_FIELDS_H
#define NBP_PROTO_MESSAGE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "nbp/proto/message_types.h"
#include "nbp/proto/wire.h"

/* The fields of the protocol's messages, by which message.c encodes and decodes. */

#define FIELD_HEADER   4      /* bytes of number and length */
#define FIELD_CRITICAL 0x8000 /* in a number: a receiver that does not know the field drops all */

/* Field numbers; nbp/protocol.md says what they mean, and which ones are reserved. */
enum {
	FIELD_PADDING = 0x0000,
	FIELD_MAC = 0x0001,
	FIELD_UUID = 0x0002,
	FIELD_ISD_STATE = 0x0003,
	FIELD_ISD_DEVICE = 0x0004,
	FIELD_ISD_JUST_IMAGED = 0x0005,
	FIELD_ISD_IMAGE = 0x0006,
	FIELD_ISD_IMAGE_TIME = 0x0007,
	FIELD_ISD_IMAGE_SIZE = 0x0008,
	FIELD_ARCHITECTURE = 0x0010,
	FIELD_FIRMWARE = 0x0011,
	FIELD_VERSION = 0x0012,
	FIELD_MANUFACTURER = 0x0013,
	FIELD_PRODUCT = 0x0014,
	FIELD_SERIAL = 0x0015,
	FIELD_CPU = 0x0016,
	FIELD_CPU_64BIT = 0x0017,
	FIELD_MEMORY = 0x0018,
	/* 0x0019 reserved: capabilities */
	FIELD_SYSTEM_VERSION = 0x001a,
	FIELD_SKU = 0x001b,
	FIELD_FAMILY = 0x001c,
	FIELD_BOARD_MANUFACTURER = 0x001d,
	FIELD_BOARD_PRODUCT = 0x001e,
	FIELD_BOARD_SERIAL = 0x001f,
	FIELD_CHASSIS_TYPE = 0x0020,
	FIELD_ASSET_TAG = 0x0021,
	FIELD_BIOS_VENDOR = 0x0022,
	FIELD_BIOS_VERSION = 0x0023,
	FIELD_BIOS_DATE = 0x0024,
	FIELD_FIRMWARE_VERSION = 0x0025,
	FIELD_SECURE_BOOT = 0x0026,
	FIELD_TPM = 0x0027,
	FIELD_CPU_VENDOR = 0x0028,
	FIELD_CPU_FAMILY = 0x0029,
	FIELD_CPU_CORES = 0x002a,
	FIELD_INSTALLED_MEMORY = 0x002b,
	FIELD_NIC_VENDOR = 0x002c,
	FIELD_NIC_DEVICE = 0x002d,
	FIELD_NIC_TYPE = 0x002e,
	FIELD_DISK = 0x002f,
	FIELD_DECISION = 0x0040,
	FIELD_DEVICE = 0x0041,
	FIELD_LOCAL_BOOT = 0x0042,
	FIELD_JOB = 0x0043,
	FIELD_ATTEMPT = 0x0044,
	FIELD_LOADER = 0x0045,
	FIELD_CONFIG = 0x0046,
	FIELD_PREFIX = 0x0047,
	FIELD_MENU_MODE = 0x0048,
	FIELD_HOT_KEY_WAIT = 0x0049,
	FIELD_MENU_FILE = 0x004a,
	FIELD_VALID_FOR = 0x004b,
	/* 0x004c reserved: further servers */
	FIELD_HOT_KEY = 0x004d,
	FIELD_TOKEN = 0x004e,
	FIELD_COMPLETES = 0x004f,
	FIELD_TFTP_MULTICAST = 0x0050,
	FIELD_EVENT = 0x0060,
	FIELD_MILLISECONDS = 0x0061,
	FIELD_REASON = 0x0062,
	FIELD_DETAIL = 0x0070,
	FIELD_STATE = 0x0071,
	/* 0x007f reserved: signature */
};

/* How the value of a field is represented in its message structure and on the wire. */
enum field_kind {
	FIELD_KIND_NUMBER,    /* an unsigned number of the same size in both; 0: absent */
	FIELD_KIND_BYTES,     /* as many bytes in both; all zero: absent */
	FIELD_KIND_TEXT,      /* a string, without its NUL on the wire */
	FIELD_KIND_FILE_NAME, /* a string for which message_file_name_ok() holds */
	FIELD_KIND_LIST,      /* it may repeat; the layout has functions for it */
};

struct message_field {
	uint16_t number; /* with FIELD_CRITICAL if it is sent so; it is understood either way */
	uint8_t kind;    /* enum field_kind */
	uint16_t offset; /* in struct message */
	uint16_t size;
};

/*
 * How the messages of a type look. Each is an object of its own, so that a program has only those
 * that it names.
 */
struct message_layout {
	const struct message_field *fields;
	const struct message_layout *answer; /* to a question, which is padded; NULL: it is none */
	/* Encode all values of the field of FIELD_KIND_LIST, and decode one; NULL without it. */
	int (*put_list)(struct wire *out, const struct message *message);
	int (*get_list)(struct wire *value, struct message *message);
	uint8_t type; /* enum message_type */
	uint8_t count;
	bool cut;     /* fields that do not fit are left out */
};

extern const struct message_layout message_request, message_answer, message_event, message_query,
	message_details, message_report, message_receipt;

/** Says whether @message has what its type cannot do without. */
bool message_complete(const struct message *message);

/** Writes a field with the @length bytes at @value. */
void field_put(struct wire *out, uint16_t number, const void *value, size_t length);

/**
 * Writes a field with the string at @text; none if it is empty.
 * Returns 0, or ERR_MALFORMED if it has no NUL within @size bytes or is not printable.
 */
int field_put_text(struct wire *out, uint16_t number, const char *text, size_t size);

/**
 * Reads the whole of @value as a string into @size bytes at @out.
 * Returns 0, or ERR_MALFORMED if it is too long or not printable.
 */
int field_get_text(struct wire *value, char *out, size_t size);

/** Says whether all @count bytes are zero. */
bool all_zero(const uint8_t *bytes, size_t count);

#endif
