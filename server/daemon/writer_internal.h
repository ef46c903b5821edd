/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_INTERNAL_H
#define SERVER_DAEMON_WRITER_INTERNAL_H

#include "server/daemon/serve.h"
#include "server/policy/evaluate.h"
#include "server/policy/token.h"
#include "server/store/store.h"
#include "server/store/unknown.h"

/* What the parts of the writer share: the batch, its transaction, and what they keep of both. Its
 * users need the size of struct writer alone. */

#define WRITER_BATCH    256
#define WRITER_SWEEP    128  /* overdue jobs that are ended in one transaction */
#define WRITER_DEFERRED 1024 /* messages that wait while another program writes */

#define WRITER_CUT 1 /* the message is to be evaluated again, in the next part of the batch */

/* The kinds of transactions: each can do what those before it can. */
enum transaction {
	TRANSACTION_READ,    /* takes no lock for writing */
	TRANSACTION_RELAXED, /* the commit does not wait for the disk */
	TRANSACTION_DURABLE,
};

/* A message, and its reply as that is worked out. */
struct pending {
	struct datagram *datagram;
	struct message question;
	struct sender sender;
	struct identification who;
	struct evaluation evaluation; /* of a request: a new job, and whether an unknown machine is
	                                 admitted */
	struct decision decision;
	enum journal_kind kind;       /* of line */
	char line[LOG_LINE];          /* for the log; empty: none */
	bool has_history;
	struct history_entry history; /* if has_history */
};

/* What the transaction of the part at work has changed, and the index does not have yet. */
struct part {
	uint64_t devices[2 * WRITER_BATCH]; /* devices that it has changed */
	size_t device_count;
	struct identity identities[2 * WRITER_BATCH]; /* machines that may be other devices now */
	size_t identity_count;
	char admitted[WRITER_BATCH][NAME_SIZE];       /* names of new devices */
	size_t admitted_count;
	bool binds;                         /* a machine was bound to a device */
};

struct writer {
	struct server *server;
	struct store store;
	struct counters counters;
	uint8_t secret[TOKEN_SECRET_SIZE]; /* of the tokens */
	struct timestamp timestamp;        /* of the batch or the periodic task at work */

	/* The batch. */
	struct datagram *batch;            /* WRITER_BATCH of each */
	struct pending *pendings;
	struct history_entry *history;
	enum transaction transaction;      /* that is open */
	enum transaction wanted;           /* that the next part is to have */
	struct part part;
	struct unknown unknown;            /* the sender, if that is unknown */
	int barred;                        /* why nothing is written in this turn: ERR_; 0: it may
	                                      be */
	bool joined;                       /* a multicast session was joined */

	/* Messages whose reply takes a write, while another program holds the lock for that. */
	struct datagram *deferred;         /* WRITER_DEFERRED, the oldest first */
	size_t deferred_count;
	bool locked;                       /* the lock is held, and the log has a line that says
	                                      so */
	bool history_waits;                /* it was held when history was to be stored last */

	/* The files of the database. */
	dev_t device;                      /* that the file is on */
	ino_t beside[2];                   /* the files "-wal" and "-shm" beside it */
	off_t log_size;                    /* of "-wal", when it was looked at last */
	bool replaced;                     /* writer_replaced() has logged so */
	bool keep_log;                     /* "-wal" is not to be put into the database at the
	                                      end */

	/* Periodic tasks. */
	struct {
		bool known;
		int64_t offset;            /* of the clock from the time since the machine's start,
		                              s */
		int64_t boot;              /* the latter, when the clock was looked at last */
		int64_t steady;            /* by that: when to go by the clock again for what is
		                              old */
		int64_t shift;             /* that the times of jobs are still to be moved by */
		bool waits;                /* they could not be moved */
	} clock;
	uint64_t pruned;                   /* old jobs were looked for up to this number */
	int64_t prune_next;                /* when to look from the first on again, Unix time */
	uint64_t not_admitted_logged;
	int64_t not_admitted_next;         /* when the log may say so again, monotonic ns */
	struct counters stored;            /* counters as the database has them */
	bool counted;                      /* the database has only counters of this run */
	bool followed;                     /* changes were read since they were last deleted */
	struct job overdue[WRITER_SWEEP];

	/* Sends replies, and returns how many were not taken: socket_send(), but in tests. */
	size_t (*send)(struct datagram *batch, size_t count);
};

#endif
