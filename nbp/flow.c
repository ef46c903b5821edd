/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include "detect.h"
#include "error.h"
#include "exchange.h"
#include "hotkey.h"
#include "log.h"
#include "memory.h"
#include "menu_view.h"
#include "message.h"
#include "nonce.h"
#include "power_on.h"
#include "text.h"
#include "trail.h"

/* How long to ask, in ms: local boot must begin 3 s after the NBP's start on
 * BIOS, 4 s on UEFI. */
#define ASK_MS_BIOS 2700
#define ASK_MS_UEFI 3500

/* Renewed before each step that a firmware might never come back from. */
#define WATCHDOG_SECONDS 120

#define LINGER_MS 100

#define STALE_KEYS_MAX 64 /* more than any firmware keeps: a serial line that babbles */

#define MENU_FILE "pxemenu.txt"

/* What one boot gathers on its way. */
struct boot {
	struct platform *p;
	struct dhcp_lease lease;
	struct exchange exchange;
	struct hotkey hotkey;
	struct trail trail;
	struct message question;
	struct message answer;
	enum local_boot local_boot;  /* of the last answer that came */
	uint32_t answered;           /* when, ms */
	char name[2 * FILE_SIZE];    /* of the file to fetch by TFTP */
};

/* What to do in the end. */
enum way {
	WAY_LOCAL,
	WAY_WORK,      /* what the answer says */
	WAY_REBOOT,
	WAY_POWER_OFF,
};

static void greet(struct platform *p)
{
	char line[64];
	size_t length = text_format(line, sizeof(line), "OpenPreboot %s, %s\n", VERSION, p->name);

	p->write(p, line, length);
}

/* Says whether an NBP that ran before us in this power-on has decided it all. */
static bool decided_before(struct platform *p)
{
	uint8_t record[POWER_ON_SIZE];
	struct power_on before;

	return p->recall(p, record) == 0 && power_on_decode(&before, record) == 0;
}

/* Tells whoever comes after us in this power-on how it was decided. */
static void remember(struct boot *boot, enum power_on_state state)
{
	struct power_on power_on = { .state = (uint8_t)state };
	uint8_t record[POWER_ON_SIZE];

	if (state == POWER_ON_HANDED_OVER)
		memcpy(power_on.server,
		       boot->exchange.servers[boot->exchange.answered_by].address,
		       sizeof(power_on.server));
	power_on_encode(&power_on, record);
	boot->p->remember(boot->p, record);
}

/* Keys typed before we came were meant for somebody else. */
static void drain_keys(struct platform *p)
{
	for (int i = 0; i < STALE_KEYS_MAX && p->key(p) != KEY_NONE; i++)
		continue;
}

static void watch_hotkey(struct platform *p, void *hotkey)
{
	hotkey_watch(p, hotkey);
}

/* F7, F8, F10: asks what this machine is to do, until @deadline. */
static int ask(struct boot *boot, uint32_t deadline)
{
	struct platform *p = boot->p;
	struct exchange *exchange = &boot->exchange;
	const uint8_t *nonce = boot->question.nonce;
	uint32_t begun = p->now(p);
	/* A port that the nonce picks, so that nobody can foretell it. */
	int rc = p->udp_open(p, (uint16_t)(0xc000 | (nonce[0] << 8 | nonce[1])));

	if (rc) {
		log_line(p, "network: %s", error_text(rc));
		return rc;
	}
	log_line(p, "asking %I:%u", exchange->servers[0].address,
	         (uint32_t)exchange->servers[0].port);
	trail_step(p, &boot->trail, EVENT_ASKED, "%I", exchange->servers[0].address);
	exchange->deadline = deadline;
	exchange->turn = watch_hotkey;
	exchange->turn_data = &boot->hotkey;
	rc = exchange_ask(p, exchange, &boot->question, MESSAGE_ANSWER, &boot->answer);
	p->udp_close(p);
	boot->answered = p->now(p);
	if (rc == ERR_TIMEOUT)
		log_line(p, "no answer in %u ms (%u sent, %u dropped)", boot->answered - begun,
		         exchange->sent, exchange->dropped);
	else if (rc)
		log_line(p, "question: %s", error_text(rc));
	return rc;
}

static enum way read_answer(struct boot *boot)
{
	const struct answer *answer = &boot->answer.u.answer;
	const struct endpoint *server = &boot->exchange.servers[boot->exchange.answered_by];
	bool work = answer->decision == DECISION_WORK;

