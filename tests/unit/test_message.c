/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/message.h"
#include "tests/unit/vector.h"

/* --- the golden vectors, read from the specification itself ---------------- */

static const struct identity machine = {
	.mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
	.uuid = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
	          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef },
};

#define TOKEN { 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7 }

static const struct {
	const char *name;
	struct message message;
} vectors[] = {
	{ "request",
	  { .type = MESSAGE_REQUEST, .sequence = 1,
	    .u.request = { .identity = machine, .architecture = 7, .firmware = 2,
	                   .version = "nvlnbpx64.efi 0.1.0", .manufacturer = "QEMU",
	                   .product = "Standard PC", .serial = "A1", .cpu = "TCG CPU",
	                   .cpu_64bit = 1, .memory_mib = 512 } } },
	{ "answer with a job",
	  { .type = MESSAGE_ANSWER, .sequence = 1,
	    .u.answer = { .decision = DECISION_JOB, .device = "web01", .job = 7, .attempt = 1,
	                  .loader = "pxelinux.0", .config = "z_auto.cfg", .prefix = "boot/",
	                  .token = TOKEN } } },
	{ "answer with a job that completes at the handover",
	  { .type = MESSAGE_ANSWER, .sequence = 1,
	    .u.answer = { .decision = DECISION_JOB, .job = 7, .attempt = 1,
	                  .loader = "snponly.efi", .token = TOKEN,
	                  .completes = COMPLETES_HANDOVER } } },
	{ "answer without a job",
	  { .type = MESSAGE_ANSWER, .sequence = 2, .u.answer = { .decision = DECISION_LOCAL } } },
	{ "answer with a menu by multicast",
	  { .type = MESSAGE_ANSWER, .sequence = 1,
	    .u.answer = { .decision = DECISION_LOCAL, .menu_mode = MENU_ALWAYS,
	                  .tftp_multicast = 1 } } },
	{ "event",
	  { .type = MESSAGE_EVENT,
	    .u.event = { .identity = machine, .code = EVENT_HANDOVER, .milliseconds = 61,
	                 .job = 7, .reason = "pxelinux.0" } } },
	{ "accepted report",
	  { .type = MESSAGE_REPORT, .sequence = 1,
	    .u.report = { .identity = machine, .job = 7, .token = TOKEN,
	                  .state = REPORT_ACCEPTED } } },
	{ "accepted receipt",
	  { .type = MESSAGE_RECEIPT, .sequence = 1,
	    .u.receipt = { .job = 7, .state = REPORT_ACCEPTED } } },
	{ "query",
	  { .type = MESSAGE_QUERY, .sequence = 1,
	    .u.query = { .identity = machine, .token = TOKEN } } },
	{ "details",
	  { .type = MESSAGE_DETAILS, .sequence = 1,
	    .u.details = { .decision = DECISION_JOB, .job = 7, .attempt = 1,
	                   .device = "web01", .config = "z_auto.cfg",
	                   .details_length = 20, .details = "image=a.img\0force=1" } } },
	{ "report",
	  { .type = MESSAGE_REPORT, .sequence = 1,
	    .u.report = { .identity = machine, .job = 7, .token = TOKEN, .state = REPORT_FAILED,
	                  .reason = "exit 1" } } },
	{ "receipt",
	  { .type = MESSAGE_RECEIPT, .sequence = 1,
	    .u.receipt = { .job = 7, .state = REPORT_FAILED } } },
};

static struct message vector_message(size_t i)
{
	struct message message = vectors[i].message;

	for (int n = 0; n < NONCE_SIZE; n++)
		message.nonce[n] = (uint8_t)(0xa0 + n);
	return message;
}

static void encodes_the_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct message message = vector_message(i);
		uint8_t wanted[MESSAGE_MAX], got[MESSAGE_MAX];
		size_t wanted_length = read_vector(vectors[i].name, wanted, sizeof(wanted)), length;

		print_message("           %s\n", vectors[i].name);
		assert_int_equal(message_encode(&message, got, sizeof(got), &length), 0);
		assert_int_equal(length, wanted_length);
		assert_memory_equal(got, wanted, length);
	}
}

