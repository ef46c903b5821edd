/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/serve.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"

#define QUESTIONS_ROOM 8192 /* in the longest time that an NBP waits for an answer */
#define REGION_SHARES  4    /* networks' worth, of one region */
#define UNKNOWN_SHARES 5    /* likewise, of all unknown machines */
/* Machines that become devices by themselves: in all, and of a network. */
#define ADMIT_COST     ((int64_t)1000000000 / 10) /* ns each */
#define ADMIT_BURST    ((int64_t)20 * 1000000000)
#define ADMITTED_RATE  5    /* a second; twenty seconds' worth at once */
#define ADMITTED_BURST 20
#define NOTES_ROOM     4096
#define EVENTS_RATE    20   /* a second, of each device; a boot has a dozen */
#define NOTED_RATE     20   /* requests a second that are kept, of a device or a network of unknown */
#define NOTED_BURST    25   /* machines; so many seconds' worth at once: a network is switched on */

/* --- what threads share ---------------------------------------------------- */

struct moment moment_now(void)
{
	struct timespec real, monotonic;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (struct moment){ real.tv_sec, (uint32_t)(real.tv_nsec / 1000000),
		(int64_t)monotonic.tv_sec * 1000000000 + monotonic.tv_nsec };
}

/* Who changes the index comes before those that look: they are never done. */
static void start_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t kind;

	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &kind);
	pthread_rwlockattr_destroy(&kind);
}

int server_start(struct server *server, uint32_t rate)
{
	int rc;

	memset(server, 0, sizeof(*server));
	journal_start(&server->journal);
	limit_start(&server->limit, rate);
	limit_start(&server->regions, rate * REGION_SHARES);
	server->unknown_cost = rate ? server->limit.cost / UNKNOWN_SHARES : 0;
	limit_start(&server->events, EVENTS_RATE);
	limit_start(&server->noted, NOTED_RATE);
	server->noted.burst = (int64_t)NOTED_BURST * 1000000000;
	limit_start(&server->admissions, ADMITTED_RATE);
	server->admissions.burst = (int64_t)ADMITTED_BURST * 1000000000;
	start_lock(&server->lock);
	if (getrandom(&server->seed, sizeof(server->seed), GRND_NONBLOCK) < 0)
		server->seed = (uintptr_t)server;
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->wake < 0)
		return ERR_IO;
	rc = lanes_open(&server->questions, sizeof(struct datagram), QUESTIONS_ROOM, server->wake);
	if (rc == 0)
		rc = queue_open(&server->notes, sizeof(struct note), NOTES_ROOM, server->wake);
	server->index = index_new();
	if (!server->index)
		rc = ERR_SPACE;
	if (rc)
		server_end(server);
	return rc;
}

bool server_notes(struct server *server, uint64_t device, const struct datagram *d, int64_t now)
{
	return limit_take(&server->noted, device ? device : address_prefix(&d->from), now);
}

void server_end(struct server *server)
{
	index_free(server->index);
	pthread_rwlock_destroy(&server->lock);
	queue_close(&server->notes);
	lanes_close(&server->questions);
	close(server->wake);
}

bool server_may_admit(struct server *server, const struct datagram *datagram, int64_t now)
{
	return !atomic_load_explicit(&server->admits_no_more, memory_order_relaxed) &&
	       limit_take(&server->admissions, address_prefix(&datagram->from), now) &&
	       limit_pass(&server->admissions_full, ADMIT_COST, ADMIT_BURST, now);
}

void server_counters(const struct server *server, struct counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < server->counters_count; i++)
		counters_add(sum, server->counters[i]);
}

void serving_start(struct serving *serving, struct server *server)
{
	memset(serving, 0, sizeof(*serving));
	serving->server = server;
	server->counters[server->counters_count++] = &serving->counters;
}

/* --- a batch --------------------------------------------------------------- */

