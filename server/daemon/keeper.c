/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/daemon/serve_log.h"
#include "server/net/socket.h"

/* Each round is done with the first that waits, at the second try at the latest. */
#define TRIES_MAX (2 * KEEPER_BATCH)
#define LAST_MS   1000 /* to wait for another program when it ends */
#define CACHE_KIB 32768 /* work is given to machines in no order: each has pages of its own */

/* --- a batch --------------------------------------------------------------- */

static void drop(struct keeper *k, struct matter *matter, enum drop why)
{
	matter->datagram->reply_length = 0;
	count(&k->counters.dropped[why], 1);
}

/* Starts with a transaction that has done nothing yet. */
static void begin(struct keeper *k)
{
	k->writing = false;
	k->touched_count = k->news_count = k->newcomer_count = 0;
}

/* The transaction is lost: so are the answers that tell of what was in it. Who wrote nothing is
 * judged anew. */
static void lose(struct keeper *k, size_t taken)
{
	keeper_end_relaxed(k);
	begin(k);
	for (size_t i = 0; i < taken; i++) {
		struct matter *matter = &k->matters[i];

		if (!matter->depends)
			continue;
		if (!matter->wrote)
			matter->done = false;
		else if (matter->datagram->reply_length)
			drop(k, matter, DROP_STORE);
		matter->datagram->reply_length = 0;
		matter->depends = false;
		matter->line[0] = '\0';
		matter->noted = false;
	}
	journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: not answered: %s",
	             k->store.message);
}

/* What is to be kept of it beside the decision. */
static void take_note(struct keeper *k, struct matter *matter)
{
	const struct message *question = &matter->question;
	const struct receipt *receipt = &matter->verdict.reply.u.receipt;
	struct note *note = &matter->note;

	note_begin(note, matter->datagram, question, &matter->who, &k->moment);
	if (question->type == MESSAGE_REQUEST)
		note_outcome(note, &matter->verdict);
	if (question->type == MESSAGE_REPORT)
		text_format(note->reason, sizeof(note->reason), "%s", receipt->reason);
	matter->noted = question->type == MESSAGE_REQUEST ||
	                (question->type == MESSAGE_REPORT && note->device && !receipt->state);
	if (matter->noted && !server_notes(k->server, note->device, matter->datagram,
	                                   k->moment.monotonic)) {
		matter->noted = false;
		count(&k->counters.notes_lost, 1);
	}
}

static enum answered kind_of_answer(const struct matter *matter)
{
	const struct message *reply = &matter->verdict.reply;

	switch (reply->type) {
	case MESSAGE_DETAILS: return ANSWERED_DETAILS;
	case MESSAGE_RECEIPT: return ANSWERED_RECEIPT;
	default:
		if (reply->u.answer.decision == DECISION_WORK)
			return ANSWERED_WORK;
		return matter->who.known ? ANSWERED_LOCAL : ANSWERED_UNKNOWN;
	}
}

/* Another program has the lock: who asks may wait for its end, and nobody else must. */
static void put_off(struct keeper *k, struct matter *matter)
{
	k->barred = ERR_AGAIN;
	if (!k->locked)
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: put off: %s",
		             k->store.message);
	k->locked = true;
	matter->datagram->reply_length = 0;
	matter->line[0] = '\0';
	/* The look at the database that all share was given up for the lock. */
	if (sqlite3_get_autocommit(k->store.db))
		store_run(&k->store, "BEGIN", "");
	if (!keeper_put_off(k, matter->datagram))
		drop(k, matter, DROP_STORE);
}

