/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/site.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "nbp/platform.h"
#include "server/store/devices.h"
#include "server/store/jobs.h"

static struct bench *the_bench; /* to which the writer's answers go */

/* Puts what the writer sends into the slots that asked: each has a port of its own. */
static size_t keep_replies(struct datagram *batch, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct datagram *d = &the_bench->batch[address_port(&batch[i].from) - FIRST_PORT];

		if (!batch[i].reply_length)
			continue;
		d->reply_length = batch[i].reply_length;
		memcpy(d->reply, batch[i].reply, batch[i].reply_length);
	}
	return 0;
}

static void add_machine(struct bench *bench, uint8_t number)
{
	struct device device = { .name = "web0" };
	uint8_t mac[1][6] = { { 2, 0, 0, 0, 0, number } };
	struct job job = { .attempts = 3, .deadline = 100, .config = "z_auto.cfg",
	                       .loaders.of = { "pxelinux.0", "syslinux.efi" } };
	struct details details = { 0 };

	device.name[3] = (char)('0' + number);
	assert_int_equal(device_add(&bench->writer.store, &device, mac, 1), 0);
	if (number == MACHINES)
		return;
	job.device = device.id;
	assert_int_equal(details_add(&details, "image", "a.img"), 0);
	assert_int_equal(job_add(&bench->writer.store, &job, &details), 0);
	bench->job[number] = job.number;
}

void take_replies(struct bench *bench)
{
	serving_start(&bench->serving, &bench->server);
	bench->writer.send = keep_replies;
	the_bench = bench;
}

int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int fd;

	strcpy(bench->path, "/tmp/preboot-serve-XXXXXX");
	fd = mkstemp(bench->path);
	if (fd < 0)
		return -1;
	close(fd);
	if (server_start(&bench->server, 0) ||
	    writer_open(&bench->writer, &bench->server, bench->path))
		return -1;
	take_replies(bench);
	bench->now = NOW;
	for (uint8_t i = 1; i <= MACHINES; i++)
		add_machine(bench, i);
	*state = bench;
	return 0;
}

int tear_down(void **state)
{
	struct bench *bench = *state;

	writer_close(&bench->writer);
	server_end(&bench->server);
	unlink(bench->path);
	free(bench);
	return 0;
}

/* --- state ---------------------------------------------------------------- */

void fill(struct datagram *d, const struct message *message)
{
	size_t length;

	assert_int_equal(message_encode(message, d->data, MESSAGE_MAX, &length), 0);
	d->length = (uint16_t)length;
}

/* Puts a message of machine @number into the batch's slot @slot. */
struct datagram *put(struct bench *bench, size_t slot, uint8_t type, uint8_t number,
                     uint8_t boot)
{
	struct message message = { .type = type, .sequence = 1 };
	struct datagram *d = &bench->batch[slot];

	memset(message.nonce, boot, sizeof(message.nonce));
	message.u.request.identity.mac[0] = 2;
	message.u.request.identity.mac[5] = number;
	if (type == MESSAGE_REQUEST)
		message.u.request.firmware = FIRMWARE_BIOS;
	if (type == MESSAGE_REPORT) {
		message.u.report.job = bench->job[number] ? bench->job[number] : 99;
		message.u.report.state = REPORT_BEGUN;
		memcpy(message.u.report.token, bench->token[number], TOKEN_SIZE);
	}
	if (type == MESSAGE_QUERY)
		memcpy(message.u.query.token, bench->token[number], TOKEN_SIZE);
	if (type == MESSAGE_EVENT) {
		message.u.event.code = EVENT_LOCAL;
		message.u.event.milliseconds = 9;
	}
	memset(d, 0, sizeof(*d));
	d->from.in.sin_family = AF_INET;
	d->from.in.sin_port = htons((uint16_t)(FIRST_PORT + slot));
	d->from.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fill(d, &message);
	return d;
}

int64_t assigned_of(struct bench *bench, uint64_t job)
{
	char sql[64];
	int64_t assigned;

	snprintf(sql, sizeof(sql), "SELECT assigned FROM job WHERE id = %llu",
	         (unsigned long long)job);
	assigned = number_of(bench, sql);
	return assigned < 0 ? bench->now : assigned;
}

struct datagram *put_report(struct bench *bench, size_t slot, uint8_t number, uint64_t job,
                            uint8_t boot, uint32_t attempt, uint8_t state)
{
	struct message message = { .type = MESSAGE_REPORT };
	struct datagram *d = put(bench, slot, MESSAGE_QUERY, number, 'q');
	struct offer offer = { number, job, assigned_of(bench, job), attempt, { 0 } };

	memset(offer.nonce, boot, sizeof(offer.nonce));
	memset(message.nonce, state == REPORT_ACCEPTED ? boot : 'q', sizeof(message.nonce));
	message.u.report.identity = (struct identity){ .mac = { 2, 0, 0, 0, 0, number } };
	message.u.report.job = job;
	message.u.report.state = state;
	token_make(bench->writer.secret, &offer, message.u.report.token);
	fill(d, &message);
	return d;
}

struct timestamp at(int64_t now)
{
	return (struct timestamp){ now, 0, timestamp_now().monotonic };
}

