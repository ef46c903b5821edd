/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer's batch and its transactions.
 *
 * A batch is answered in parts: messages in order, in one transaction, each evaluated once. A
 * part ends in front of the first message that
 *
 *   - may be answered by what the transaction has changed, which the index must have first: the
 *     next part follows it. The same message comes again after it was made a device;
 *   - needs more of a transaction than the part has. A part begins by reading, which disturbs
 *     no other program and waits for none; it takes the lock for writing when a message
 *     needs that, and its commit waits for the disk when a message needs that. So batches that
 *     only read do without the lock, and new jobs alone without the disk.
 *
 * The transaction is committed, the replies leave, and the next part begins there. If it is lost,
 * the same messages are evaluated once more, by reading alone: those that must write are dropped,
 * and the others are answered from what there is.
 *
 * Messages wait as they came, and are decoded here again: that takes a microsecond, and
 * what they are decoded to is several times their size. An answer with a new job is encoded twice,
 * to measure it before the job is stored, since a job whose answer cannot leave must not be made.
 */
#include "server/daemon/writer.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/daemon/log.h"
#include "server/daemon/writer_deferred.h"
#include "server/daemon/writer_evaluate.h"
#include "server/daemon/writer_files.h"
#include "server/daemon/writer_index.h"
#include "server/daemon/writer_store.h"
#include "server/daemon/writer_sweep.h"
#include "server/net/socket.h"
#include "server/store/jobs.h"

#define LAST_MS   1000 /* to wait for another program at the end */
#define CACHE_KIB 32768 /* jobs are given to machines in no order: each has pages of its own */

/* Parts that may end in front of one message: in front of a write, of one that lasts, after
 * admission, and the same again where other programs write in between. */
#define PARTS_MAX 8

#define RECEIPT_NS ((int64_t)1200 * 1000000) /* an NBP waits 1.5 s for a receipt, less the time that
                                                packets take */

/* --- one message ----------------------------------------------------------- */

/* Says whether the sender has gone on without the receipt that it waits for: a job that it does
 * not do must not count as accepted, or as done at the handover. An agent's report that is dropped
 * for this is sent again. */
static bool is_late(const struct writer *w, const struct pending *p)
{
	const struct message *question = &p->question;

	return question->type == MESSAGE_REPORT &&
	       (question->u.report.state == REPORT_ACCEPTED ||
	        question->u.report.state == REPORT_DONE) &&
	       p->datagram->arrived + RECEIPT_NS < w->timestamp.monotonic;
}

static void drop(struct writer *w, struct pending *p, enum drop why)
{
	p->datagram->reply_length = 0;
	p->line[0] = '\0';
	p->has_history = false;
	count(&w->counters.dropped[why], 1);
}

/* Nothing is written in this turn. If another program has the lock, the sender may wait for its
 * end. */
static void defer_or_drop(struct writer *w, struct pending *p)
{
	p->datagram->reply_length = 0;
	if (w->barred != ERR_AGAIN || !writer_defer(w, p->datagram))
		drop(w, p, DROP_STORE);
}

/* Adds to the history what the decision itself has not stored. */
static void add_history(struct writer *w, struct pending *p)
{
	const struct message *question = &p->question;
	const struct receipt *receipt = &p->decision.reply.u.receipt;
	struct history_entry *entry = &p->history;

	history_begin(entry, p->datagram, question, &p->who, &w->timestamp);
	if (question->type == MESSAGE_REQUEST)
		history_outcome(entry, &p->decision);
	if (question->type == MESSAGE_REPORT)
		text_format(entry->reason, sizeof(entry->reason), "%s", receipt->reason);
	p->has_history = question->type == MESSAGE_REQUEST ||
	                 (question->type == MESSAGE_REPORT && entry->device && !receipt->state);
	if (p->has_history && !server_may_keep(w->server, entry->device, p->datagram,
	                                       w->timestamp.monotonic)) {
		p->has_history = false;
		count(&w->counters.history_lost, 1);
	}
}