/* Answers datagram @i of @taken. Returns 0, or KEEPER_CUT: another round is to do it. */
static int answer(struct keeper *k, size_t i, size_t taken)
{
	struct matter *matter = &k->matters[i];
	struct speaker speaker = { matter->datagram, &matter->question, NULL, matter->who.note };
	int rc;

	if (keeper_is_late(k, matter)) {
		drop(k, matter, DROP_STORE);
		return 0;
	}
	rc = keeper_resolve(k, matter);
	if (rc == KEEPER_CUT) {
		matter->datagram->reply_length = 0;
		if (matter->tries++ < TRIES_MAX)
			return rc;
		drop(k, matter, DROP_QUEUE); /* what the others have stored stays */
		return 0;
	}
	if (rc == ERR_SPACE || rc == ERR_MALFORMED) {
		drop(k, matter, DROP_SMALL);
		return 0;
	}
	if (rc == ERR_AGAIN && !k->writing) {
		put_off(k, matter);
		return 0;
	}
	if (rc && rc == k->barred) {
		drop(k, matter, DROP_STORE);
		return 0;
	}
	if (rc) {
		matter->depends = matter->wrote = true;
		drop(k, matter, DROP_STORE);
		/* A row that is refused is one question's; all else will be the next one's too. */
		if (rc != ERR_REFUSED)
			k->barred = rc;
		lose(k, taken);
		return 0;
	}
	if (matter->who.known)
		speaker.device = matter->who.device.name;
	take_note(k, matter);
	matter->kind = log_answer(matter->line, &speaker, &matter->verdict);
	return 0;
}

/* Tells of what a round has done, and has sent. */
static void finish(struct keeper *k, struct matter *matter, int64_t now)
{
	if (matter->line[0])
		journal_line(&k->server->journal, matter->kind, "%s", matter->line);
	if (matter->datagram->reply_length) {
		count(&k->counters.answered[kind_of_answer(matter)], 1);
		counters_took(&k->counters, 1, now - matter->datagram->arrived);
	}
	if (matter->noted && !queue_put(&k->server->notes, &matter->note))
		count(&k->counters.notes_lost, 1);
	matter->datagram->reply_length = 0; /* it is not sent again */
	matter->line[0] = '\0';
	matter->noted = matter->depends = false;
}

static void follow(struct keeper *k)
{
	if (!keeper_replaced(k) && keeper_follow(k))
		journal_line(&k->server->journal, JOURNAL_TROUBLE, "warning: changes not seen: %s",
		             k->store.message);
}

/* Says whether a machine is known now that was not: it became a device, or claimed one. */
static bool made_known(const struct keeper *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++)
		if (k->matters[i].depends && k->matters[i].who.claims)
			return true;
	return k->newcomer_count > 0;
}

/* Sends the answers of a round, whose transaction is on the disk where it is to be, and tells of
 * them. */
static void finish_round(struct keeper *k, size_t taken)
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
		finish(k, &k->matters[i], now);
}

/* Says whether one that is to be answered in this round is sure to need the disk: then all of them
 * can be in the one transaction that does. */
static bool any_lasts(const struct keeper *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++)
		if (!k->matters[i].done && (k->matters[i].lasts ||
		                            k->matters[i].question.type == MESSAGE_REPORT))
			return true;
	return false;
}

/* Handles what can be in one transaction. Returns how many are left for another. */
static size_t take_round(struct keeper *k, size_t taken)
{
	size_t left = 0;

	begin(k);
	k->lasts = any_lasts(k, taken);
	follow(k);
	/* One look at the database for all of them: each of its own would cost locks. */
	store_run(&k->store, "BEGIN", "");
	for (size_t i = 0; i < taken; i++) {
		if (k->matters[i].done)
			continue;
		k->matters[i].done = true;
		if (answer(k, i, taken))
			k->matters[i].done = false;
	}
	/* Looked at again: a commit takes its time. */
	if (k->writing && (store_commit(&k->store) || keeper_replaced(k))) {
		k->barred = ERR_IO;
		lose(k, taken);
	}
	keeper_end_relaxed(k); /* or where it was only read */
	finish_round(k, taken);
	for (size_t i = 0; i < taken; i++)
		left += !k->matters[i].done;
	return left;
}

/* --- turns ----------------------------------------------------------------- */

size_t keeper_notes(struct keeper *k)
{
	size_t taken = 0;
	int rc;

	if (!queue_count(&k->server->notes))
		return 0;
	rc = keeper_begin_relaxed(k);
	/* They wait for another program's end; those that find no room are counted. */
	k->notes_wait = rc == ERR_AGAIN;
	if (!k->notes_wait)
		taken = queue_take(&k->server->notes, k->note_batch, KEEPER_BATCH);
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
	keeper_end_relaxed(k);
	return taken;
}

