/* SPDX-License-Identifier: BSD-2-Clause */
/* SMBIOS: an entry point and a structure table. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/smbios.h"

/* Gives the entry point valid sums, which no fuzzer finds. */
static void mend(uint8_t *entry, size_t size)
{
	bool is_32 = size > 4 && entry[3] == '_';
	size_t length = size > 6 ? entry[is_32 ? 5 : 6] : 0;
	size_t at = is_32 ? 4 : 5;
	uint8_t sum = 0;

	if (is_32 && size >= 0x1f) {
		for (size_t i = 0x10; i < 0x1f; i++)
			sum = (uint8_t)(sum + (i == 0x15 ? 0 : entry[i]));
		entry[0x15] = (uint8_t)-sum;
	}
	sum = 0;
	if (length > size || length <= at)
		return;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + (i == at ? 0 : entry[i]));
	entry[at] = (uint8_t)-sum;
}

static void read_entry(const uint8_t *data, size_t size)
{
	struct smbios_entry entry = { 0 };
	uint8_t *mended = malloc(size);
	int rc = smbios_entry_read(data, size, &entry);

	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_MALFORMED);
	memcpy(mended, data, size);
	mend(mended, size);
	rc = smbios_entry_read(mended, size, &entry);
	REQUIRE(rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_MALFORMED);
	free(mended);
}

/* The encoder must accept all texts that can be in a request. */
static void require_encodes(const struct request *request)
{
	static struct message message;
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	memset(&message, 0, sizeof(message));
	message.type = MESSAGE_REQUEST;
	message.u.request = *request;
	message.u.request.identity.mac[0] = 2;
	REQUIRE(message_encode(&message, datagram, sizeof(datagram), &length) == 0);
	REQUIRE(message_decode(&message, datagram, length) == 0);
}

/* The version, then the table; the same bytes are tried as an entry point. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	struct wire in = wire_reader(data, size);
	uint16_t version = wire_read_u16(&in);
	struct span table;
	uint8_t *bytes;

	read_entry(data, size);
	bytes = fuzz_take(&in, size, &table.length);
	table.data = bytes;
	memset(&request, 0, sizeof(request));
	smbios_describe(table, version, &request);
	require_encodes(&request);
	free(bytes);
	return 0;
}