	if (work)
		log_line(boot->p, "answer from %I: work %U, attempt %u: %s with %s",
		         server->address, answer->lease, (uint32_t)answer->attempt,
		         answer->loader, answer->config);
	else
		log_line(boot->p, "answer from %I: %s%sno work", server->address, answer->device,
		         answer->device[0] ? ": " : "");
	boot->local_boot = (enum local_boot)answer->local_boot;
	boot->trail.server = server;
	trail_step(boot->p, &boot->trail, EVENT_ANSWERED, work ? "work" : "no work");
	trail_send(boot->p, &boot->trail, answer->lease);
	return work ? WAY_WORK : WAY_LOCAL;
}

/*
 * Fetches a file from the boot server. A relative name is taken from the folder
 * that the NBP came from, which is how PXELINUX will look for its own files.
 */
static int fetch(struct boot *boot, const char *file, struct image *image)
{
	const char *folder = boot->lease.boot_file;
	char prefix[sizeof(boot->lease.boot_file)];
	size_t length = file[0] == '/' ? 0 : strlen(folder);
	int rc;

	while (length && folder[length - 1] != '/')
		length--;
	memcpy(prefix, folder, length);
	prefix[length] = '\0';
	text_format(boot->name, sizeof(boot->name), "%s%s", prefix, file);
	boot->p->watchdog(boot->p, WATCHDOG_SECONDS);
	rc = boot->p->fetch(boot->p, boot->lease.boot_server, boot->name, image);
	if (rc == 0)
		log_line(boot->p, "loaded %s, %u bytes", boot->name, (uint32_t)image->length);
	return rc;
}

/* Something with the file last fetched failed: says so here and to the server. */
static void file_failed(struct boot *boot, int rc)
{
	log_line(boot->p, "%s: %s", boot->name, error_text(rc));
	trail_step(boot->p, &boot->trail, EVENT_ERROR, "%s: %s", boot->name, error_text(rc));
}

/* F9: fetches the menu and has somebody choose. */
static int show_menu(struct boot *boot, struct menu_choice *choice)
{
	struct menu menu;
	const char *file = boot->answer.u.answer.menu_file, *name;
	struct menu_error error;
	struct image image;
	int rc = fetch(boot, file[0] ? file : MENU_FILE, &image);

	if (rc) {
		file_failed(boot, rc);
		return rc;
	}
	rc = menu_parse(image.data, image.length, &menu, &error);
	if (rc) {
		log_line(boot->p, "%s:%u:%u: expected %s", boot->name, (uint32_t)error.line,
		         (uint32_t)error.column, error.message);
		trail_step(boot->p, &boot->trail, EVENT_ERROR, "%s:%u: expected %s", boot->name,
		            (uint32_t)error.line, error.message);
		return rc;
	}
	trail_step(boot->p, &boot->trail, EVENT_MENU, "%s", boot->name);
	trail_send(boot->p, &boot->trail, boot->answer.u.answer.lease);
	menu_run(boot->p, &menu, choice);
	name = choice->name;
	if (!name[0]) /* nothing was chosen: a limit passed, or nobody knew the password */
		name = choice->action == MENU_AUTO ? "passed over" : "local boot";
	log_line(boot->p, "menu: %s (%s)", name, choice->reason);
	trail_step(boot->p, &boot->trail, EVENT_CHOSEN, "%s (%s)", name, choice->reason);
	return 0;
}

/* Goes on as though there had been no menu; asks again if it showed for too long. */
static enum way go_on(struct boot *boot, uint32_t patience)
{
	const struct answer *answer = &boot->answer.u.answer;
	uint32_t now = boot->p->now(boot->p);

	if (answer->valid_for == 0 || now - boot->answered < answer->valid_for * 1000u)
		return answer->decision == DECISION_WORK ? WAY_WORK : WAY_LOCAL;
	log_line(boot->p, "the answer is too old");
	if (ask(boot, now + patience) != 0)
		return WAY_LOCAL;
	return read_answer(boot);
}

/* Turns the entry chosen into an answer of its own, which belongs to no lease. */
static enum way do_chosen(struct boot *boot, const struct menu_choice *choice)
{
	struct answer *answer = &boot->answer.u.answer;

	answer->lease = 0;
	memcpy(answer->loader, choice->loader, sizeof(answer->loader));
	memcpy(answer->config, choice->config, sizeof(answer->config));
	memcpy(answer->prefix, choice->prefix, sizeof(answer->prefix));
	return WAY_WORK;
}