/* Answers the first @taken of the batch. */
static void answer_all(struct keeper *k, size_t taken)
{
	for (size_t i = 0; i < taken; i++) {
		struct matter *matter = &k->matters[i];

		matter->datagram = &k->batch[i];
		matter->done = matter->depends = matter->noted = matter->lasts = false;
		matter->tries = 0;
		matter->line[0] = '\0';
		/* It was decoded before, by the thread that took it: it can be. */
		(void)message_decode(&matter->question, k->batch[i].data, k->batch[i].length);
	}
	while (taken && take_round(k, taken))
		continue;
}

/* Answers what was put off, if the lock can be had by now. Returns how many it has done with. */
static size_t answer_later(struct keeper *k)
{
	size_t done = keeper_give_up(k), taken;

	if (!k->later_count)
		return done;
	if (!k->barred)
		k->barred = store_begin(&k->store);
	store_rollback(&k->store);
	if (k->barred == ERR_AGAIN)
		return done;
	taken = keeper_take_later(k, k->batch, KEEPER_BATCH);
	answer_all(k, taken);
	return done + taken;
}

size_t keeper_turn(struct keeper *k, const struct moment *moment)
{
	size_t done, taken;

	k->moment = *moment;
	k->barred = k->clock.waits ? ERR_AGAIN : 0;
	/* What was told before a question comes before it in the device's story. */
	if (lanes_count(&k->server->questions))
		keeper_notes(k);
	done = answer_later(k);
	taken = lanes_take(&k->server->questions, k->batch, KEEPER_BATCH);
	answer_all(k, taken);
	if (!taken && !done)
		follow(k);
	k->locked = k->later_count > 0;
	if (k->joined) {
		k->joined = false;
		if (keeper_follow(k) == 0)
			keeper_sessions(k);
	}
	return done + taken;
}

bool keeper_waits(const struct keeper *k)
{
	return k->later_count > 0;
}

void keeper_last(struct keeper *k)
{
	sqlite3_busy_timeout(k->store.db, LAST_MS);
}

/* --- from start to end ----------------------------------------------------- */

int keeper_open(struct keeper *k, struct server *server, const char *path)
{
	struct store_options options = { .create = true, .busy_timeout_ms = 500,
	                                 .cache_kib = CACHE_KIB };
	int rc;

	memset(k, 0, sizeof(*k));
	k->server = server;
	k->send = socket_send;
	k->batch = calloc(KEEPER_BATCH, sizeof(*k->batch));
	k->matters = calloc(KEEPER_BATCH, sizeof(*k->matters));
	k->note_batch = calloc(KEEPER_BATCH, sizeof(*k->note_batch));
	k->later = calloc(KEEPER_LATER, sizeof(*k->later));
	if (!k->batch || !k->matters || !k->note_batch || !k->later) {
		text_format(k->store.message, sizeof(k->store.message), "no memory");
		rc = ERR_SPACE;
		goto close;
	}
	rc = store_open(&k->store, path, &options);
	if (rc)
		goto close;
	/* No wait from now on, as all wait for the keeper: what must write is put off, or has its
	 * turn again. */
	sqlite3_busy_timeout(k->store.db, 0);
	rc = keeper_secret(k);
	if (rc == 0)
		rc = index_load(server->index, &k->store);
	if (rc) {
		if (rc == ERR_SPACE)
			text_format(k->store.message, sizeof(k->store.message), "no memory");
		goto close;
	}
	keeper_note_files(k);
	memset(&k->told, 0xff, sizeof(k->told)); /* so that zeros are told, too */
	server->counters[server->counters_count++] = &k->counters;
	keeper_tell_warnings(k);
	return 0;
close:
	keeper_close(k);
	return rc;
}

void keeper_close(struct keeper *k)
{
	/* Its log must not be taken for that of the file that has its name now. */
	if (k->replaced && !k->keep_log)
		sqlite3_wal_checkpoint_v2(k->store.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	store_close(&k->store);
	free(k->later);
	free(k->note_batch);
	free(k->matters);
	free(k->batch);
}
