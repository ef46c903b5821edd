/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/writer.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/daemon/serve_log.h"
#include "server/net/socket.h"

/* Each round is done with the first that waits, at the second try at the latest. */
#define TRIES_MAX (2 * WRITER_BATCH)
#define LAST_MS   1000 /* to wait for another program when it ends */
#define CACHE_KIB 32768 /* work is given to machines in no order: each has pages of its own */

/* --- a batch --------------------------------------------------------------- */

static void drop(struct writer *k, struct pending *pending, enum drop why)
{
	pending->datagram->reply_length = 0;
	count(&k->counters.dropped[why], 1);
}

/* Starts with a transaction that has done nothing yet. */
static void begin(struct writer *k)
{
	k->writing = false;
	k->touched_count = k->news_count = k->newcomer_count = 0;
}

/* The transaction is lost: so are the answers that tell of what was in it. Who wrote nothing is
 * judged anew. */
static void lose(struct writer *k, size_t taken)
{
	writer_end_relaxed(k);
	begin(k);
	for (size_t i = 0; i < taken; i++) {
		struct pending *pending = &k->pendings[i];

		if (!pending->depends)
			continue;
		if (!pending->wrote)
			pending->done = false;
		else if (pending->datagram->reply_length)
			drop(k, pending, DROP_STORE);
		pending->datagram->reply_length = 0;
		pending->depends = false;
		pending->line[0] = '\0';
		pending->noted = false;
	}
	journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: not answered: %s",
	             k->store.message);
}

/* What is to be kept of it beside the decision. */
static void take_note(struct writer *k, struct pending *pending)
{
	const struct message *question = &pending->question;
	const struct receipt *receipt = &pending->decision.reply.u.receipt;
	struct note *note = &pending->note;

	note_begin(note, pending->datagram, question, &pending->who, &k->moment);
	if (question->type == MESSAGE_REQUEST)
		note_outcome(note, &pending->decision);
	if (question->type == MESSAGE_REPORT)
		text_format(note->reason, sizeof(note->reason), "%s", receipt->reason);
	pending->noted = question->type == MESSAGE_REQUEST ||
	                (question->type == MESSAGE_REPORT && note->device && !receipt->state);
	if (pending->noted && !server_notes(k->server, note->device, pending->datagram,
	                                   k->moment.monotonic)) {
		pending->noted = false;
		count(&k->counters.notes_lost, 1);
	}
}

static enum answered kind_of_answer(const struct pending *pending)
{
	const struct message *reply = &pending->decision.reply;

	switch (reply->type) {
	case MESSAGE_DETAILS: return ANSWERED_DETAILS;
	case MESSAGE_RECEIPT: return ANSWERED_RECEIPT;
	default:
		if (reply->u.answer.decision == DECISION_JOB)
			return ANSWERED_JOB;
		return pending->who.known ? ANSWERED_LOCAL : ANSWERED_UNKNOWN;
	}
}

/* Another program has the lock: who asks may wait for its end, and nobody else must. */
static void put_off(struct writer *k, struct pending *pending)
{
	k->barred = ERR_AGAIN;
	if (!k->locked)
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: put off: %s",
		             k->store.message);
	k->locked = true;
	pending->datagram->reply_length = 0;
	pending->line[0] = '\0';
	/* The look at the database that all share was given up for the lock. */
	if (sqlite3_get_autocommit(k->store.db))
		store_run(&k->store, "BEGIN", "");
	if (!writer_put_off(k, pending->datagram))
		drop(k, pending, DROP_STORE);
}

/* Answers datagram @i of @taken. Returns 0, or WRITER_CUT: another round is to do it. */
static int answer(struct writer *k, size_t i, size_t taken)
{
	struct pending *pending = &k->pendings[i];
	struct speaker speaker = { pending->datagram, &pending->question, NULL, pending->who.note };
	int rc;

	if (writer_is_late(k, pending)) {
		drop(k, pending, DROP_STORE);
		return 0;
	}
	rc = writer_resolve(k, pending);
	if (rc == WRITER_CUT) {
		pending->datagram->reply_length = 0;
		if (pending->tries++ < TRIES_MAX)
			return rc;
		drop(k, pending, DROP_QUEUE); /* what the others have stored stays */
		return 0;
	}
	if (rc == ERR_SPACE || rc == ERR_MALFORMED) {
		drop(k, pending, DROP_SMALL);
		return 0;
	}
	if (rc == ERR_AGAIN && !k->writing) {
		put_off(k, pending);
		return 0;
	}
	if (rc && rc == k->barred) {
		drop(k, pending, DROP_STORE);
		return 0;
	}
	if (rc) {
		pending->depends = pending->wrote = true;
		drop(k, pending, DROP_STORE);
		/* A row that is refused is one question's; all else will be the next one's too. */
		if (rc != ERR_REFUSED)
			k->barred = rc;
		lose(k, taken);
		return 0;
	}
	if (pending->who.known)
		speaker.device = pending->who.device.name;
	take_note(k, pending);
	pending->kind = log_answer(pending->line, &speaker, &pending->decision);
	return 0;
}