/* F8, F9: shows the menu if policy or the person at the machine wants it. */
static enum way menu(struct boot *boot, enum way way, uint32_t patience)
{
	struct answer *answer = &boot->answer.u.answer;
	struct menu_choice choice;

	if (answer->menu_mode != MENU_ALWAYS &&
	    (answer->menu_mode != MENU_HOT_KEY ||
	     !hotkey_pressed(boot->p, &boot->hotkey, answer)))
		return way;
	if (show_menu(boot, &choice) != 0)
		return way; /* a menu that cannot be had is no reason to leave work undone */
	switch (choice.action) {
	case MENU_AUTO: return go_on(boot, patience);
	case MENU_EXECUTE: return do_chosen(boot, &choice);
	case MENU_REBOOT: return WAY_REBOOT;
	case MENU_POWER_OFF: return WAY_POWER_OFF;
	default: return WAY_LOCAL;
	}
}

/* F12: gives the machine to the loader. Comes back only if that failed. */
static void start_work(struct boot *boot)
{
	struct platform *p = boot->p;
	const struct answer *answer = &boot->answer.u.answer;
	struct handover handover = { answer->config, answer->prefix };
	struct image image;
	int rc = fetch(boot, answer->loader, &image);

	if (rc == 0) {
		trail_step(p, &boot->trail, EVENT_LOADED, "%s", boot->name);
		log_line(p, "handing over to %s", boot->name);
		trail_step(p, &boot->trail, EVENT_HANDOVER, "%s", boot->name);
		trail_send(p, &boot->trail, answer->lease);
		remember(boot, POWER_ON_HANDED_OVER);
		p->forget_keys(p);
		rc = p->chain(p, &image, &handover);
	}
	file_failed(boot, rc);
}

/* F6, F3: finds out what and who this machine is, and whom to ask. */
static int detect(struct boot *boot)
{
	struct platform *p = boot->p;
	struct request *request = &boot->question.u.request;
	char name[NAME_SIZE];
	int rc;

	trail_step(p, &boot->trail, EVENT_STARTED, "%s", p->name);
	boot->question.type = MESSAGE_REQUEST;
	detect_hardware(p, request);
	trail_step(p, &boot->trail, EVENT_HARDWARE, "%s", request->product);
	rc = detect_identity(p, request, name);
	trail_step(p, &boot->trail, EVENT_IDENTITY, "%s", rc ? error_text(rc) : name);
	nonce_make(p, boot->question.nonce);
	return detect_servers(p, request, &boot->lease, &boot->exchange);
}

/* Gives the NIC time for what was just sent, before the power goes. */
static void linger(struct platform *p)
{
	uint32_t begun = p->now(p);

	while (p->now(p) - begun < LINGER_MS)
		p->idle(p);
}

/* Comes back, if at all, with what to tell the server of the local boot. */
static const char *run(struct boot *boot)
{
	struct platform *p = boot->p;
	uint32_t patience = p->machine.firmware == FIRMWARE_BIOS ? ASK_MS_BIOS : ASK_MS_UEFI;
	enum way way;

	if (detect(boot) != 0 || ask(boot, patience) != 0)
		return "no answer";
	way = menu(boot, read_answer(boot), patience);
	if (way == WAY_LOCAL)
		return "no work";
	trail_send(p, &boot->trail, boot->answer.u.answer.lease);
	if (way != WAY_WORK)
		linger(p);
	switch (way) {
	case WAY_REBOOT: p->reboot(p); break;
	case WAY_POWER_OFF: p->power_off(p); break;
	default: start_work(boot);
	}
	return "what was to be done failed";
}

void flow_run(struct platform *p)
{
	struct boot boot = { .p = p };
	const char *reason;

	boot.trail.question = &boot.question;
	greet(p);
	p->watchdog(p, WATCHDOG_SECONDS);
	if (decided_before(p)) {
		log_line(p, "local boot: decided before in this power-on");
	} else {
		drain_keys(p);
		reason = run(&boot);
		log_line(p, "local boot"); /* F11 */
		trail_step(p, &boot.trail, EVENT_LOCAL, "%s", reason);
		trail_send(p, &boot.trail, boot.answer.u.answer.lease);
	}
	remember(&boot, POWER_ON_LOCAL);
	p->forget_keys(p);
	p->boot_local(p, boot.local_boot);
}
