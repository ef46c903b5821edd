/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/message_fields.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message_lists.h"
#include "nbp/proto/text.h"

#define FIELD(number, kind, member) \
	{ number, FIELD_KIND_##kind, offsetof(struct message, u.member), \
	  sizeof(((struct message *)0)->u.member) }
#define IDENTITY(type) \
	FIELD(FIELD_MAC, BYTES, type.identity.mac), FIELD(FIELD_UUID, BYTES, type.identity.uuid)

/* In order of importance: the last fields are the first to be left out. */
static const struct message_field request_fields[] = {
	IDENTITY(request),
	FIELD(FIELD_ISD_STATE, NUMBER, request.isd_state),
	FIELD(FIELD_ISD_DEVICE, BYTES, request.isd_device),
	FIELD(FIELD_ARCHITECTURE, NUMBER, request.architecture),
	FIELD(FIELD_FIRMWARE, NUMBER, request.firmware),
	FIELD(FIELD_VERSION, TEXT, request.version),
	FIELD(FIELD_ISD_JUST_IMAGED, NUMBER, request.isd_just_imaged),
	FIELD(FIELD_ISD_IMAGE, TEXT, request.isd_image),
	FIELD(FIELD_ISD_IMAGE_TIME, NUMBER, request.isd_image_time),
	FIELD(FIELD_ISD_IMAGE_SIZE, NUMBER, request.isd_image_size),
	FIELD(FIELD_MANUFACTURER, TEXT, request.manufacturer),
	FIELD(FIELD_PRODUCT, TEXT, request.product),
	FIELD(FIELD_SERIAL, TEXT, request.serial),
	FIELD(FIELD_CPU, TEXT, request.cpu),
	FIELD(FIELD_CPU_64BIT, NUMBER, request.cpu_64bit),
	FIELD(FIELD_MEMORY, NUMBER, request.memory_mib),
	FIELD(FIELD_INSTALLED_MEMORY, NUMBER, request.installed_mib),
	FIELD(FIELD_CPU_CORES, NUMBER, request.cpu_cores),
	FIELD(FIELD_CHASSIS_TYPE, NUMBER, request.chassis_type),
	FIELD(FIELD_SECURE_BOOT, NUMBER, request.secure_boot),
	FIELD(FIELD_TPM, NUMBER, request.tpm),
	FIELD(FIELD_NIC_VENDOR, NUMBER, request.nic_vendor),
	FIELD(FIELD_NIC_DEVICE, NUMBER, request.nic_device),
	FIELD(FIELD_NIC_TYPE, NUMBER, request.nic_type),
	FIELD(FIELD_DISK, LIST, request.disks),
	FIELD(FIELD_ASSET_TAG, TEXT, request.asset_tag),
	FIELD(FIELD_BIOS_VERSION, TEXT, request.bios_version),
	FIELD(FIELD_BIOS_VENDOR, TEXT, request.bios_vendor),
	FIELD(FIELD_BIOS_DATE, TEXT, request.bios_date),
	FIELD(FIELD_FIRMWARE_VERSION, TEXT, request.firmware_version),
	FIELD(FIELD_CPU_VENDOR, TEXT, request.cpu_vendor),
	FIELD(FIELD_CPU_FAMILY, NUMBER, request.cpu_family),
	FIELD(FIELD_SKU, TEXT, request.sku),
	FIELD(FIELD_SYSTEM_VERSION, TEXT, request.system_version),
	FIELD(FIELD_FAMILY, TEXT, request.family),
	FIELD(FIELD_BOARD_PRODUCT, TEXT, request.board_product),
	FIELD(FIELD_BOARD_MANUFACTURER, TEXT, request.board_manufacturer),
	FIELD(FIELD_BOARD_SERIAL, TEXT, request.board_serial),
};

static const struct message_field answer_fields[] = {
	FIELD(FIELD_DECISION, NUMBER, answer.decision),
	FIELD(FIELD_DEVICE, TEXT, answer.device),
	FIELD(FIELD_LOCAL_BOOT, NUMBER, answer.local_boot),
	FIELD(FIELD_MENU_MODE, NUMBER, answer.menu_mode),
	FIELD(FIELD_HOT_KEY, NUMBER, answer.hot_key),
	FIELD(FIELD_HOT_KEY_WAIT, NUMBER, answer.hot_key_wait),
	FIELD(FIELD_MENU_FILE, FILE_NAME, answer.menu_file),
	FIELD(FIELD_VALID_FOR, NUMBER, answer.valid_for),
	FIELD(FIELD_TFTP_MULTICAST, NUMBER, answer.tftp_multicast),
	FIELD(FIELD_JOB, NUMBER, answer.job),
	FIELD(FIELD_ATTEMPT, NUMBER, answer.attempt),
	FIELD(FIELD_LOADER, FILE_NAME, answer.loader),
	FIELD(FIELD_CONFIG, FILE_NAME, answer.config),
	FIELD(FIELD_PREFIX, FILE_NAME, answer.prefix),
	/* An NBP that did not know the token would do a job that is never counted. */
	FIELD(FIELD_TOKEN | FIELD_CRITICAL, BYTES, answer.token),
	FIELD(FIELD_COMPLETES, NUMBER, answer.completes),
};

