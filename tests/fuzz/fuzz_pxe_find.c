/* SPDX-License-Identifier: BSD-2-Clause */
/* The search for the PXE API in a ROM's memory. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "bios/pxe_find.h"
#include "nbp/proto/error.h"

static struct segoff int1a_says;

static struct segoff int1a(void)
{
	return int1a_says;
}

static struct segoff read_segoff(struct wire *in, bool small)
{
	struct segoff at = { wire_read_u16(in), wire_read_u16(in) };

	/* A small address mostly lies in the memory that there is. */
	return small ? (struct segoff){ .offset = at.offset & 0x3ff } : at;
}

/* Makes a structure's checksum right, as no fuzzer finds it; its length is at @length_at. */
static void fix_checksum(uint8_t *memory, size_t size, struct segoff where, size_t length_at)
{
	size_t address = linear(where), length;
	uint8_t sum = 0;

	if (address >= size || size - address <= length_at + 1)
		return;
	length = memory[address + length_at];
	if (length > size - address || length <= length_at + 1)
		return;
	memory[address + length_at + 1] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory[address + i]);
	memory[address + length_at + 1] = (uint8_t)-sum;
}

/* The input is a byte of choices, the hints, and the memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire in = wire_reader(data, size);
	uint8_t how = wire_read_u8(&in), *memory;
	struct pxe_hints hints = { .int1a = int1a };
	struct pxe_api api = { 0 };
	struct segoff first = { 0 }; /* where a scan looks first */
	int rc;

	hints.stack = read_segoff(&in, how & 1);
	hints.es_bx = read_segoff(&in, how & 1);
	int1a_says = read_segoff(&in, how & 1);
	hints.scan_start = wire_read_u16(&in);
	hints.scan_end = wire_read_u16(&in) & 0x7ff; /* or scans take long */
	if (in.error)
		return 0;
	memory = fuzz_take(&in, size, &size);
	first.offset = (hints.scan_start + 15) & ~15u;
	if (how & 2)
		fix_checksum(memory, size, hints.stack, 4);
	if (how & 4)
		fix_checksum(memory, size, hints.es_bx, 8);
	if (how & 8)
		fix_checksum(memory, size, int1a_says, 8);
	if (how & 16)
		fix_checksum(memory, size, first, 4);
	if (how & 32)
		fix_checksum(memory, size, first, 8);
	rc = pxe_find(memory, size, &hints, &api);
	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND);
	if (rc == 0)
		REQUIRE(linear(api.entry) != 0);
	free(memory);
	return 0;
}