/* Logs what the machine does not get. */
static void log_withheld(struct writer *w, const struct pending *p)
{
	switch (p->evaluation.withheld) {
	case WITHHELD_TOTAL:
	case WITHHELD_RATE:
		count(&w->counters.not_admitted, 1);
		break;
	case WITHHELD_HOURLY:
		journal_line(&w->server->journal, JOURNAL_TROUBLE,
		             "warning: no new job for device=%s: it has had %d jobs within an hour",
		             p->who.device.name, JOB_HOURLY);
		break;
	default:
		break;
	}
}

/* Answers a message. Returns 0 when that is done with; WRITER_CUT if it is to come again in the
 * next part; or an ERR_ value of store.h. */
static int answer_pending(struct writer *w, struct pending *p)
{
	struct log_context context = { p->datagram, &p->question, NULL, p->who.anomaly };
	enum transaction needed;
	int rc;

	p->datagram->reply_length = 0;
	p->line[0] = '\0';
	p->has_history = false;
	if (is_late(w, p)) {
		drop(w, p, DROP_STORE);
		return 0;
	}
	rc = writer_evaluate(w, p);
	if (rc)
		return rc;
	needed = writer_needs(p);
	if (needed > w->transaction && w->barred) {
		defer_or_drop(w, p);
		return 0;
	}
	if (needed > w->transaction) {
		w->wanted = needed;
		return WRITER_CUT;
	}
	if (writer_encode(w, p)) {
		drop(w, p, DROP_SMALL);
		return 0;
	}
	if (needed != TRANSACTION_READ)
		rc = writer_store(w, p);
	if (rc) {
		p->datagram->reply_length = 0;
		return rc;
	}
	if (p->who.known)
		context.device = p->who.device.name;
	if (p->question.type == MESSAGE_REQUEST)
		log_withheld(w, p);
	add_history(w, p);
	p->kind = log_answer(p->line, &context, &p->decision);
	return 0;
}

/* --- a part ---------------------------------------------------------------- */

static int begin(struct writer *w, enum transaction transaction)
{
	int rc = 0;

	if (transaction != TRANSACTION_READ)
		rc = store_relax(&w->store, transaction == TRANSACTION_RELAXED);
	if (rc == 0)
		/* One look at the database for all that read: each of its own would cost locks. */
		rc = transaction == TRANSACTION_READ ? store_begin_reading(&w->store)
		                                     : store_begin(&w->store);
	w->transaction = transaction;
	w->part.device_count = w->part.identity_count = w->part.admitted_count = 0;
	w->part.binds = false;
	/* Within it, so that nothing can change before what is evaluated from here on. */
	return rc == 0 && !w->replaced ? writer_follow(w) : rc;
}

/* Begins the transaction that is wanted; or, as another program has the lock or the disk fails, one
 * that only reads. */
static void begin_wanted(struct writer *w)
{
	enum transaction wanted = w->barred ? TRANSACTION_READ : w->wanted;
	int rc;

	writer_replaced(w);
	rc = begin(w, wanted);
	if (rc && wanted != TRANSACTION_READ) {
		w->barred = rc;
		if (rc != ERR_AGAIN || !w->locked)
			journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: %s: %s",
			             rc == ERR_AGAIN ? "replies deferred"
			             : "nothing can be written",
			             w->store.message);
		w->locked |= rc == ERR_AGAIN;
		writer_end_relaxed(w);
		rc = begin(w, TRANSACTION_READ);
	}
	if (rc)
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: changes not seen: %s",
		             w->store.message);
	w->wanted = TRANSACTION_READ;
}

/* Ends the transaction. Returns 0, or ERR_IO if what was written in it is lost. */
static int end(struct writer *w)
{
	int rc = 0;

	/* The files are looked at again, as a commit takes its time. */
	if (w->transaction != TRANSACTION_READ && (store_commit(&w->store) || writer_replaced(w)))
		rc = ERR_IO;
	writer_end_relaxed(w);
	return rc;
}

static enum answered kind_of_answer(const struct pending *p)
{
	const struct message *reply = &p->decision.reply;

	switch (reply->type) {
	case MESSAGE_DETAILS: return ANSWERED_DETAILS;
	case MESSAGE_RECEIPT: return ANSWERED_RECEIPT;
	default:
		if (reply->u.answer.decision == DECISION_JOB)
			return ANSWERED_JOB;
		return p->who.known ? ANSWERED_LOCAL : ANSWERED_UNKNOWN;
	}
}

