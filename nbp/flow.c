/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include "dhcp.h"
#include "error.h"
#include "exchange.h"
#include "hardware.h"
#include "log.h"
#include "memory.h"
#include "message.h"
#include "nonce.h"
#include "text.h"

/* When to give up asking, in ms since the NBP's start; local boot must begin
 * 3 s after it on BIOS, 4 s on UEFI. */
#define ASK_UNTIL_BIOS 2700
#define ASK_UNTIL_UEFI 3500

/* What one boot gathers on its way. */
struct boot {
	struct platform *p;
	struct dhcp_lease lease;
	struct exchange exchange;
	struct message question;
	struct message answer;
	char loader[2 * FILE_SIZE]; /* its name on the TFTP server */
};

static void greet(struct platform *p)
{
	char line[64];
	size_t length = text_format(line, sizeof(line), "OpenPreboot %s, %s\n", VERSION, p->name);

	p->write(p, line, length);
}

/* F6: finds out what machine this is, and puts it into the question. */
static void detect_hardware(struct boot *boot)
{
	struct request *request = &boot->question.u.request;

	boot->question.type = MESSAGE_REQUEST;
	hardware_describe(boot->p, request);
	log_line(boot->p, "hardware: %s %s, %u MiB, %M", request->manufacturer, request->product,
	         request->memory_mib, request->identity.mac);
}

/* F3: learns from the firmware's DHCP packets whom to ask. */
static int find_servers(struct boot *boot)
{
	static const uint8_t none[16]; /* no UUID, no address */
	struct identity *identity = &boot->question.u.request.identity;
	struct dhcp_lease *lease = &boot->lease;
	int rc = dhcp_read(&boot->p->machine.dhcp, lease);

	if (rc) {
		log_line(boot->p, "no policy server: DHCP named neither it nor a boot server");
		return rc;
	}
	for (size_t i = 0; i < lease->policy_server_count; i++) {
		struct endpoint *server = &boot->exchange.servers[i];

		memcpy(server->address, lease->policy_servers[i], sizeof(server->address));
		server->port = POLICY_PORT;
	}
	boot->exchange.server_count = lease->policy_server_count;
	/* Only option 224 named a server: the loader is looked for there too. */
	if (memcmp(lease->boot_server, none, sizeof(lease->boot_server)) == 0)
		memcpy(lease->boot_server, lease->policy_servers[0], sizeof(lease->boot_server));
	/* Where SMBIOS has no UUID, the firmware may have told DHCP one. */
	if (memcmp(identity->uuid, none, sizeof(none)) == 0)
		memcpy(identity->uuid, lease->uuid, sizeof(identity->uuid));
	return 0;
}

/* Opens the socket on a port that the nonce picks, so that nobody can foretell it. */
static int open_socket(struct boot *boot)
{
	const uint8_t *nonce = boot->question.nonce;

	return boot->p->udp_open(boot->p, (uint16_t)(0xc000 | (nonce[0] << 8 | nonce[1])));
}

/* Tells the server of a step; nobody waits for it, or minds if it is lost. */
static void report(struct boot *boot, enum event_code code, const char *reason)
{
	struct platform *p = boot->p;
	struct message message = { .type = MESSAGE_EVENT };
	uint8_t datagram[MESSAGE_HEADER + 512];
	size_t length;

	memcpy(message.nonce, boot->question.nonce, sizeof(message.nonce));
	message.u.event.identity = boot->question.u.request.identity;
	message.u.event.code = (uint8_t)code;
	message.u.event.milliseconds = p->now(p) | 1; /* never 0, which means absent */
	message.u.event.lease = boot->answer.u.answer.lease;
	text_format(message.u.event.reason, sizeof(message.u.event.reason), "%s", reason);
	if (message_encode(&message, datagram, sizeof(datagram), &length) != 0 ||
	    open_socket(boot) != 0)
		return;
	p->udp_send(p, &boot->exchange.servers[boot->exchange.answered_by], datagram, length);
	p->udp_close(p);
}