static void decodes_the_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct message wanted = vector_message(i), got;
		uint8_t bytes[MESSAGE_MAX];
		size_t length = read_vector(vectors[i].name, bytes, sizeof(bytes));

		assert_int_equal(message_decode(&got, bytes, length), 0);
		assert_int_equal(got.type, wanted.type);
		assert_int_equal(got.sequence, wanted.sequence);
		assert_memory_equal(got.nonce, wanted.nonce, NONCE_SIZE);
		assert_memory_equal(&got.u, &wanted.u, sizeof(got.u));
	}
}

/* Only a question without its padding may be shorter: padding has no meaning. */
static void refuses_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		uint8_t whole[MESSAGE_MAX];
		size_t length = read_vector(vectors[i].name, whole, sizeof(whole));

		for (size_t cut = 0; cut < length; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);
			struct message message;
			int rc;

			memcpy(copy, whole, cut);
			rc = message_decode(&message, copy, cut);
			if (cut < MESSAGE_HEADER)
				assert_int_equal(rc, ERR_TRUNCATED);
			else if (rc == 0) /* the cut was after all needed fields */
				assert_true(cut + 4 <= length);
			free(copy);
		}
	}
}

static void survives_every_byte_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		uint8_t whole[MESSAGE_MAX], again[MESSAGE_MAX];
		size_t length = read_vector(vectors[i].name, whole, sizeof(whole)), again_length;

		for (size_t at = 0; at < length && at < 300; at++) {
			for (int value = 0; value < 256; value++) {
				struct message message;
				uint8_t kept = whole[at];

				whole[at] = (uint8_t)value;
				/* A message that decodes must encode. */
				if (message_decode(&message, whole, length) == 0)
					assert_int_equal(message_encode(&message, again,
					                                sizeof(again),
					                                &again_length),
					                 0);
				whole[at] = kept;
			}
		}
	}
}

/* --- single rules, as a header and fields in hex --------------------------- */

#define HEADER(type) "4f504250 01 " type " 0000 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 00000001 "
#define LOCAL "0040 0001 01 "
#define JOB "0040 0001 02 0043 0008 0000000000000007 0044 0001 01 0045 0001 61 "
#define PROOF "804e 0008 b0b1b2b3b4b5b6b7 "