/* Decodes a datagram. Returns whether it is a question, or an event. */
static bool understand(struct serving *s, const struct datagram *d)
{
	uint64_t *dropped = s->counters.dropped;

	switch (message_decode(&s->question, d->data, d->length)) {
	case 0: break;
	case ERR_TRUNCATED: count(&dropped[DROP_TRUNCATED], 1); return false;
	case ERR_VERSION: count(&dropped[DROP_VERSION], 1); return false;
	case ERR_CRITICAL: count(&dropped[DROP_CRITICAL], 1); return false;
	default: count(&dropped[DROP_MALFORMED], 1); return false;
	}
	if (address_port(&d->from) == 0) {
		count(&dropped[DROP_PEER], 1);
		return false;
	}
	switch (s->question.type) {
	case MESSAGE_REQUEST: count(&s->counters.asked[ASKED_REQUEST], 1); return true;
	case MESSAGE_QUERY: count(&s->counters.asked[ASKED_QUERY], 1); return true;
	case MESSAGE_REPORT: count(&s->counters.asked[ASKED_REPORT], 1); return true;
	case MESSAGE_EVENT: count(&s->counters.asked[ASKED_EVENT], 1); return true;
	default: count(&dropped[DROP_TYPE], 1); return false;
	}
}

/* Answers a question that is decoded, or hands it on. Returns whether it is answered. */
static bool answer(struct serving *s, struct datagram *d)
{
	int rc;

	if (s->question.type == MESSAGE_EVENT) {
		serve_event(s, d);
		return false;
	}
	rc = s->question.type == MESSAGE_REQUEST ? serve_request(s, d) : serve_unknown(s, d);
	if (rc == 0)
		return true;
	if (rc == ERR_REFUSED)
		count(&s->counters.dropped[DROP_LIMIT], 1);
	else if (rc != ERR_AGAIN)
		count(&s->counters.dropped[DROP_SMALL], 1);
	else if (!lanes_put(&s->server->questions, address_region(&d->from),
	                    address_prefix(&d->from), d))
		count(&s->counters.dropped[DROP_QUEUE], 1);
	return false;
}

/* Reads who asks, and fetches what is known of them: one step for all at a time, so that memory
 * has as much to do as it can. */
static void look_ahead(struct serving *s, const struct datagram *batch, size_t batch_count)
{
	const struct index *index = s->server->index;

	for (size_t i = 0; i < batch_count; i++) {
		struct outline *outline = &s->outlines[i];
		struct index_ahead *ahead = &s->ahead[i];

		serve_outline(&batch[i], outline);
		ahead->table = NULL;
		ahead->entry = NULL;
		if (!outline->firmware)
			continue;
		ahead->isd = all_zero(outline->isd, 16) ? NULL : outline->isd;
		ahead->uuid = all_zero(outline->identity.uuid, 16) ? NULL : outline->identity.uuid;
		ahead->mac = outline->identity.mac;
		index_ahead_begin(index, ahead);
	}
	for (int step = 0; step < INDEX_AHEAD_STEPS; step++)
		for (size_t i = 0; i < batch_count; i++)
			index_ahead_next(index, &s->ahead[i]);
	for (size_t i = 0; i < batch_count; i++)
		s->outlines[i].likely = s->ahead[i].entry;
}

/* Answers datagram @i. Returns whether it has. */
static bool serve_one(struct serving *s, struct datagram *d, size_t i)
{
	d->reply_length = 0;
	d->arrived = s->moment->monotonic;
	if (!limit_take(&s->server->limit, address_prefix(&d->from), d->arrived)) {
		count(&s->counters.dropped[DROP_LIMIT], 1);
		return false;
	}
	if (serve_fast(s, d, &s->outlines[i]))
		return true;
	/* What takes more: many networks of one region together get no more than a few. */
	if (!limit_take(&s->server->regions, address_region(&d->from), d->arrived)) {
		count(&s->counters.dropped[DROP_LIMIT], 1);
		return false;
	}
	return understand(s, d) && answer(s, d);
}

uint64_t serve_batch(struct serving *s, struct datagram *batch, size_t batch_count,
                     const struct moment *moment)
{
	struct server *server = s->server;
	uint64_t answers = 0;

	s->moment = moment;
	pthread_rwlock_rdlock(&server->lock);
	look_ahead(s, batch, batch_count);
	for (size_t i = 0; i < batch_count; i++)
		answers += serve_one(s, &batch[i], i);
	pthread_rwlock_unlock(&server->lock);
	journal_hold(&server->journal, JOURNAL_KNOWN, s->held);
	s->held = 0;
	return answers;
}
