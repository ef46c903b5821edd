/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_BOOT_H
#define NBP_BOOT_H

#include "nbp/dhcp.h"
#include "nbp/exchange.h"
#include "nbp/hotkey.h"
#include "nbp/platform.h"
#include "nbp/proto/message.h"
#include "nbp/trail.h"

/*
 * The state of one boot. flow.c runs the boot from start to end; boot.c has the steps that
 * start a loader.
 */

struct boot {
	struct platform *p;
	const char *reason;         /* why the local disk boots */
	uint64_t job;               /* the job that steps from now on belong to; 0: none */
	uint32_t answered;          /* when the last answer came, ms */
	enum local_boot local_boot; /* by the last answer */
	struct hotkey hotkey;
	struct exchange exchange;
	struct dhcp_lease dhcp;
	char said[160];             /* buffer for a reason or an error that is put together */
	char name[2 * FILE_SIZE];   /* the file last fetched by TFTP, or tried */
	struct trail trail;
	struct message answer;
	struct message question;
};

/** Adds a step with the time now to the trail; @text: what it was about. */
void boot_step(struct boot *boot, enum event_code code, const char *text);

/** Sends the steps of the trail to the server, as those of boot->job. */
void boot_send_steps(struct boot *boot);

/**
 * Sends boot->question, whose layout is @layout, to its servers until one of them answers it,
 * @deadline comes, or it cannot be sent.
 */
int boot_ask(struct boot *boot, uint32_t deadline, const struct message_layout *layout,
             struct message *answer);

/**
 * Fetches a file from the boot server, by multicast if the answer says so, and prints what it
 * loaded. A relative name counts from the folder that the NBP came from.
 */
int boot_fetch(struct boot *boot, const char *file, struct image *image);

/**
 * Leaves a record for programs that run later in this power-on. A port calls it too,
 * where a processor fault ended the boot.
 * @handed_over: the boot whose loader gets the machine; NULL: the local disk boots
 */
void boot_remember(struct platform *p, const struct boot *handed_over);

/**
 * Starts the loader of boot->answer: accepts the job, if it is one, fetches the
 * files, and gives the machine to the loader. Returns only if that failed;
 * boot->reason says why.
 */
void boot_execute(struct boot *boot);

#endif
