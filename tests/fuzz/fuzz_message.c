/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams of the policy protocol: as they are, and their fields as each message type. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"

static void require_texts(const struct message *m)
{
	switch (m->type) {
	case MESSAGE_REQUEST:
		fuzz_require_text(m->u.request.manufacturer, TEXT_SIZE);
		fuzz_require_text(m->u.request.cpu, TEXT_SIZE);
		REQUIRE(m->u.request.disk_count <= DISKS_MAX);
		break;
	case MESSAGE_ANSWER:
		fuzz_require_text(m->u.answer.device, NAME_SIZE);
		REQUIRE(m->u.answer.decision != DECISION_JOB ||
	        message_file_name_ok(m->u.answer.loader));
		REQUIRE(!m->u.answer.menu_file[0] || message_file_name_ok(m->u.answer.menu_file));
		break;
	case MESSAGE_EVENT:
		fuzz_require_text(m->u.event.reason, REASON_SIZE);
		break;
	case MESSAGE_DETAILS:
		REQUIRE(m->u.details.details_length <= DETAILS_SIZE);
		break;
	}
}

/* A message that decodes must encode into the space there is, and decode to the same. */
static void round_trip(const struct message *first, struct message *second)
{
	uint8_t datagram[MESSAGE_MAX], *exact;
	size_t length = 0, again = 0;

	REQUIRE(message_encode(first, datagram, sizeof(datagram), &length) == 0);
	REQUIRE(length >= MESSAGE_HEADER && length <= MESSAGE_MAX);
	REQUIRE(message_decode(second, datagram, length) == 0);
	REQUIRE(memcmp(first, second, sizeof(*first)) == 0);
	exact = malloc(length);
	REQUIRE(message_encode(second, exact, length, &again) == 0);
	REQUIRE(again == length && memcmp(datagram, exact, length) == 0);
	free(exact);
	/* With less space a request is cut and still decodes; the others fail. */
	exact = malloc(length / 2);
	if (message_encode(first, exact, length / 2, &again) == 0)
		REQUIRE(message_decode(second, exact, again) == 0);
	free(exact);
}

static void try(const uint8_t *datagram, size_t length)
{
	static struct message first, second;
	int rc = message_decode(&first, datagram, length);

	REQUIRE(rc == 0 || rc == ERR_TRUNCATED || rc == ERR_VERSION || rc == ERR_CRITICAL ||
	        rc == ERR_MALFORMED);
	if (rc)
		return;
	require_texts(&first);
	round_trip(&first, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram = malloc(size);

	try(data, size);
	memcpy(datagram, data, size);
	if (size >= MESSAGE_HEADER)
		for (uint8_t type = MESSAGE_REQUEST; type <= MESSAGE_RECEIPT; type++) {
			memcpy(datagram, "OPBP\1", 5);
			datagram[5] = type;
			try(datagram, size);
		}
	free(datagram);
	return 0;
}