/* Tells of what a round has done, and has sent. */
static void finish(struct writer *k, struct pending *pending, int64_t now)
{
	if (pending->line[0])
		journal_line(&k->server->journal, pending->kind, "%s", pending->line);
	if (pending->datagram->reply_length) {
		count(&k->counters.answered[kind_of_answer(pending)], 1);
		counters_took(&k->counters, 1, now - pending->datagram->arrived);
	}
	if (pending->noted && !queue_put(&k->server->notes, &pending->note))
		count(&k->counters.notes_lost, 1);
	pending->datagram->reply_length = 0; /* it is not sent again */
	pending->line[0] = '\0';
	pending->noted = pending->depends = false;
}

static void follow(struct writer *k)
{
	if (!writer_replaced(k) && writer_follow(k))
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: changes not seen: %s",
		             k->store.message);
}

/* Says whether a machine is known now that was not: it became a device, or claimed one. */
static bool made_known(const struct writer *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++)
		if (k->pendings[i].depends && k->pendings[i].who.claims)
			return true;
	return k->newcomer_count > 0;
}

/* Sends the answers of a round, whose transaction is on the disk where it is to be, and tells of
 * them. */
static void finish_round(struct writer *k, size_t taken)
{
	int64_t now;

	/* It accepts its work within a millisecond, and must not be refused as unknown then. */
	if (made_known(k, taken))
		follow(k);
	for (size_t i = 0; i < k->newcomer_count; i++)
		journal_line(&k->server->journal, JOURNAL_ADMITTED, "admitted device=%s",
		             k->newcomer_names[i]);
	count(&k->counters.dropped[DROP_SEND], k->send(k->batch, taken));
	now = moment_now().monotonic;
	for (size_t i = 0; i < taken; i++)
		finish(k, &k->pendings[i], now);
}

/* Says whether one that is to be answered in this round is sure to need the disk: then all of them
 * can be in the one transaction that does. */
static bool any_lasts(const struct writer *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++)
		if (!k->pendings[i].done && (k->pendings[i].lasts ||
		                            k->pendings[i].question.type == MESSAGE_REPORT))
			return true;
	return false;
}

/* Handles what can be in one transaction. Returns how many are left for another. */
static size_t take_round(struct writer *k, size_t taken)
{
	size_t left = 0;

	begin(k);
	k->lasts = any_lasts(k, taken);
	follow(k);
	/* One look at the database for all of them: each of its own would cost locks. */
	store_run(&k->store, "BEGIN", "");
	for (size_t i = 0; i < taken; i++) {
		if (k->pendings[i].done)
			continue;
		k->pendings[i].done = true;
		if (answer(k, i, taken))
			k->pendings[i].done = false;
	}
	/* Looked at again: a commit takes its time. */
	if (k->writing && (store_commit(&k->store) || writer_replaced(k))) {
		k->barred = ERR_IO;
		lose(k, taken);
	}
	writer_end_relaxed(k); /* or where it was only read */
	finish_round(k, taken);
	for (size_t i = 0; i < taken; i++)
		left += !k->pendings[i].done;
	return left;
}

/* --- turns ----------------------------------------------------------------- */

size_t writer_notes(struct writer *k)
{
	size_t taken = 0;
	int rc;

	if (!queue_count(&k->server->notes))
		return 0;
	rc = writer_begin_relaxed(k);
	/* They wait for another program's end; those that find no room are counted. */
	k->notes_wait = rc == ERR_AGAIN;
	if (!k->notes_wait)
		taken = queue_take(&k->server->notes, k->note_batch, WRITER_BATCH);
	if (!taken)
		goto end;
	for (size_t i = 0; i < taken && rc == 0; i++)
		rc = note_store(&k->store, &k->note_batch[i]);
	if (rc == 0)
		rc = store_commit(&k->store);
	if (rc) {
		count(&k->counters.notes_lost, taken);
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: events lost: %s",
		             k->store.message);
	}
