/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages at the edges: full lists, full datagrams, structures that break the rules. */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"

static uint8_t bytes[MESSAGE_MAX];
static size_t length;

static struct message request_with_disks(uint8_t count)
{
	struct message message = { .type = MESSAGE_REQUEST };

	message.u.request.identity.mac[0] = 2;
	message.u.request.disk_count = count;
	for (uint8_t i = 0; i < DISKS_MAX; i++)
		message.u.request.disks[i] = (struct disk){ 1ull << (i * 5), 512u << i % 4, i };
	return message;
}

static void disks_go_there_and_back(void **state)
{
	(void)state;
	for (uint8_t count = 0; count <= DISKS_MAX; count++) {
		struct message message = request_with_disks(count), decoded;
		const struct request *request = &decoded.u.request;

		assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
		assert_int_equal(message_decode(&decoded, bytes, length), 0);
		assert_int_equal(request->disk_count, count);
		for (uint8_t i = 0; i < count; i++) {
			assert_int_equal(request->disks[i].kind, i);
			assert_int_equal(request->disks[i].sector_size, 512u << i % 4);
			assert_int_equal(request->disks[i].sectors, 1ull << (i * 5));
		}
	}
}

static void a_ninth_disk_is_malformed(void **state)
{
	static const uint8_t disk[] = { 0, 0x2f, 0, 13, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
	struct message message = request_with_disks(DISKS_MAX);
	size_t end = MESSAGE_HEADER + 4 + 6 + DISKS_MAX * sizeof(disk);

	(void)state;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	memcpy(bytes + end, disk, sizeof(disk)); /* where the padding was */
	assert_int_equal(message_decode(&message, bytes, end), 0);
	assert_int_equal(message_decode(&message, bytes, end + sizeof(disk)), ERR_MALFORMED);
	bytes[end - sizeof(disk) + 3] = 12; /* a disk one byte short */
	assert_int_equal(message_decode(&message, bytes, end - 1), ERR_MALFORMED);
	message = request_with_disks(9); /* one more than the structure holds */
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(message_decode(&message, bytes, length), 0);
	assert_int_equal(message.u.request.disk_count, DISKS_MAX);
}

/* Fields that do not fit are left out, the least important first, and always as a whole. */
static void the_least_important_gives_way(void **state)
{
	struct message message = request_with_disks(2), decoded;
	struct request *request = &message.u.request;
	char *texts[] = {
		request->version, request->isd_image, request->manufacturer, request->product,
		request->serial, request->cpu, request->asset_tag, request->bios_version,
		request->bios_vendor, request->bios_date, request->firmware_version,
		request->cpu_vendor, request->sku, request->system_version, request->family,
		request->board_product, request->board_manufacturer, request->board_serial,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		memset(texts[i], 'a' + (int)i, TEXT_SIZE - 1);
	request->cpu_cores = 4;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(length, MESSAGE_MAX);
	assert_int_equal(message_decode(&decoded, bytes, length), 0);
	request = &decoded.u.request;
	assert_string_equal(request->serial, message.u.request.serial);
	assert_string_equal(request->asset_tag, message.u.request.asset_tag);
	assert_int_equal(request->cpu_cores, 4);
	assert_int_equal(request->disk_count, 2);
	assert_string_equal(request->board_product, message.u.request.board_product);
	assert_string_equal(request->board_manufacturer, "");
	assert_string_equal(request->board_serial, "");
	/* With ever less room, down to the identity alone. */
	for (size_t room = MESSAGE_MAX; room >= MESSAGE_HEADER + 10; room--) {
		if (message_encode(&message, bytes, room, &length) != 0)
			continue; /* there is no room for padding */
		assert_int_equal(message_decode(&decoded, bytes, length), 0);
	}
}

static void receipts_and_broken_details(void **state)
{
	struct message message = { .type = MESSAGE_RECEIPT, .u.receipt.job = 7 }, decoded;
	struct details *details = &message.u.details;

	(void)state;
	strcpy(message.u.receipt.reason, "not yours");
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(message_decode(&decoded, bytes, length), 0);
	assert_int_equal(decoded.u.receipt.job, 7);
	assert_string_equal(decoded.u.receipt.reason, "not yours");
	message.u.receipt.job = 0;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);

	message = (struct message){ .type = MESSAGE_DETAILS, .u.details.decision = DECISION_LOCAL };
	details->details_length = DETAILS_SIZE + 1;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	details->details_length = 3; /* no NUL within it */
	memcpy(details->details, "a=b", 4);
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	details->details_length = 4;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(details_add(details, "a_key_of_more_than_32_characters_", "x"),
	                 ERR_MALFORMED);
	/* Short details fill the datagram, with a header each, before they fill the structure. */
	while (details_add(details, "k", "") == 0)
		;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(message_decode(&decoded, bytes, length), 0);
	assert_int_equal(decoded.u.details.details_length, details->details_length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_go_there_and_back),
		cmocka_unit_test(a_ninth_disk_is_malformed),
		cmocka_unit_test(the_least_important_gives_way),
		cmocka_unit_test(receipts_and_broken_details),
	};

	return cmocka_run_group_tests_name("message limits", tests, NULL, NULL);
}