/* F7, F8, F10: asks what this machine is to do. */
static int ask(struct boot *boot)
{
	struct platform *p = boot->p;
	struct exchange *exchange = &boot->exchange;
	uint32_t begun = p->now(p);
	int rc;

	nonce_make(p, boot->question.nonce);
	exchange->deadline = p->machine.firmware == FIRMWARE_BIOS ? ASK_UNTIL_BIOS : ASK_UNTIL_UEFI;
	rc = open_socket(boot);
	if (rc) {
		log_line(p, "network: %s", error_text(rc));
		return rc;
	}
	log_line(p, "asking %I:%u", exchange->servers[0].address,
	         (uint32_t)exchange->servers[0].port);
	rc = exchange_ask(p, exchange, &boot->question, MESSAGE_ANSWER, &boot->answer);
	p->udp_close(p);
	if (rc == ERR_TIMEOUT)
		log_line(p, "no answer in %u ms (%u sent, %u dropped)", p->now(p) - begun,
		         exchange->sent, exchange->dropped);
	else if (rc)
		log_line(p, "question: %s", error_text(rc));
	return rc;
}

static bool has_work(const struct boot *boot)
{
	const struct answer *answer = &boot->answer.u.answer;
	const uint8_t *server = boot->exchange.servers[boot->exchange.answered_by].address;

	if (answer->decision == DECISION_WORK)
		log_line(boot->p, "answer from %I: work %U, attempt %u: %s with %s", server,
		         answer->lease, (uint32_t)answer->attempt, answer->loader, answer->config);
	else
		log_line(boot->p, "answer from %I: %s%sno work", server, answer->device,
		         answer->device[0] ? ": " : "");
	return answer->decision == DECISION_WORK;
}

/*
 * Names the loader for TFTP: a relative name is taken from the folder that the
 * NBP came from, which is how PXELINUX will look for its own files.
 */
static void name_loader(struct boot *boot)
{
	const char *file = boot->answer.u.answer.loader;
	char *folder = boot->lease.boot_file;
	size_t length = strlen(folder);

	while (length && folder[length - 1] != '/')
		length--;
	folder[file[0] == '/' ? 0 : length] = '\0';
	text_format(boot->loader, sizeof(boot->loader), "%s%s", folder, file);
}

/* A step of the hand-over failed: says so here and to the server. */
static void hand_over_failed(struct boot *boot, int rc)
{
	char reason[REASON_SIZE];

	text_format(reason, sizeof(reason), "%s: %s", boot->loader, error_text(rc));
	log_line(boot->p, "%s", reason);
	report(boot, EVENT_ERROR, reason);
}

/* F12: gives the machine to the loader. Comes back only if that failed. */
static void start_work(struct boot *boot)
{
	struct platform *p = boot->p;
	const struct answer *answer = &boot->answer.u.answer;
	struct handover handover = { answer->config, answer->prefix };
	struct image image;
	int rc;

	name_loader(boot);
	rc = p->fetch(p, boot->lease.boot_server, boot->loader, &image);
	if (rc) {
		hand_over_failed(boot, rc);
		return;
	}
	log_line(p, "loaded %s, %u bytes", boot->loader, (uint32_t)image.length);
	log_line(p, "handing over to %s", boot->loader);
	report(boot, EVENT_HANDOVER, boot->loader);
	rc = p->chain(p, &image, &handover);
	hand_over_failed(boot, rc);
}

void flow_run(struct platform *p)
{
	struct boot boot = { .p = p };
	enum local_boot method = LOCAL_BOOT_DEFAULT;

	greet(p);
	detect_hardware(&boot);
	/* Image-safe data are read here, into the question. */
	if (find_servers(&boot) == 0 && ask(&boot) == 0) {
		method = (enum local_boot)boot.answer.u.answer.local_boot;
		/* The menu, F9, goes here: it may choose other work than the answer's, or none. */
		if (has_work(&boot)) {
			start_work(&boot);
			report(&boot, EVENT_LOCAL, "the work could not be started");
		} else {
			report(&boot, EVENT_LOCAL, "no work");
		}
	}
	log_line(p, "local boot"); /* F11 */
	p->boot_local(p, method);
}