/* Sends the replies of the part from @from to @to, whose transaction has ended, and logs them. */
static void finish(struct writer *w, size_t from, size_t to)
{
	int64_t now;

	/* A new device accepts its job within a millisecond, and must not be refused as unknown. */
	if ((w->part.binds || w->part.admitted_count) && !w->replaced && writer_follow(w))
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: changes not seen: %s",
		             w->store.message);
	for (size_t i = 0; i < w->part.admitted_count; i++)
		journal_line(&w->server->journal, JOURNAL_ADMITTED, "admitted device=%s",
		             w->part.admitted[i]);
	count(&w->counters.dropped[DROP_SEND], w->send(w->batch + from, to - from));
	now = timestamp_now().monotonic;
	for (struct pending *p = w->pendings + from; p < w->pendings + to; p++) {
		if (p->line[0])
			journal_line(&w->server->journal, p->kind, "%s", p->line);
		if (p->datagram->reply_length) {
			count(&w->counters.answered[kind_of_answer(p)], 1);
			counters_took(&w->counters, 1, now - p->datagram->arrived);
		}
		if (p->has_history && !queue_put(&w->server->history, &p->history))
			count(&w->counters.history_lost, 1);
	}
}

/* Answers the messages from @from to @to once more, by reading alone, as what was written for them
 * is lost. If it was written to a file that has been replaced, they are dropped. @why: an ERR_
 * value */
static void answer_reading(struct writer *w, size_t from, size_t to, int why)
{
	uint64_t dropped = w->counters.dropped[DROP_STORE];
	char message[sizeof(w->store.message)];

	memcpy(message, w->store.message, sizeof(message));
	store_rollback(&w->store);
	w->barred = why;
	begin_wanted(w);
	for (size_t i = from; i < to; i++)
		if (w->replaced || answer_pending(w, &w->pendings[i]))
			drop(w, &w->pendings[i], DROP_STORE);
	end(w);
	journal_line(&w->server->journal, JOURNAL_TROUBLE,
	             "warning: transaction failed, %llu replies dropped: %s",
	             (unsigned long long)(w->counters.dropped[DROP_STORE] - dropped),
	             message);
	/* A row that is refused is one message's; all other failures will be the next
	 * one's, too. */
	if (why == ERR_REFUSED)
		w->barred = 0;
	finish(w, from, to);
}

/* Answers messages from @from on, at most to @to, in one transaction. Returns the first that is
 * left for the next part. */
static size_t answer_part(struct writer *w, size_t from, size_t to)
{
	size_t next = from;
	int rc = 0;

	begin_wanted(w);
	while (next < to && rc == 0) {
		rc = answer_pending(w, &w->pendings[next]);
		next += rc != WRITER_CUT;
	}
	if (rc == 0 || rc == WRITER_CUT)
		rc = end(w);
	if (rc)
		answer_reading(w, from, next, rc);
	else
		finish(w, from, next);
	return next;
}

/* Says whether one of the messages is sure to need the disk: then the first part can have all. */
static bool any_report(const struct writer *w, size_t taken)
{
	for (size_t i = 0; i < taken; i++)
		if (w->pendings[i].question.type == MESSAGE_REPORT)
			return true;
	return false;
}

/* Answers the first @taken of the batch. */
static void answer_batch(struct writer *w, size_t taken)
{
	size_t next = 0;
	unsigned parts = 0;

	for (size_t i = 0; i < taken; i++) {
		w->pendings[i].datagram = &w->batch[i];
		/* The thread that took it has decoded it before, so it can be decoded. */
		(void)message_decode(&w->pendings[i].question, w->batch[i].data,
		                     w->batch[i].length);
	}
	w->wanted = any_report(w, taken) ? TRANSACTION_DURABLE : TRANSACTION_READ;
	while (next < taken) {
		size_t from = next;

		next = answer_part(w, from, taken);
		parts = next == from ? parts + 1 : 0;
		if (parts == PARTS_MAX) {
			drop(w, &w->pendings[next++], DROP_STORE);
			parts = 0;
		}
	}
}

/* --- turns ----------------------------------------------------------------- */

