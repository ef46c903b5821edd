/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

/*
 * A platform without a machine: a clock that moves when the core rests, and with the
 * calls that take time on machines; a network that is a list of datagrams and the times
 * at which they arrive; and a record of everything that the core did.
 */

#define FAKE_MAX 64

struct fake_datagram {
	uint32_t at;          /* when it can be received, or was sent, ms */
	struct endpoint peer; /* the sender, or the receiver */
	uint8_t data[1500];
	size_t length;
};

struct fake {
	struct platform platform; /* first: the operations cast back */
	uint32_t clock;
	struct {               /* how long each call takes, ms */
		uint32_t fetch, key, disk, write;
	} takes;

	struct fake_datagram inbox[FAKE_MAX];
	size_t inbox_count, inbox_taken;
	struct fake_datagram sent[FAKE_MAX];
	size_t sent_count;
	int send_result, open_result;
	bool socket_open;
	uint16_t ports[FAKE_MAX]; /* that were opened, in order */
	size_t port_count;
	/* Called for each datagram sent, to answer it; may be NULL. */
	void (*server)(struct fake *fake, const struct fake_datagram *question);
	void *server_data;
	struct { /* what fake_answer() does with reports of a state, enum report_state */
		uint8_t none, refused;
		uint64_t wrong_job;
	} receipts;

	char fetched[256];     /* the names asked for, "multicast:" before if so, a blank behind */
	int fetch_result, prepare_result, chain_result;
	const char *missing;   /* the one file that the server does not have; NULL: none */
	const char *empty;     /* the one file that is empty; NULL: none */
	const char *menu_text; /* the text of every file "*.txt"; NULL: there is no such file */
	bool socket_was_open;  /* during fetch() or chain(), which PXE forbids */
	uint8_t record[POWER_ON_SIZE], chained_record[POWER_ON_SIZE]; /* now; while chaining */
	int recall_result;
	char chained_config[FILE_SIZE], chained_prefix[FILE_SIZE];
	uint8_t chained_server[4];
	const void *prepared;  /* the image that chain() may be given; NULL: none */
	unsigned int chains, local_boots;
	enum local_boot method;
	unsigned int reboots, power_offs;
	bool watchdog_fresh;   /* armed since the last fetch */

	struct {               /* key presses, in order; each can be read from @at ms on */
		uint32_t at;
		int key;
	} keys[FAKE_MAX];
	size_t key_count, keys_taken;
	int babble;            /* a key that is always there to read; 0: none */
	size_t typed;          /* keys that were read and are still in the firmware's buffer */
	bool leftover;         /* some were there when another program got the machine */
	struct {               /* when a loader got it, or it was to go off: */
		uint32_t at;
		size_t sent;   /* how much */
	} left;
	uint8_t shift;         /* the shift keys that are held, from shift_from to shift_to, ms */
	uint32_t shift_from, shift_to;
	bool shift_unknown;    /* the firmware reports no shift state */

	uint8_t *disk;         /* machine.disks[0], of disk_size bytes; NULL: there is none */
	size_t disk_size;
	char console[8192];
};

/** Makes a fake BIOS machine at 10.0.0.9 with its boot server at 10.0.0.1. */
void fake_start(struct fake *fake);

/** Adds a datagram that can be received from @ms on; the caller adds them in order. */
void fake_deliver(struct fake *fake, uint32_t ms, struct endpoint from, const void *data,
                  size_t length);

/** Encodes @message and delivers it. */
void fake_deliver_message(struct fake *fake, uint32_t ms, struct endpoint from,
                          const struct message *message);

/**
 * For fake->server: answers each request with the message at fake->server_data, and
 * each report with a receipt.
 */
void fake_answer(struct fake *fake, const struct fake_datagram *datagram);

/** Returns the event of @code that was sent; fails the test if there is none. */
struct event fake_event(const struct fake *fake, enum event_code code);

/** Returns how many messages of @type were sent. */
size_t fake_questions(const struct fake *fake, enum message_type type);

#endif
