/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/server.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"

#define NANOSECONDS ((int64_t)1000000000)

#define QUESTIONS_MAX 8192 /* that come in the longest time that an NBP waits for an answer */
#define HISTORY_MAX   4096
#define REGION_SHARES  4   /* a region may ask as much as so many networks */
#define UNKNOWN_SHARES 5   /* so may all unknown machines together */
/* Admissions: of all networks, and of one. */
#define ADMIT_COST     (NANOSECONDS / 10)
#define ADMIT_BURST    (20 * NANOSECONDS)
#define ADMITTED_RATE  5   /* a second; twenty seconds' worth at once */
#define ADMITTED_BURST 20
/* History: events of a device, where a boot has a dozen; and requests a second of a device, or of a
 * network of unknown machines, where so many seconds' worth may come at once, as when a network is
 * switched on. */
#define EVENTS_RATE 20
#define KEPT_RATE   20
#define KEPT_BURST  25
/* Requests that are kept: of devices, of unknown machines. */
#define REQUESTS_COST  (NANOSECONDS / 200)
#define REQUESTS_BURST (50 * NANOSECONDS)
#define UNKNOWNS_COST  (NANOSECONDS / 100)
#define UNKNOWNS_BURST (10 * NANOSECONDS)

struct timestamp timestamp_now(void)
{
	struct timespec real, monotonic;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (struct timestamp){ real.tv_sec, (uint32_t)(real.tv_nsec / 1000000),
		(int64_t)monotonic.tv_sec * NANOSECONDS + monotonic.tv_nsec };
}

/* A thread that changes the index comes before those that read it, which are never done. */
static void start_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t kind;

	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &kind);
	pthread_rwlockattr_destroy(&kind);
}

static void start_limits(struct server *server, uint32_t rate)
{
	limit_start(&server->limit, rate);
	limit_start(&server->regions, rate * REGION_SHARES);
	server->unknown_cost = rate ? server->limit.cost / UNKNOWN_SHARES : 0;
	limit_start(&server->events, EVENTS_RATE);
	limit_start(&server->kept, KEPT_RATE);
	server->kept.burst = KEPT_BURST * NANOSECONDS;
	limit_start(&server->admissions, ADMITTED_RATE);
	server->admissions.burst = ADMITTED_BURST * NANOSECONDS;
}

int server_start(struct server *server, uint32_t rate)
{
	int rc;

	memset(server, 0, sizeof(*server));
	journal_start(&server->journal);
	start_limits(server, rate);
	start_lock(&server->lock);
	if (getrandom(&server->seed, sizeof(server->seed), GRND_NONBLOCK) < 0)
		server->seed = (uintptr_t)server;
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->wake < 0)
		return ERR_IO;
	rc = lanes_open(&server->questions, sizeof(struct datagram), QUESTIONS_MAX, server->wake);
	if (rc == 0)
		rc = queue_open(&server->history, sizeof(struct history_entry), HISTORY_MAX,
		                server->wake);
	server->index = index_new();
	if (!server->index)
		rc = ERR_SPACE;
	if (rc)
		server_end(server);
	return rc;
}

void server_end(struct server *server)
{
	index_free(server->index);
	pthread_rwlock_destroy(&server->lock);
	queue_close(&server->history);
	lanes_close(&server->questions);
	close(server->wake);
}

bool server_may_keep(struct server *server, uint64_t device, const struct datagram *d, int64_t now)
{
	return limit_take(&server->kept, device ? device : address_prefix(&d->from), now);
}

bool server_history_full(const struct server *server, int64_t now)
{
	int64_t full = atomic_load_explicit(&server->requests_full, memory_order_relaxed);

	return full - now > REQUESTS_BURST - REQUESTS_COST || queue_full(&server->history);
}

bool server_keep_request(struct server *server, bool known, int64_t now)
{
	return known ? limit_pass(&server->requests_full, REQUESTS_COST, REQUESTS_BURST, now)
	             : limit_pass(&server->unknowns_full, UNKNOWNS_COST, UNKNOWNS_BURST, now);
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
