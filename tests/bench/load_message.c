/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/load.h"

#include <string.h>

#include <netinet/udp.h>

#include "nbp/platform.h"
#include "nbp/proto/error.h"
#include "server/net/endpoint.h"

/* What all machines' begin with. */
static const uint8_t uuid_head[] = { 0x6f, 0x70, 0x65, 0x6e, 0x70, 0x72, 0x45, 0x62,
                                     0x80, 0, 0, 0 };

int load_connect(const char *text)
{
	struct sockaddr_in there;
	int room = 4 << 20, size = MESSAGE_MAX, fd;

	memset(&there, 0, sizeof(there));
	there.sin_family = AF_INET;
	if (endpoint_parse(text, &there))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	/* The kernel cuts a batch into datagrams, and so costs us less than the server. */
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return -1;
	return connect(fd, (struct sockaddr *)&there, sizeof(there)) ? -1 : fd;
}

/* What a business PC reports of itself. */
static const struct request usual = {
	.identity = { .mac = { 1 }, .uuid = { 1 } },
	.architecture = 7, .firmware = FIRMWARE_UEFI, .version = "nvlnbpx64.efi " VERSION,
	.isd_state = ISD_ABSENT,
	.manufacturer = "Dell Inc.", .product = "OptiPlex 7090", .serial = "5CG1234ABC",
	.system_version = "1.0", .sku = "0A52", .family = "OptiPlex",
	.board_manufacturer = "Dell Inc.", .board_product = "0W6TDD",
	.board_serial = "/5CG1234ABC/CNFCW0012345AB/", .chassis_type = 3, .asset_tag = "A-004711",
	.bios_vendor = "Dell Inc.", .bios_version = "1.24.1", .bios_date = "02/12/2024",
	.firmware_version = "EDK II 0x00010018", .secure_boot = 2, .tpm = 2,
	.cpu = "Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", .cpu_vendor = "GenuineIntel",
	.cpu_family = 6, .cpu_cores = 8, .cpu_64bit = 1, .memory_mib = 16220,
	.installed_mib = 16384, .nic_vendor = 0x8086, .nic_device = 0x15f9, .nic_type = 1,
	.disk_count = 1, .disks = { { 1000215216, 512, DISK_ATA } },
};

int question_make(struct question *question)
{
	struct message message = { .type = MESSAGE_REQUEST, .sequence = 1 };
	size_t length;
	int rc;

	message.u.request = usual;
	rc = message_encode(&message, question->common, sizeof(question->common), &length);
	if (rc)
		return rc;
	for (size_t i = 0; i < LOAD_BATCH; i++) {
		question->vectors[2 * i] = (struct iovec){ question->heads[i], HEAD_SIZE };
		question->vectors[2 * i + 1] = (struct iovec){ question->common + HEAD_SIZE,
		                                               length - HEAD_SIZE };
		memcpy(question->heads[i], question->common, HEAD_SIZE);
	}
	/* The two that are written over must be where we think. */
	if (memcmp(question->common + MESSAGE_HEADER, "\0\1\0\6\1", 5) ||
	    memcmp(question->common + MESSAGE_HEADER + 10, "\0\2\0\x10\1", 5))
		return ERR_MALFORMED;
	return 0;
}

void question_fill(struct question *question, size_t index, const struct slot *slot,
                   uint32_t sequence)
{
	uint8_t *head = question->heads[index];
	uint32_t machine = __builtin_bswap32(slot->machine);

	sequence = __builtin_bswap32(sequence);
	memcpy(head + 8, slot->nonce, NONCE_SIZE);
	memcpy(head + 24, &sequence, 4);
	memcpy(head + MESSAGE_HEADER + 4, "\x52\x54", 2);
	memcpy(head + MESSAGE_HEADER + 6, &machine, 4);
	memcpy(head + MESSAGE_HEADER + 14, uuid_head, sizeof(uuid_head));
	memcpy(head + MESSAGE_HEADER + 26, &machine, 4);
}

int question_send(struct question *question, int fd, size_t count)
{
	struct msghdr message = { .msg_iov = question->vectors, .msg_iovlen = 2 * count };

	return sendmsg(fd, &message, 0) < 0 ? ERR_IO : 0;
}

static void fill_identity(struct identity *identity, uint32_t machine)
{
	machine = __builtin_bswap32(machine);
	memcpy(identity->mac, "\x52\x54", 2);
	memcpy(identity->mac + 2, &machine, 4);
	memcpy(identity->uuid, uuid_head, sizeof(uuid_head));
	memcpy(identity->uuid + 12, &machine, 4);
}

int report_add(struct reports *reports, const struct slot *slot, const uint8_t *data,
               size_t length)
{
	struct message answer, message = { .type = MESSAGE_REPORT };
	struct report *report = &message.u.report;
	struct iovec *vector = &reports->vectors[reports->count];
	int rc = message_decode(&answer, data, length);

	if (rc)
		return rc;
	fill_identity(&report->identity, slot->machine);
	memcpy(message.nonce, slot->nonce, sizeof(message.nonce));
	message.sequence = answer.sequence;
	report->job = answer.u.answer.job;
	memcpy(report->token, answer.u.answer.token, sizeof(report->token));
	report->state = REPORT_ACCEPTED;
	vector->iov_base = reports->data[reports->count];
	rc = message_encode(&message, vector->iov_base, MESSAGE_MAX, &vector->iov_len);
	reports->count += rc == 0;
	return rc;
}

int reports_send(struct reports *reports, int fd)
{
	struct msghdr message = { .msg_iov = reports->vectors, .msg_iovlen = reports->count };
	bool any = reports->count > 0;

	reports->count = 0;
	return any && sendmsg(fd, &message, 0) < 0 ? ERR_IO : 0;
}

bool receipt_right(const uint8_t *data, size_t length)
{
	struct message message;

	return message_decode(&message, data, length) == 0 && message.type == MESSAGE_RECEIPT &&
	       message.u.receipt.state == REPORT_ACCEPTED;
}

void answers_make(struct answers *answers)
{
	for (size_t i = 0; i < LOAD_BATCH; i++) {
		answers->vectors[i] = (struct iovec){ answers->data[i], sizeof(answers->data[i]) };
		answers->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &answers->vectors[i], .msg_iovlen = 1,
		};
	}
}

bool answer_right(const uint8_t *data, size_t length, bool unknowns)
{
	struct message message;

	return message_decode(&message, data, length) == 0 && message.type == MESSAGE_ANSWER &&
	       (unknowns || message.u.answer.device[0]);
}