static const struct message_field event_fields[] = {
	IDENTITY(event),
	FIELD(FIELD_EVENT, NUMBER, event.code),
	FIELD(FIELD_MILLISECONDS, NUMBER, event.milliseconds),
	FIELD(FIELD_JOB, NUMBER, event.job),
	FIELD(FIELD_REASON, TEXT, event.reason),
};

static const struct message_field query_fields[] = {
	IDENTITY(query),
	FIELD(FIELD_TOKEN | FIELD_CRITICAL, BYTES, query.token),
};

static const struct message_field details_fields[] = {
	FIELD(FIELD_DECISION, NUMBER, details.decision),
	FIELD(FIELD_JOB, NUMBER, details.job),
	FIELD(FIELD_ATTEMPT, NUMBER, details.attempt),
	FIELD(FIELD_DEVICE, TEXT, details.device),
	FIELD(FIELD_CONFIG, FILE_NAME, details.config),
	FIELD(FIELD_DETAIL, LIST, details.details),
};

static const struct message_field report_fields[] = {
	IDENTITY(report),
	FIELD(FIELD_JOB, NUMBER, report.job),
	FIELD(FIELD_TOKEN | FIELD_CRITICAL, BYTES, report.token),
	FIELD(FIELD_STATE, NUMBER, report.state),
	FIELD(FIELD_REASON, TEXT, report.reason),
};

static const struct message_field receipt_fields[] = {
	FIELD(FIELD_JOB, NUMBER, receipt.job),
	FIELD(FIELD_STATE, NUMBER, receipt.state),
	FIELD(FIELD_REASON, TEXT, receipt.reason),
};

#define LAYOUT(name, number) \
	.type = number, .fields = name##_fields, \
	.count = sizeof(name##_fields) / sizeof(name##_fields[0])

const struct message_layout message_request = {
	LAYOUT(request, MESSAGE_REQUEST), .answer = &message_answer, .cut = true,
	.put_list = message_put_disks, .get_list = message_get_disk,
};
const struct message_layout message_answer = { LAYOUT(answer, MESSAGE_ANSWER) };
const struct message_layout message_event = { LAYOUT(event, MESSAGE_EVENT) };
const struct message_layout message_query = {
	LAYOUT(query, MESSAGE_QUERY), .answer = &message_details,
};
const struct message_layout message_details = {
	LAYOUT(details, MESSAGE_DETAILS),
	.put_list = message_put_details, .get_list = message_get_detail,
};
const struct message_layout message_report = {
	LAYOUT(report, MESSAGE_REPORT), .answer = &message_receipt,
};
const struct message_layout message_receipt = { LAYOUT(receipt, MESSAGE_RECEIPT) };

void field_put(struct wire *out, uint16_t number, const void *value, size_t length)
{
	wire_write_u16(out, number);
	wire_write_u16(out, (uint16_t)length);
	wire_write_bytes(out, value, length);
}

int field_put_text(struct wire *out, uint16_t number, const char *text, size_t size)
{
	size_t length = 0;

	while (length < size && text[length])
		length++;
	if (length == size || !text_ok(text))
		return ERR_MALFORMED;
	if (length)
		field_put(out, number, text, length);
	return 0;
}

int field_get_text(struct wire *value, char *out, size_t size)
{
	size_t length = wire_left(value);

	if (length >= size)
		return ERR_MALFORMED;
	wire_read_bytes(value, out, length);
	out[length] = '\0';
	/* A NUL inside would end the text early and hide the rest. */
	return strlen(out) == length && text_ok(out) ? 0 : ERR_MALFORMED;
}

bool all_zero(const uint8_t *bytes, size_t count)
{
	/* Most of a million machines have no image-safe data, which memcmp() finds fastest. */
	return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

bool message_complete(const struct message *message)
{
	/* Request, event, query and report begin with the identity. */
	const struct identity *identity = &message->u.request.identity;
	const struct answer *answer = &message->u.answer;
	const struct details *details = &message->u.details;
	const struct report *report = &message->u.report;
	bool known = !all_zero(identity->mac, sizeof(identity->mac)) ||
	             !all_zero(identity->uuid, sizeof(identity->uuid));

	switch (message->type) {
	case MESSAGE_REQUEST:
	case MESSAGE_QUERY:
		return known;
	case MESSAGE_ANSWER:
		return answer->decision == DECISION_LOCAL ||
		       (answer->decision == DECISION_JOB && answer->job && answer->attempt &&
		        answer->loader[0] && !all_zero(answer->token, TOKEN_SIZE));
	case MESSAGE_DETAILS:
		return details->decision == DECISION_LOCAL ||
		       (details->decision == DECISION_JOB && details->job && details->attempt);
	case MESSAGE_EVENT:
		return known && message->u.event.code && message->u.event.milliseconds;
	case MESSAGE_REPORT:
		return known && report->job && report->state >= REPORT_BEGUN &&
		       report->state <= REPORT_ACCEPTED;
	case MESSAGE_RECEIPT:
		return message->u.receipt.job != 0;
	default:
		return true;
	}
}