static const struct {
	const char *rule;
	const char *hex;
	int rc;
} rules[] = {
	{ "a plain answer", HEADER("02") LOCAL, 0 },
	{ "another magic", "4f504251 01 02 0000 a0*16 00000001 " LOCAL, ERR_MALFORMED },
	{ "a newer version", "4f504250 02 02 0000 a0*16 00000001 " LOCAL, ERR_VERSION },
	{ "version 0", "4f504250 00 02 0000 a0*16 00000001 " LOCAL, ERR_VERSION },
	{ "an unknown type", HEADER("08") LOCAL, ERR_MALFORMED },
	{ "type 0", HEADER("00") LOCAL, ERR_MALFORMED },
	{ "unknown flags are ignored", "4f504250 01 02 ffff a0*16 00000001 " LOCAL, 0 },
	{ "an unknown field is ignored", HEADER("02") "1234 0003 010203 " LOCAL, 0 },
	{ "an unknown critical field is not", HEADER("02") "9234 0003 010203 " LOCAL,
	  ERR_CRITICAL },
	{ "a known critical field is known", HEADER("02") "8040 0001 01", 0 },
	{ "padding", HEADER("02") LOCAL "0000 0010 ff*16", 0 },
	{ "a length past the end", HEADER("02") LOCAL "1234 0001", ERR_TRUNCATED },
	{ "half a field header", HEADER("02") LOCAL "12", ERR_TRUNCATED },
	{ "a number too short", HEADER("02") "0040 0000 ", ERR_MALFORMED },
	{ "a number too long", HEADER("02") "0040 0002 0001", ERR_MALFORMED },
	{ "a field twice", HEADER("02") LOCAL LOCAL, ERR_MALFORMED },
	{ "no decision", HEADER("02") "0042 0001 01", ERR_MALFORMED },
	{ "an unknown decision", HEADER("02") "0040 0001 03", ERR_MALFORMED },
	{ "a job", HEADER("02") JOB PROOF "0046 0001 62", 0 },
	{ "a job without a configuration", HEADER("02") JOB PROOF, 0 },
	{ "a job without a token", HEADER("02") JOB "0046 0001 62", ERR_MALFORMED },
	{ "a job with a token of zeros", HEADER("02") JOB "804e 0008 00*8", ERR_MALFORMED },
	{ "a job with a short token", HEADER("02") JOB "804e 0007 b0*7", ERR_MALFORMED },
	{ "a token that is not marked as critical", HEADER("02") JOB "004e 0008 b0*8", 0 },
	{ "a token twice, marked and not", HEADER("02") JOB PROOF "004e 0008 b0*8", ERR_MALFORMED },
	{ "a token where none belongs", HEADER("07") "0043 0008 0000000000000007 " PROOF,
	  ERR_CRITICAL },
	{ "a job without a loader",
	  HEADER("02") "0040 0001 02 0043 0008 0000000000000007 "
	               "0044 0001 01 " PROOF "0046 0001 62",
	  ERR_MALFORMED },
	{ "a job without a number",
	  HEADER("02") "0040 0001 02 0044 0001 01 0045 0001 61 " PROOF "0046 0001 62",
	  ERR_MALFORMED },
	{ "a job without an attempt",
	  HEADER("02") "0040 0001 02 0043 0008 0000000000000007 "
	               "0045 0001 61 " PROOF "0046 0001 62",
	  ERR_MALFORMED },
	{ "a file name upwards", HEADER("02") JOB "0046 0004 2e2e2f62", ERR_MALFORMED },
	{ "a file name with a blank", HEADER("02") JOB "0046 0003 612062", ERR_MALFORMED },
	{ "a NUL in a text", HEADER("02") LOCAL "0041 0003 610062", ERR_MALFORMED },
	{ "an escape in a text", HEADER("02") LOCAL "0041 0003 611b62", ERR_MALFORMED },
	{ "a text of 63", HEADER("02") LOCAL "0041 003f 61*63", 0 },
	{ "a text of 64", HEADER("02") LOCAL "0041 0040 61*64", ERR_MALFORMED },
	{ "a request from nobody", HEADER("01") "0010 0002 0007", ERR_MALFORMED },
	{ "a request from a zero MAC", HEADER("01") "0001 0006 00*6", ERR_MALFORMED },
	{ "a request by MAC alone", HEADER("01") "0001 0006 02*6", 0 },
	{ "a request by UUID alone", HEADER("01") "0002 0010 02*16", 0 },
	{ "a report of an unknown state",
	  HEADER("06") "0001 0006 02*6 0043 0008 0000000000000007 "
	               "0071 0001 05",
	  ERR_MALFORMED },
	{ "a report without a token",
	  HEADER("06") "0001 0006 02*6 0043 0008 0000000000000007 "
	               "0071 0001 01",
	  0 },
	{ "a report that a job was accepted",
	  HEADER("06") "0001 0006 02*6 "
	               "0043 0008 0000000000000007 " PROOF "0071 0001 04",
	  0 },
	{ "a report without a job", HEADER("06") "0001 0006 02*6 0071 0001 01", ERR_MALFORMED },
	{ "an event without a code", HEADER("03") "0001 0006 02*6 0061 0004 00000001",
	  ERR_MALFORMED },
	{ "details repeat", HEADER("05") LOCAL "0070 0003 613d31 0070 0003 623d32", 0 },
	{ "details without a decision", HEADER("05"), ERR_MALFORMED },
	{ "details without a job", HEADER("05") "0040 0001 02 0044 0001 01", ERR_MALFORMED },
	{ "details without an attempt", HEADER("05") "0040 0001 02 0043 0008 0000000000000007",
	  ERR_MALFORMED },
	{ "a detail without =", HEADER("05") LOCAL "0070 0003 616263", ERR_MALFORMED },
	{ "a detail without a key", HEADER("05") LOCAL "0070 0002 3d31", ERR_MALFORMED },
	{ "a detail with a bad key", HEADER("05") LOCAL "0070 0003 2d3d31", ERR_MALFORMED },
	{ "a receipt without a job", HEADER("07") "0071 0001 01", ERR_MALFORMED },
};

