/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/cpuid.h"
#include "nbp/flow.h"
#include "nbp/nonce.h"
#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"
#include "tests/unit/fake.h"

static struct message job_answer(void)
{
	return (struct message){
		.type = MESSAGE_ANSWER,
		.u.answer = { .decision = DECISION_JOB, .job = 7, .attempt = 2, .token = { 1 },
		              .loader = "pxelinux.0", .config = "z_auto.cfg", .prefix = "boot/" } };
}

static struct fake *run(struct message *reply)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	fake->clock = 10;
	fake->server = reply ? fake_answer : NULL;
	fake->server_data = reply;
	flow_run(&fake->platform);
	assert_false(fake->socket_open);
	assert_false(fake->socket_was_open);
	assert_int_equal(fake->local_boots, 1); /* every boot that returns ends here */
	return fake;
}

static void job_leads_to_the_loader(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = run(&reply);
	size_t all;

	(void)state;
	assert_string_equal(fake->fetched, "10.0.0.1:boot/z_auto.cfg 10.0.0.1:pxelinux.0 ");
	assert_int_equal(fake->chains, 1);
	assert_memory_equal(fake->console, "OpenPreboot " VERSION ", nvlnbp.sys\n[", 20);
	assert_string_equal(fake->chained_config, "z_auto.cfg");
	assert_string_equal(fake->chained_prefix, "boot/");
	assert_non_null(strstr(fake->console,
	                       "] answer from 10.0.0.1: job 7, attempt 2: pxelinux.0 with "
	                       "z_auto.cfg\n"));
	assert_non_null(strstr(fake->console, "] loaded pxelinux.0, 4321 bytes\n"));
	/* This loader returned; the first event of each step counts. */
	all = fake->sent_count;
	fake->sent_count = fake->left.sent;
	for (enum event_code code = EVENT_STARTED; code <= EVENT_ANSWERED; code++)
		fake_event(fake, code);
	fake_event(fake, EVENT_LOADED);
	assert_int_equal(fake_event(fake, EVENT_HANDOVER).job, 7);
	fake->sent_count = all;
	assert_string_equal(fake_event(fake, EVENT_ERROR).reason, "pxelinux.0: input/output error");
	fake_event(fake, EVENT_LOCAL);
	free(fake);
}

static void no_job_boots_local_and_fetches_nothing(void **state)
{
	struct message reply = { .type = MESSAGE_ANSWER,
		                 .u.answer = { .decision = DECISION_LOCAL, .device = "web01",
		                               .local_boot = 5 } };
	struct fake *fake = run(&reply);

	(void)state;
	assert_string_equal(fake->fetched, "");
	assert_int_equal(fake->chains, 0);
	assert_int_equal(fake->method, 5);
	assert_non_null(strstr(fake->console, "] answer from 10.0.0.1: web01: no job\n"));
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
	assert_string_equal(fake_event(fake, EVENT_LOCAL).reason, "no job");
	free(fake);
}

static void a_silent_server_means_local_boot_in_time(void **state)
{
	struct fake *fake = run(NULL), *uefi = calloc(1, sizeof(*uefi));

	(void)state;
	assert_in_range(fake->clock, 2700, 2999);
	assert_string_equal(fake->fetched, "");
	assert_non_null(strstr(fake->console, "] no answer in 2688 ms ("));
	assert_non_null(strstr(fake->console, "] local boot\n"));
	/* Every datagram was the request: no server is known that could receive an event. */
	for (size_t i = 0; i < fake->sent_count; i++)
		assert_int_equal(fake->sent[i].data[5], MESSAGE_REQUEST);
	free(fake);

	fake_start(uefi);
	uefi->platform.machine.firmware = FIRMWARE_UEFI;
	flow_run(&uefi->platform);
	assert_in_range(uefi->clock, 3500, 3999);
	assert_int_equal(uefi->local_boots, 1);
	free(uefi);
}

static void a_missing_loader_means_local_boot(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = calloc(1, sizeof(*fake));

	(void)state;
	fake_start(fake);
	fake->server = fake_answer;
	fake->server_data = &reply;
	fake->missing = "pxelinux.0";
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 0);
	assert_int_equal(fake->local_boots, 1);
	assert_non_null(strstr(fake->console, "] pxelinux.0: not found\n"));
	assert_string_equal(fake_event(fake, EVENT_ERROR).reason, "pxelinux.0: not found");
	free(fake);
}

static void without_dhcp_or_network_it_boots_local(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	(void)state;
	fake_start(fake);
	fake->platform.machine.dhcp.ack = (struct span){ NULL, 0 };
	flow_run(&fake->platform);
	assert_int_equal(fake->local_boots, 1);
	assert_int_equal(fake->sent_count, 0);
	fake_start(fake);
	fake->open_result = ERR_IO;
	flow_run(&fake->platform);
	assert_int_equal(fake->local_boots, 1);
	assert_int_equal(fake->sent_count, 0);
	free(fake);
}