size_t writer_history(struct writer *w)
{
	size_t taken = 0;
	int rc;

	if (!queue_count(&w->server->history))
		return 0;
	rc = writer_begin_relaxed(w);
	/* Entries wait for another program's end; those for which there is no room are counted. */
	w->history_waits = rc == ERR_AGAIN;
	if (!w->history_waits)
		taken = queue_take(&w->server->history, w->history, WRITER_BATCH);
	if (!taken)
		goto end;
	for (size_t i = 0; i < taken && rc == 0; i++)
		rc = history_store(&w->store, &w->history[i]);
	if (rc == 0)
		rc = store_commit(&w->store);
	if (rc) {
		count(&w->counters.history_lost, taken);
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: events lost: %s",
		             w->store.message);
	}
end:
	writer_end_relaxed(w);
	return taken;
}

/* Answers deferred messages, if the lock is free by now. Returns how many were handled. */
static size_t answer_deferred(struct writer *w)
{
	size_t dropped = writer_drop_deferred(w), taken;

	if (!w->deferred_count)
		return dropped;
	if (!w->barred)
		w->barred = store_begin(&w->store);
	store_rollback(&w->store);
	if (w->barred == ERR_AGAIN)
		return dropped;
	taken = writer_take_deferred(w, w->batch, WRITER_BATCH);
	answer_batch(w, taken);
	return dropped + taken;
}

size_t writer_turn(struct writer *w, const struct timestamp *timestamp)
{
	size_t done, taken;

	w->timestamp = *timestamp;
	w->barred = w->clock.waits ? ERR_AGAIN : 0;
	/* What came before a question comes before it in the device's history. */
	if (lanes_count(&w->server->questions))
		writer_history(w);
	done = answer_deferred(w);
	taken = lanes_take(&w->server->questions, w->batch, WRITER_BATCH);
	answer_batch(w, taken);
	if (!taken && !done && !writer_replaced(w) && writer_follow(w))
		journal_line(&w->server->journal, JOURNAL_TROUBLE, "warning: changes not seen: %s",
		             w->store.message);
	w->locked = w->deferred_count > 0;
	if (w->joined && writer_follow(w) == 0)
		writer_sessions(w);
	w->joined = false;
	return done + taken;
}

bool writer_waits(const struct writer *w)
{
	return w->deferred_count > 0;
}

void writer_last(struct writer *w)
{
	store_wait(&w->store, LAST_MS);
}

/* --- from start to end ----------------------------------------------------- */

int writer_open(struct writer *w, struct server *server, const char *path)
{
	struct store_options options = { .create = true, .busy_timeout_ms = 500,
	                                 .cache_kib = CACHE_KIB };
	int rc;

	memset(w, 0, sizeof(*w));
	w->server = server;
	w->send = socket_send;
	w->batch = calloc(WRITER_BATCH, sizeof(*w->batch));
	w->pendings = calloc(WRITER_BATCH, sizeof(*w->pendings));
	w->history = calloc(WRITER_BATCH, sizeof(*w->history));
	w->deferred = calloc(WRITER_DEFERRED, sizeof(*w->deferred));
	if (!w->batch || !w->pendings || !w->history || !w->deferred) {
		text_format(w->store.message, sizeof(w->store.message), "no memory");
		rc = ERR_SPACE;
		goto close;
	}
	rc = store_open(&w->store, path, &options);
	if (rc)
		goto close;
	/* From now on the writer waits for no other program, as all wait for the writer. */
	store_wait(&w->store, 0);
	rc = writer_read_secret(w);
	if (rc == 0)
		rc = index_load(server->index, &w->store);
	if (rc) {
		if (rc == ERR_SPACE)
			text_format(w->store.message, sizeof(w->store.message), "no memory");
		goto close;
	}
	writer_remember_files(w);
	memset(&w->stored, 0xff, sizeof(w->stored)); /* so that zeros are stored, too */
	server->counters[server->counters_count++] = &w->counters;
	writer_log_warnings(w);
	return 0;
close:
	writer_close(w);
	return rc;
}

void writer_close(struct writer *w)
{
	/* Its log must not be taken for that of the file that has its name now. */
	if (w->replaced && !w->keep_log)
		store_empty_log(&w->store);
	store_close(&w->store);
	free(w->deferred);
	free(w->history);
	free(w->pendings);
	free(w->batch);
}
