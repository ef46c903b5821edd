/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pxe_find.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* Offsets in the structures !PXE and, older, PXENV+ (PXE 2.1 section 3.1). */
#define BANG_ENTRY 0x10       /* EntryPointSP */
#define BANG_LENGTH_MIN 0x14
#define PXENV_VERSION 0x06
#define PXENV_ENTRY 0x0a      /* RMEntry */
#define PXENV_LENGTH_MIN 0x0e
#define PXENV_POINTER 0x28    /* to !PXE, since version 2.1 */
#define PXENV_VERSION_BANG 0x0201

/* Returns the ROM's structure at @address if its signature, length and checksum are right,
 * else an empty cursor. */
static struct wire structure(const uint8_t *memory, size_t size, uint32_t address,
                             const char *signature, size_t length_at, size_t minimum)
{
	struct wire whole = wire_reader(memory, size), part;
	size_t count = strlen(signature), length, i;
	uint8_t sum = 0;

	wire_seek(&whole, address);
	wire_skip(&whole, length_at);
	length = wire_read_u8(&whole);
	wire_seek(&whole, address);
	part = wire_read_part(&whole, length);
	if (part.error || length < minimum || memcmp(part.data, signature, count) != 0)
		return wire_reader(NULL, 0);
	for (i = 0; i < length; i++)
		sum += part.data[i];
	return sum == 0 ? part : wire_reader(NULL, 0);
}

static struct segoff read_segoff(struct wire *wire, size_t position)
{
	struct segoff address;

	wire_seek(wire, position);
	address.offset = wire_read_le16(wire);
	address.segment = wire_read_le16(wire);
	return address;
}

static int try_bang(const uint8_t *memory, size_t size, uint32_t address, struct pxe_api *api)
{
	struct wire wire = structure(memory, size, address, "!PXE", 4, BANG_LENGTH_MIN);

	api->entry = read_segoff(&wire, BANG_ENTRY);
	api->pxenv = false;
	return wire.error || linear(api->entry) == 0 ? ERR_NOT_FOUND : 0;
}

static int try_pxenv(const uint8_t *memory, size_t size, uint32_t address, struct pxe_api *api)
{
	struct wire wire = structure(memory, size, address, "PXENV+", 8, PXENV_LENGTH_MIN);
	struct wire old = wire;
	uint16_t version;

	wire_seek(&wire, PXENV_VERSION);
	version = wire_read_le16(&wire);
	if (version >= PXENV_VERSION_BANG) {
		struct segoff bang = read_segoff(&wire, PXENV_POINTER);

		if (!wire.error && try_bang(memory, size, linear(bang), api) == 0)
			return 0;
	}
	api->entry = read_segoff(&old, PXENV_ENTRY);
	api->pxenv = true;
	return old.error || linear(api->entry) == 0 ? ERR_NOT_FOUND : 0;
}

int pxe_find(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
             struct pxe_api *api)
{
	uint32_t address;

	if (try_bang(memory, size, linear(hints->stack), api) == 0 ||
	    try_pxenv(memory, size, linear(hints->es_bx), api) == 0 ||
	    try_pxenv(memory, size, linear(hints->int1a()), api) == 0)
		return 0;
	for (address = (hints->scan_start + 15) & ~15u; address < hints->scan_end; address += 16)
		if (try_bang(memory, size, address, api) == 0)
			return 0;
	for (address = (hints->scan_start + 15) & ~15u; address < hints->scan_end; address += 16)
		if (try_pxenv(memory, size, address, api) == 0)
			return 0;
	return ERR_NOT_FOUND;
}

bool pxe_is_nested(const uint8_t *memory, size_t size, const struct pxe_hints *hints,
                   const struct pxe_api *api)
{
	struct pxe_api other;
	uint32_t address;

	for (address = (hints->scan_start + 15) & ~15u; address < hints->scan_end; address += 16)
		if (try_bang(memory, size, address, &other) == 0 &&
		    linear(other.entry) != linear(api->entry))
			return !api->pxenv;
	return false;
}
