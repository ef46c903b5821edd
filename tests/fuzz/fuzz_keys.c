/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a serial terminal or a noisy line, and the pauses between them. */
#include "tests/fuzz/fuzz.h"

#include "nbp/ansi_keys.h"

static void require_key(int key)
{
	REQUIRE((key >= KEY_NONE && key < 0x7f) || (key >= KEY_UP && key <= KEY_PAGE_DOWN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire in = wire_reader(data, size);
	struct ansi_keys keys = { 0 };
	uint32_t clock = (uint32_t)wire_read_u8(&in) << 24; /* it may wrap */
	int key;

	while (wire_left(&in)) {
		uint8_t byte = wire_read_u8(&in);

		if (byte == 0) { /* a pause; none is without end */
			clock += wire_read_u8(&in) * 2u;
			require_key(ansi_keys_decode(&keys, -1, clock));
		} else {
			require_key(ansi_keys_decode(&keys, byte, clock));
		}
	}
	/* After a pause nothing is left except perhaps an Escape, and a letter is a letter. */
	clock += ANSI_KEYS_ESCAPE_MS + 1;
	key = ansi_keys_decode(&keys, -1, clock);
	REQUIRE(key == KEY_NONE || key == KEY_ESCAPE);
	REQUIRE(ansi_keys_decode(&keys, 'x', clock + ANSI_KEYS_ESCAPE_MS + 1) == 'x');
	return 0;
}
