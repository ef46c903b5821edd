/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_SITE_H
#define TESTS_UNIT_SITE_H

#include "tests/unit/unit.h"

#include <sqlite3.h>

#include "server/daemon/serve_fast.h"
#include "server/daemon/writer.h"
#include "server/daemon/writer_files.h"
#include "server/daemon/writer_index.h"
#include "server/daemon/writer_store.h"
#include "server/daemon/writer_sweep.h"

/* A server from datagram to datagram, without a network, and three machines. */

#define NOW 1000000
#define FIRST_PORT 50000
#define MACHINES 3 /* web1 and web2 have jobs, web3 has none */

struct bench {
	struct server server;
	struct serving serving;
	struct writer writer;
	struct datagram batch[BATCH];
	char path[64];
	uint64_t job[MACHINES + 1];
	uint8_t token[256][TOKEN_SIZE]; /* of the machine's last answer with a job */
	int64_t now;  /* Unix time, at first NOW */
};

/** Makes one of an empty database, for cmocka. */
int set_up(void **state);
int tear_down(void **state);
/** Lets the slots have the answers of a server and writer that were started just now. */
void take_replies(struct bench *bench);
/** Encodes a question. */
void fill(struct datagram *d, const struct message *message);
/** Puts a message of machine @number into the batch's slot @slot. */
struct datagram *put(struct bench *bench, size_t slot, uint8_t type, uint8_t number,
                     uint8_t boot);
/** Returns when a job was made; if it is not there, when it would be. */
int64_t assigned_of(struct bench *bench, uint64_t job);
/**
 * Puts a report of a job of the machine @number, one of those that there are at the start, into
 * slot @slot, with the token that its boot @boot was given for @attempt.
 */
struct datagram *put_report(struct bench *bench, size_t slot, uint8_t number, uint64_t job,
                            uint8_t boot, uint32_t attempt, uint8_t state);
struct timestamp at(int64_t now);
/** Serves the first @count slots, now or at @timestamp. */
void serve(struct bench *bench, size_t count);
void serve_at(struct bench *bench, size_t count, const struct timestamp *timestamp);
/** Slot @slot must hold an answer to its question. */
void decode(const struct bench *bench, size_t slot, struct message *reply);
/** Asks one question and decodes the answer. */
void ask(struct bench *bench, uint8_t type, uint8_t number, uint8_t boot,
         struct message *reply);
/** Has the boot that asked last accept the job that it was offered. Returns the receipt's state. */
uint8_t accept_job(struct bench *bench, uint8_t number, uint64_t job, uint8_t boot);
/** The attempt that a machine's request is answered with, which it accepts; 0: local boot. */
uint32_t attempt(struct bench *bench, uint8_t number, uint8_t boot);
/** What the machine's agent is answered. */
struct details details_of(struct bench *bench, uint8_t number);
/** Says whether "key=value" is among them. */
bool has_detail(const struct details *details, const char *detail);
/** The agent reports on the job that it was offered. */
void report(struct bench *bench, uint8_t number, uint8_t state);
/** What all threads have counted. */
struct counters counted(const struct bench *bench);
uint64_t drops(const struct bench *bench);
uint64_t answers(const struct bench *bench);
/** Another program's look at the file: what is there has been committed. */
void check_committed(struct bench *bench, uint8_t number, enum job_state state,
                     uint32_t attempts);
/** Returns the first number that a query has; -1: none. */
int64_t number_of(struct bench *bench, const char *sql);
/** Changes the file behind the server's back. */
void meddle(struct bench *bench, const char *sql);

/** The SQL of a bundle to begin with. */
#define BUNDLE \
	"INSERT INTO bundle VALUES (1, 'img', 'imaging', '*', 'own.efi', 'b.cfg', ''," \
	" x'696d6167653d622e696d6700', 0, 0, 1, 'agent', '', '');"

#endif
