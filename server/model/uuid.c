/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/uuid.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "server/model/names.h"

/* --- states ---------------------------------------------------------------- */

/* The database holds these, so they must not change. */
const char *const uuid_state_names[] = {
	[UUID_FREE] = "free", [UUID_SHARED] = "shared", [UUID_IGNORED] = "ignored",
	[UUID_ALLOWED] = "allowed", NULL,
};

const char *uuid_state_name(enum uuid_state state)
{
	return uuid_state_names[state];
}

int uuid_state_parse(const char *name, enum uuid_state *state)
{
	int value = NAMES_FIND(uuid_state_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*state = (enum uuid_state)value;
	return 0;
}

/* --- which identify machines ------------------------------------------------ */

/*
 * What manufacturers forgot to fill in, as it was seen on machines of several sites. Those that
 * follow a pattern are not listed.
 */
static const uint8_t known[][16] = {
	/* The AMI BIOS source's. */
	{ 0x03, 0, 0x02, 0, 0x04, 0, 0x05, 0, 0, 0x06, 0, 0x07, 0, 0x08, 0, 0x09 },
	{ 0x03, 0xd4, 0x02, 0x74, 0x04, 0x35, 0x05, 0xdc,
	  0x85, 0x06, 0x01, 0x07, 0, 0x08, 0, 0x09 },
	{ 0x07, 0x09, 0x02, 0x01, 0x01, 0x03, 0x03, 0x01,
	  0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01 },
	/* Typed by hand. */
	{ 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78,
	  0x90, 0xab, 0xcd, 0xde, 0xef, 0xaa, 0xbb, 0xcc },
	{ 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78,
	  0x90, 0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef, 0x12 },
	{ 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x12, 0x34,
	  0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 0x90, 0xab },
	{ 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x12, 0x34,
	  0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc },
	{ 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x12, 0x34,
	  0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12 },
	{ 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56,
	  0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12 },
	{ 0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef,
	  0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef },
	{ 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
	  0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55 },
	{ 0xaa, 0xaa, 0xaa, 0xaa, 0xbb, 0xbb, 0xcc, 0xcc,
	  0xdd, 0xdd, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee },
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01 },
	/* Reported of whole series of boards. */
	{ 0xdc, 0x69, 0x83, 0x97, 0xfa, 0x54, 0x4c, 0xf2,
	  0x82, 0xc8, 0xb1, 0xb5, 0x30, 0x7a, 0x6a, 0x7f },
	{ 0x8e, 0x27, 0x58, 0x44, 0x17, 0x8f, 0x44, 0xa8,
	  0xac, 0xeb, 0xa7, 0xd7, 0xe5, 0x17, 0x8c, 0x63 },
	{ 0x89, 0x0e, 0x2d, 0x14, 0xca, 0xcd, 0x45, 0xd1,
	  0xae, 0x66, 0xbc, 0x80, 0xe8, 0xbf, 0xeb, 0x0f },
};

static bool is_known(const uint8_t uuid[16])
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (memcmp(uuid, known[i], 16) == 0)
			return true;
	return false;
}

/* One byte, or up to eight of them, again and again. */
static bool repeats(const uint8_t uuid[16])
{
	return memcmp(uuid, uuid + 8, 8) == 0;
}

/* Bytes as in 00010203, 0f0e0d0c and 00112233, or digits as in 01234567. */
static bool counts(const uint8_t uuid[16])
{
	uint8_t step = uuid[1] - uuid[0];
	bool bytes = true, digits = true;

	for (size_t i = 1; i < 16; i++) {
		uint8_t high = uuid[i] >> 4, low = uuid[i] & 15, before = uuid[i - 1] & 15;

		bytes = bytes && (uint8_t)(uuid[i] - uuid[i - 1]) == step;
		digits = digits && high == ((before + 1) & 15) && low == ((high + 1) & 15);
	}
	return bytes || digits;
}

/* A Dell's has the service tag in it; of a board that was given none, blanks or zeros. */
static bool is_dell_without_tag(const uint8_t uuid[16])
{
	static const uint8_t at[] = { 5, 6, 9, 13, 14, 15 };

	if (memcmp(uuid, "LLED", 4) != 0 || uuid[11] != 0xc0 || uuid[12] != 0x4f)
		return false;
	for (size_t i = 0; i < sizeof(at); i++)
		if (uuid[at[i]] & ~0x20)
			return false;
	return (uuid[10] & 0x5f) == 0;
}

/* All of it but the first four bytes was left as it was in the flash. */
static bool is_blank_behind(const uint8_t uuid[16])
{
	return uuid[4] == 0xff && memcmp(uuid + 4, uuid + 5, 11) == 0;
}

static bool is_worthless(const uint8_t uuid[16])
{
	return is_known(uuid) || repeats(uuid) || counts(uuid) || is_dell_without_tag(uuid) ||
	       is_blank_behind(uuid);
}

void device_uuid_swap(const uint8_t uuid[16], uint8_t swapped[16])
{
	static const uint8_t from[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(from); i++)
		swapped[i] = uuid[from[i]];
}

bool device_uuid_ok(const uint8_t uuid[16])
{
	uint8_t swapped[16];

	/* The most frequent one first: none. */
	if (memcmp(uuid, uuid + 1, 15) == 0 || is_worthless(uuid))
		return false;
	device_uuid_swap(uuid, swapped);
	return !is_worthless(swapped);
}
