/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_BOOT_H
#define NBP_BOOT_H

#include "nbp/dhcp.h"
#include "nbp/exchange.h"
#include "nbp/hotkey.h"
#include "nbp/platform.h"
#include "nbp/proto/message.h"
#include "nbp/trail.h"

/* One boot on its way; flow.c tells the story, boot.c has its steps with work. */

struct boot {
	struct platform *p;
	struct dhcp_lease dhcp;
	struct exchange exchange;
	struct hotkey hotkey;
	struct trail trail;
	struct message question;
	struct message answer;
	enum local_boot local_boot; /* of the last answer that came */
	uint32_t answered;          /* when, ms */
	uint64_t job;              /* the job that steps from now on belong to; 0: none */
	const char *reason;         /* of a local boot */
	char said[64];              /* of @reason, what the menu has of it */
	char name[2 * FILE_SIZE];   /* of the file last fetched by TFTP, or tried */
};

/**
 * Sends boot->question to its servers until one of them answers with a message
 * of @answer_type, @deadline comes, or it cannot be sent.
 */
int boot_ask(struct boot *boot, uint32_t deadline, uint8_t answer_type, struct message *answer);

/**
 * Fetches a file from the boot server. A relative name is taken from the folder
 * that the NBP came from. Says what it loaded.
 */
int boot_fetch(struct boot *boot, const char *file, struct image *image);

/** Something with the file last fetched failed: says so here and to the server. */
void boot_file_failed(struct boot *boot, int rc);

/**
 * Leaves a record for whatever runs after us in this power-on. A port calls it too,
 * where a processor fault ended the flow.
 * @handed_over: whose work a loader is given; NULL: the local disk is to boot
 */
void boot_remember(struct platform *p, const struct boot *handed_over);

/**
 * Does the answer's work: has the server count it, makes sure of the files, and
 * gives the machine to the loader. Comes back only if that failed; why, is in
 * boot->reason.
 */
void boot_job(struct boot *boot);

#endif