end:
	writer_end_relaxed(k);
	return taken;
}

/* Answers the first @taken of the batch. */
static void answer_all(struct writer *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++) {
		struct pending *pending = &k->pendings[i];

		pending->datagram = &k->batch[i];
		pending->done = pending->depends = pending->noted = pending->lasts = false;
		pending->tries = 0;
		pending->line[0] = '\0';
		/* It was decoded before, by the thread that took it: it can be. */
		(void)message_decode(&pending->question, k->batch[i].data, k->batch[i].length);
	}
	while (taken && take_round(k, taken))
		continue;
}

/* Answers what was put off, if the lock can be had by now. Returns how many it has done with. */
static size_t answer_later(struct writer *k)
{
	size_t done = writer_give_up(k), taken;

	if (!k->later_count)
		return done;
	if (!k->barred)
		k->barred = store_begin(&k->store);
	store_rollback(&k->store);
	if (k->barred == ERR_AGAIN)
		return done;
	taken = writer_take_later(k, k->batch, WRITER_BATCH);
	answer_all(k, taken);
	return done + taken;
}

size_t writer_turn(struct writer *k, const struct moment *moment)
{
	size_t done, taken;

	k->moment = *moment;
	k->barred = k->clock.waits ? ERR_AGAIN : 0;
	/* What was told before a question comes before it in the device's story. */
	if (lanes_count(&k->server->questions))
		writer_notes(k);
	done = answer_later(k);
	taken = lanes_take(&k->server->questions, k->batch, WRITER_BATCH);
	answer_all(k, taken);
	if (!taken && !done)
		follow(k);
	k->locked = k->later_count > 0;
	if (k->joined) {
		k->joined = false;
		if (writer_follow(k) == 0)
			writer_sessions(k);
	}
	return done + taken;
}

bool writer_waits(const struct writer *k)
{
	return k->later_count > 0;
}

void writer_last(struct writer *k)
{
	sqlite3_busy_timeout(k->store.db, LAST_MS);
}

/* --- from start to end ----------------------------------------------------- */

int writer_open(struct writer *k, struct server *server, const char *path)
{
	struct store_options options = { .create = true, .busy_timeout_ms = 500,
	                                 .cache_kib = CACHE_KIB };
	int rc;

	memset(k, 0, sizeof(*k));
	k->server = server;
	k->send = socket_send;
	k->batch = calloc(WRITER_BATCH, sizeof(*k->batch));
	k->pendings = calloc(WRITER_BATCH, sizeof(*k->pendings));
	k->note_batch = calloc(WRITER_BATCH, sizeof(*k->note_batch));
	k->later = calloc(WRITER_LATER, sizeof(*k->later));
	if (!k->batch || !k->pendings || !k->note_batch || !k->later) {
		text_format(k->store.message, sizeof(k->store.message), "no memory");
		rc = ERR_SPACE;
		goto close;
	}
	rc = store_open(&k->store, path, &options);
	if (rc)
		goto close;
	/* No wait from now on, as all wait for the writer: what must write is put off, or has its
	 * turn again. */
	sqlite3_busy_timeout(k->store.db, 0);
	rc = writer_secret(k);
	if (rc == 0)
		rc = index_load(server->index, &k->store);
	if (rc) {
		if (rc == ERR_SPACE)
			text_format(k->store.message, sizeof(k->store.message), "no memory");
		goto close;
	}
	writer_note_files(k);
	memset(&k->told, 0xff, sizeof(k->told)); /* so that zeros are told, too */
	server->counters[server->counters_count++] = &k->counters;
	writer_tell_warnings(k);
	return 0;
close:
	writer_close(k);
	return rc;
}

void writer_close(struct writer *k)
{
	/* Its log must not be taken for that of the file that has its name now. */
	if (k->replaced && !k->keep_log)
		sqlite3_wal_checkpoint_v2(k->store.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	store_close(&k->store);
	free(k->later);
	free(k->note_batch);
	free(k->pendings);
	free(k->batch);
}