static void keeps_every_rule(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		uint8_t bytes[MESSAGE_MAX];
		struct message message;
		size_t length = read_hex(rules[i].hex, bytes, sizeof(bytes));
		int rc = message_decode(&message, bytes, length);

		if (rc != rules[i].rc) {
			print_error("%s: %s, not %s\n", rules[i].rule, error_text(rc),
			            error_text(rules[i].rc));
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void never_encodes_what_it_would_not_decode(void **state)
{
	struct message message = { .type = MESSAGE_ANSWER };
	uint8_t bytes[MESSAGE_MAX];
	size_t length;

	(void)state;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	message.u.answer.decision = DECISION_LOCAL;
	memset(message.u.answer.device, 'a', NAME_SIZE); /* no NUL */
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	strcpy(message.u.answer.device, "a\n");
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	strcpy(message.u.answer.device, "a");
	strcpy(message.u.answer.prefix, "../a");
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
	message.u.answer.prefix[0] = '\0';
	for (size_t room = 0; room < 38; room++) /* the header, the decision, the name */
		assert_int_equal(message_encode(&message, bytes, room, &length), ERR_SPACE);
	assert_int_equal(message_encode(&message, bytes, 38, &length), 0);
	message.type = 99;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes), &length), ERR_MALFORMED);
}

/* The largest of each question and answer: padding must make them one size. */
static void no_answer_is_larger_than_its_question(void **state)
{
	struct message request = { .type = MESSAGE_REQUEST, .u.request.identity = machine };
	struct message details = { .type = MESSAGE_DETAILS, .u.details = {
		.decision = DECISION_JOB, .job = 1, .attempt = 1 } };
	uint8_t bytes[MESSAGE_MAX];
	char value[101], key[8];
	size_t length;
	int rc = 0;

	(void)state;
	memset(request.u.request.product, 'p', TEXT_SIZE - 1);
	memset(request.u.request.cpu, 'c', TEXT_SIZE - 1);
	assert_int_equal(message_encode(&request, bytes, sizeof(bytes), &length), 0);
	assert_int_equal(length, MESSAGE_MAX);
	assert_int_equal(message_encode(&request, bytes, MESSAGE_MAX - 1, &length), ERR_SPACE);

	memset(value, 'v', 100);
	value[100] = '\0';
	memset(details.u.details.device, 'd', NAME_SIZE - 1);
	memset(details.u.details.config, 'c', FILE_SIZE - 1);
	for (int i = 0; rc == 0; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		rc = details_add(&details.u.details, key, value);
	}
	assert_int_equal(rc, ERR_SPACE);
	assert_true(details.u.details.details_length > 800);
	assert_int_equal(message_encode(&details, bytes, sizeof(bytes), &length), 0);
}

static void checks_names_and_details(void **state)
{
	static const char *const good[] = { "pxelinux.0", "/boot/x_y-z.cfg", "a..b", ".../x", "." };
	static const char *const bad[] = { "", "..", "a/..", "../a", "a/../b", "a b", "a\\b", "a:b",
		                           "\xc3\xa4" };
	struct details details = { 0 };
	char name[FILE_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(message_file_name_ok(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(message_file_name_ok(bad[i]));
	memset(name, 'a', FILE_SIZE);
	name[FILE_SIZE] = '\0';
	assert_false(message_file_name_ok(name));
	assert_true(message_file_name_ok(name + 1));
	assert_int_equal(details_add(&details, "1a", "x"), ERR_MALFORMED);
	assert_int_equal(details_add(&details, "", "x"), ERR_MALFORMED);
	assert_int_equal(details_add(&details, "a-b", "x"), ERR_MALFORMED);
	assert_int_equal(details_add(&details, "a", "x\ny"), ERR_MALFORMED);
	assert_int_equal(details_add(&details, "a", ""), 0);
	assert_int_equal(details_add(&details, "b_2", "x y=z"), 0);
	assert_memory_equal(details.details, "a=\0b_2=x y=z", 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_the_specification),
		cmocka_unit_test(decodes_the_specification),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(survives_every_byte_changed),
		cmocka_unit_test(keeps_every_rule),
		cmocka_unit_test(never_encodes_what_it_would_not_decode),
		cmocka_unit_test(no_answer_is_larger_than_its_question),
		cmocka_unit_test(checks_names_and_details),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