void serve_at(struct bench *bench, size_t count, const struct timestamp *timestamp)
{
	/* As it does every few milliseconds. */
	assert_int_equal(writer_follow(&bench->writer), 0);
	serve_batch(&bench->serving, bench->batch, count, timestamp);
	while (writer_turn(&bench->writer, timestamp))
		continue;
	while (writer_history(&bench->writer))
		continue;
}

void serve(struct bench *bench, size_t count)
{
	struct timestamp timestamp = at(bench->now);

	serve_at(bench, count, &timestamp);
}

/* Slot @slot must hold an answer to its question. */
void decode(const struct bench *bench, size_t slot, struct message *reply)
{
	const struct datagram *d = &bench->batch[slot];
	struct message question;

	assert_int_equal(message_decode(&question, d->data, d->length), 0);
	assert_true(d->reply_length > 0 && d->reply_length <= d->length);
	assert_int_equal(message_decode(reply, d->reply, d->reply_length), 0);
	assert_memory_equal(reply->nonce, question.nonce, NONCE_SIZE);
	assert_int_equal(reply->sequence, question.sequence);
}

void ask(struct bench *bench, uint8_t type, uint8_t number, uint8_t boot,
         struct message *reply)
{
	put(bench, 0, type, number, boot);
	serve(bench, 1);
	decode(bench, 0, reply);
	if (type == MESSAGE_REQUEST && reply->u.answer.job)
		memcpy(bench->token[number], reply->u.answer.token, TOKEN_SIZE);
}

uint8_t accept_job(struct bench *bench, uint8_t number, uint64_t job, uint8_t boot)
{
	struct message message = { .type = MESSAGE_REPORT }, reply;
	struct datagram *d = put(bench, 0, MESSAGE_QUERY, number, boot);

	memset(message.nonce, boot, sizeof(message.nonce));
	message.u.report.identity = (struct identity){ .mac = { 2, 0, 0, 0, 0, number } };
	message.u.report.job = job;
	message.u.report.state = REPORT_ACCEPTED;
	memcpy(message.u.report.token, bench->token[number], TOKEN_SIZE);
	fill(d, &message);
	serve(bench, 1);
	decode(bench, 0, &reply);
	return reply.u.receipt.state;
}

uint32_t attempt(struct bench *bench, uint8_t number, uint8_t boot)
{
	struct message reply;

	ask(bench, MESSAGE_REQUEST, number, boot, &reply);
	assert_int_equal(reply.type, MESSAGE_ANSWER);
	if (reply.u.answer.decision != DECISION_JOB)
		return 0;
	/* Without a receipt it boots its disk. */
	if (accept_job(bench, number, reply.u.answer.job, boot) != REPORT_ACCEPTED)
		return 0;
	return reply.u.answer.attempt;
}

struct counters counted(const struct bench *bench)
{
	struct counters sum;

	server_counters(&bench->server, &sum);
	return sum;
}

uint64_t drops(const struct bench *bench)
{
	struct counters sum = counted(bench);

	return counters_dropped(&sum);
}

uint64_t answers(const struct bench *bench)
{
	struct counters sum = counted(bench);

	return counters_answered(&sum);
}

/* Another program's look at the file: what is there has been committed. */
void check_committed(struct bench *bench, uint8_t number, enum job_state state,
                     uint32_t attempts)
{
	struct store_options options = { .again = true };
	struct store other;
	struct job job;

	assert_int_equal(store_open(&other, bench->path, &options), 0);
	assert_int_equal(job_by_number(&other, bench->job[number], &job), 0);
	store_close(&other);
	assert_int_equal(job.state, state);
	assert_int_equal(job.attempt, attempts);
}

int64_t number_of(struct bench *bench, const char *sql)
{
	sqlite3_stmt *row;
	int64_t number = -1;

	assert_int_equal(sqlite3_prepare_v2(bench->writer.store.db, sql, -1, &row, NULL),
	                 SQLITE_OK);
	if (sqlite3_step(row) == SQLITE_ROW)
		number = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return number;
}

/* Changes the file behind the server's back. */
void meddle(struct bench *bench, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* --- agents ---------------------------------------------------------------- */

struct details details_of(struct bench *bench, uint8_t number)
{
	struct message reply;

	ask(bench, MESSAGE_QUERY, number, 'q', &reply);
	return reply.u.details;
}

bool has_detail(const struct details *details, const char *detail)
{
	for (size_t at = 0; at < details->details_length; at += strlen(details->details + at) + 1)
		if (strcmp(details->details + at, detail) == 0)
			return true;
	return false;
}

void report(struct bench *bench, uint8_t number, uint8_t state)
{
	struct message message = { .type = MESSAGE_REPORT }, reply;
	struct datagram *d = put(bench, 0, MESSAGE_QUERY, number, 'q');
	struct details details = details_of(bench, number);

	message.u.report.identity = (struct identity){ .mac = { 2, 0, 0, 0, 0, number } };
	message.u.report.job = details.job;
	memcpy(message.u.report.token, bench->token[number], TOKEN_SIZE);
	message.u.report.state = state;
	fill(d, &message);
	serve(bench, 1);
	decode(bench, 0, &reply);
	assert_int_equal(reply.u.receipt.state, state);
}