static void names_the_loader_from_the_nbps_folder(void **state)
{
	static const struct {
		const char *boot_file, *loader, *wanted;
	} cases[] = {
		{ "nvlnbp.sys", "pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:pxelinux.0 " },
		{ "a/b/nvlnbp.sys", "pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:a/b/pxelinux.0 " },
		{ "a/b/nvlnbp.sys", "/pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:/pxelinux.0 " },
		{ "/nvlnbp.sys", "x/pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:/x/pxelinux.0 " },
		{ "", "pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:pxelinux.0 " },
		/* A name from a Windows server. */
		{ "a\\b\\nvlnbp.sys", "pxelinux.0",
		  "10.0.0.1:/_auto.cfg 10.0.0.1:a\\b\\pxelinux.0 " },
		{ "a/b\\nvlnbp.sys", "c/pxelinux.0",
		  "10.0.0.1:/_auto.cfg 10.0.0.1:a/b\\c/pxelinux.0 " },
		{ "a\\b/nvlnbp.sys", "/pxelinux.0", "10.0.0.1:/_auto.cfg 10.0.0.1:/pxelinux.0 " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message reply = job_answer();
		struct fake *fake = calloc(1, sizeof(*fake));

		fake_start(fake);
		fake->server = fake_answer;
		fake->server_data = &reply;
		strcpy(reply.u.answer.loader, cases[i].loader);
		reply.u.answer.config[0] = '/'; /* "/_auto.cfg" counts from the root */
		strcpy((char *)fake->platform.machine.dhcp.ack.data + 108, cases[i].boot_file);
		flow_run(&fake->platform);
		assert_string_equal(fake->fetched, cases[i].wanted);
		free(fake);
	}
}

/* The request describes the machine; without SMBIOS its UUID is that of DHCP. */
static void describes_the_machine(void **state)
{
	static uint8_t discover[300] = { [236] = 0x63, 0x82, 0x53, 0x63, 97, 17, 0, 0xaa, 0xbb };
	static const uint8_t table[] = { 1, 27, 1, 0,   1, 2,   0,  3,   4,  3,  2,  1,
		                         6, 5,  8, 7,   9, 10,  11, 12,  13, 14, 15, 16,
		                         6, 0,  0, 'M', 0, 'P', 0,  'S', 0,  0 };
	struct fake *fake = calloc(1, sizeof(*fake));
	struct message request;

	(void)state;
	fake_start(fake);
	fake->platform.machine.smbios = (struct span){ table, sizeof(table) };
	fake->platform.machine.smbios_version = 0x0300;
	flow_run(&fake->platform);
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	assert_string_equal(request.u.request.manufacturer, "M");
	assert_string_equal(request.u.request.product, "P");
	assert_string_equal(request.u.request.serial, "S");
	assert_string_equal(request.u.request.cpu_vendor, "FakeUnitCPU");
	assert_string_equal(request.u.request.version, "nvlnbp.sys " VERSION);
	assert_int_equal(request.u.request.memory_mib, 512);
	for (int i = 0; i < 16; i++)
		assert_int_equal(request.u.request.identity.uuid[i], i + 1);

	fake_start(fake);
	fake->platform.machine.dhcp.discover = (struct span){ discover, sizeof(discover) };
	flow_run(&fake->platform);
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	assert_int_equal(request.u.request.identity.uuid[0], 0xaa);
	free(fake);
}

static void nonces_differ_by_any_source(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	uint8_t first[NONCE_SIZE], second[NONCE_SIZE];
	uint8_t *ack;

	(void)state;
	fake_start(fake);
	nonce_make(&fake->platform, first);
	nonce_make(&fake->platform, second);
	assert_memory_equal(first, second, NONCE_SIZE); /* the same inputs give the same nonce */
	fake->platform.machine.mac[5] ^= 1;
	nonce_make(&fake->platform, second);
	assert_memory_not_equal(first, second, NONCE_SIZE);
	fake->platform.machine.mac[5] ^= 1;
	ack = (uint8_t *)fake->platform.machine.dhcp.ack.data;
	ack[4] ^= 1; /* the transaction id */
	nonce_make(&fake->platform, second);
	assert_memory_not_equal(first, second, NONCE_SIZE);
	free(fake);
}

static const char brand[48] = "  Unit Test CPU  @ 3.00GHz";

static void branded_cpuid(uint32_t leaf, uint32_t regs[4])
{
	memset(regs, 0, 16);
	if (leaf == 0x80000000)
		regs[0] = 0x80000008;
	if (leaf == 0x80000001)
		regs[3] = 1u << 29;
	if (leaf >= 0x80000002 && leaf <= 0x80000004)
		memcpy(regs, brand + 16 * (leaf - 0x80000002), 16);
}

static void plain_cpuid(uint32_t leaf, uint32_t regs[4])
{
	memset(regs, 0, 16);
	if (leaf == 0) /* the largest leaf, and the vendor */
		memcpy(regs, "\1\0\0\0GenuntelineI", 16);
	if (leaf == 1)
		regs[0] = 0x00a00f11; /* base family 15, extended family 10 */
}

static void reads_the_processor(void **state)
{
	struct request request;

	(void)state;
	memset(&request, 0, sizeof(request));
	cpuid_describe(branded_cpuid, &request);
	assert_string_equal(request.cpu, "Unit Test CPU  @ 3.00GHz");
	assert_int_equal(request.cpu_64bit, 1);
	memset(&request, 0, sizeof(request));
	cpuid_describe(plain_cpuid, &request);
	assert_string_equal(request.cpu_vendor, "GenuineIntel");
	assert_int_equal(request.cpu_family, 25);
	assert_string_equal(request.cpu, "");
	assert_int_equal(request.cpu_64bit, 0);
}

/* --- the disk's identity ----------------------------------------------------- */

static void asks_with_the_disks_identity(void **state)
{
	static uint8_t disk[1 << 20];
	struct isd isd = { .sequence = 1, .just_imaged = 1, .device = { 0xd0, 1 }, .name = "web01",
		           .image = "web.img", .image_time = 1700000000, .image_size = 5000000000 };
	struct message reply = { .type = MESSAGE_ANSWER, .u.answer.decision = DECISION_LOCAL };
	struct fake *fake = calloc(1, sizeof(*fake));
	struct message request;

	(void)state;
	assert_int_equal(isd_encode(&isd, NULL, disk + ISD_OFFSET), 0);
	fake_start(fake);
	fake->disk = disk;
	fake->disk_size = sizeof(disk);
	fake->platform.machine.disks[0] = (struct disk){ 2048, 512, DISK_ATA };
	fake->platform.machine.disk_count = 1;
	flow_run(&fake->platform);
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	assert_int_equal(request.u.request.isd_state, ISD_VALID);
	assert_memory_equal(request.u.request.isd_device, isd.device, 16);
	assert_int_equal(request.u.request.isd_just_imaged, 1);
	assert_string_equal(request.u.request.isd_image, "web.img");
	assert_int_equal(request.u.request.isd_image_time, 1700000000);
	assert_int_equal(request.u.request.isd_image_size, 5000000000);
	assert_int_equal(request.u.request.disk_count, 1);
	assert_int_equal(request.u.request.disks[0].sectors, 2048);

	memset(disk + ISD_OFFSET, 0, ISD_COPY_SIZE);
	free(fake);
	fake = calloc(1, sizeof(*fake));
	fake_start(fake);
	fake->disk = disk;
	fake->disk_size = sizeof(disk);
	fake->platform.machine.disks[0] = (struct disk){ 2048, 512, DISK_ATA };
	fake->platform.machine.disk_count = 1;
	fake->server = fake_answer;
	fake->server_data = &reply;
	flow_run(&fake->platform);
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	assert_int_equal(request.u.request.isd_state, ISD_ABSENT);
	assert_string_equal(fake_event(fake, EVENT_IDENTITY).reason, "no image-safe data");
	free(fake);
}

/* Without MAC and UUID the server could not say which device this is. */
static void a_machine_without_identity_boots_local(void **state)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	(void)state;
	fake_start(fake);
	memset(fake->platform.machine.mac, 0, 6);
	flow_run(&fake->platform);
	assert_int_equal(fake->sent_count, 0);
	assert_int_equal(fake->local_boots, 1);
	assert_non_null(strstr(fake->console, "request: malformed\n"));
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job_leads_to_the_loader),
		cmocka_unit_test(no_job_boots_local_and_fetches_nothing),
		cmocka_unit_test(a_silent_server_means_local_boot_in_time),
		cmocka_unit_test(a_missing_loader_means_local_boot),
		cmocka_unit_test(without_dhcp_or_network_it_boots_local),
		cmocka_unit_test(names_the_loader_from_the_nbps_folder),
		cmocka_unit_test(describes_the_machine),
		cmocka_unit_test(asks_with_the_disks_identity),
		cmocka_unit_test(a_machine_without_identity_boots_local),
		cmocka_unit_test(nonces_differ_by_any_source),
		cmocka_unit_test(reads_the_processor),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
