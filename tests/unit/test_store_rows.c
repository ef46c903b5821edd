/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/store_place.h"

#include "nbp/proto/error.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/jobs.h"

/* Rows of the database: what it forbids, whoever writes. */

static void test_one_open_job(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	struct details details = { 0 };
	struct job job = { .attempts = 3, .deadline = 9, .config = "a.cfg" }, found;
	uint64_t first;
	struct store store;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	job.device = device.id;
	assert_int_equal(details_add(&details, "image", "a.img"), 0);
	assert_int_equal(job_add(&store, &job, &details), 0);
	first = job.number;
	assert_int_equal(job_add(&store, &job, &details), ERR_REFUSED);
	assert_int_equal(job_newest(&store, device.id, &found), 0);
	assert_int_equal(found.number, first);
	job_end(&found, JOB_DONE, 5, "");
	assert_int_equal(job_update(&store, &found), 0);
	assert_int_equal(job_add(&store, &job, &details), 0);
	assert_true(job.number > first);
	memset(&details, 0, sizeof(details));
	assert_int_equal(job_details(&store, job.number, &details), 0);
	assert_int_equal(details.details_length, sizeof("image=a.img"));
	assert_string_equal(details.details, "image=a.img");
	/* Not even when all is gone does a job number come again. */
	first = job.number;
	assert_int_equal(device_remove(&store, device.id), 0);
	assert_int_equal(job_by_number(&store, first, &found), ERR_NOT_FOUND);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	job.device = device.id;
	assert_int_equal(job_add(&store, &job, &details), 0);
	assert_true(job.number > first);
	store_close(&store);
}

/* An attempt belongs to one boot; the database itself forbids a second. */
static void test_one_boot_an_attempt(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	struct job job = { .attempts = 3, .deadline = 9, .config = "a.cfg" };
	struct details details = { 0 };
	uint8_t nonce[NONCE_SIZE] = "first boot here", other[NONCE_SIZE] = "another boot...";
	uint32_t attempt;
	struct store store;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	job.device = device.id;
	assert_int_equal(job_add(&store, &job, &details), 0);
	job.attempt = 1;
	assert_int_equal(job_accepted(&store, &job, nonce), 0);
	assert_int_equal(job_accepted(&store, &job, other), ERR_REFUSED);
	job.attempt = 2;
	assert_int_equal(job_accepted(&store, &job, nonce), ERR_REFUSED);
	assert_int_equal(job_accepted(&store, &job, other), 0);
	assert_int_equal(job_attempt_of(&store, job.number, other, &attempt), 0);
	assert_int_equal(attempt, 2);
	assert_int_equal(job_attempt_of(&store, job.number + 1, other, &attempt), 0);
	assert_int_equal(attempt, 0);
	store_close(&store);
}

static void test_events_are_bounded(void **state)
{
	struct place *place = *state;
	struct device device = { .name = "web01" };
	struct event_record event = { .step = "handover" };
	struct store_rows *rows;
	struct store store;
	size_t count = 0;
	uint32_t last = 0;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	event.device = device.id;
	for (uint32_t i = 1; i <= 3 * EVENTS_PER_DEVICE; i++) {
		event.milliseconds = i;
		assert_int_equal(event_add(&store, &event), 0);
	}
	/* The last ones, in order, and a few more than so many at most. */
	assert_int_equal(event_list(&store, device.id, 1000, &rows), 0);
	while (store_step(rows) == 1) {
		event_row(rows, &event);
		assert_true(count == 0 || event.milliseconds == last + 1);
		last = event.milliseconds;
		count++;
	}
	assert_int_equal(last, 3 * EVENTS_PER_DEVICE);
	assert_in_range(count, EVENTS_PER_DEVICE, EVENTS_PER_DEVICE + EVENTS_SLACK);
	store_close(&store);
}

/* Whoever speaks as a machine fills its own part of the history only. */
static void test_machines_push_out_nothing(void **state)
{
	static const char *const steps[] = { "local-boot", "request", "refused", "other",
		                             "conflict" };
	struct device device = { .name = "pc" };
	struct event_record event = { .step = "done" };
	struct place *place = *state;
	struct store store;
	struct store_rows *rows;
	uint32_t done = 0, conflicts = 0;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &device, NULL, 0), 0);
	event.device = device.id;
	assert_int_equal(event_add(&store, &event), 0);
	strcpy(event.step, "conflict");
	assert_int_equal(event_add(&store, &event), 0);
	for (uint32_t i = 0; i < 5 * 300; i++) {
		strcpy(event.step, steps[i % 5]);
		assert_int_equal(event_add(&store, &event), 0);
	}
	assert_int_equal(event_list(&store, device.id, 10000, &rows), 0);
	while (store_step(rows) == 1) {
		event_row(rows, &event);
		done += strcmp(event.step, "done") == 0;
		conflicts += strcmp(event.step, "conflict") == 0;
	}
	assert_int_equal(done, 1);
	assert_in_range(conflicts, EVENTS_PER_DEVICE, EVENTS_PER_DEVICE + 5 * EVENTS_SLACK);
	store_close(&store);
}

/* What two devices cannot share. */
static void test_one_device_each(void **state)
{
	static const uint8_t mac[1][6] = { { 2, 0, 0, 0, 0, 1 } };
	struct device a = { .name = "a", .uuid = "uuid of device a" }, b = { .name = "b" };
	struct place *place = *state;
	struct store store;

	assert_int_equal(store_open(&store, place->path, &create), 0);
	assert_int_equal(device_add(&store, &a, mac, 1), 0);
	memcpy(b.uuid, a.uuid, 16);
	assert_int_equal(device_add(&store, &b, NULL, 0), ERR_REFUSED);
	memset(b.uuid, 0, 16);
	assert_int_equal(device_add(&store, &b, mac, 1), ERR_REFUSED);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_open_job), TEST(test_one_boot_an_attempt),
		TEST(test_events_are_bounded), TEST(test_machines_push_out_nothing),
		TEST(test_one_device_each),
	};

	return cmocka_run_group_tests_name("store rows", tests, NULL, NULL);
}
