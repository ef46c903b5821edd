/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole boot, in the order of nbp/boot.md: find out what machine this is and which server
 * to ask, ask it, show the menu if somebody wants it, then start a loader or boot the local
 * disk. The last two functions, run_boot() and flow_run(), have the whole of it: read them
 * first.
 */
#include "nbp/flow.h"

#include "nbp/boot.h"
#include "nbp/detect.h"
#include "nbp/log.h"
#include "nbp/menu_view.h"
#include "nbp/nonce.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

/* How long to ask, in ms: local boot must begin 3 s after the NBP's start on
 * BIOS, 4 s on UEFI, or after it got an address. */
#define ASK_MS_BIOS 2700
#define ASK_MS_UEFI 3500

/* The watchdog is renewed before each step in which a firmware might hang. */
#define WATCHDOG_SECONDS 120

#define SENDING_MS 100 /* for the NIC to send the last datagrams */

#define STALE_KEYS_MAX 64 /* more than any firmware keeps; a noisy serial line has no end */

#define MENU_FILE "pxemenu.txt"

/* What the boot ends with. */
enum action {
	ACTION_LOCAL,
	ACTION_EXECUTE, /* start the loader of boot->answer */
	ACTION_REBOOT,
	ACTION_POWER_OFF,
};

/* --- before the boot ------------------------------------------------------- */

static void greet(struct platform *p)
{
	char line[64];
	size_t length = text_format(line, sizeof(line), "OpenPreboot %s, %s\n", VERSION, p->name);

	p->write(p, line, length);
}

/* Says whether an NBP has run in this power-on before, and so made its decision. */
static bool decided_before(struct platform *p)
{
	uint8_t record[POWER_ON_SIZE];
	struct power_on before;

	return p->recall(p, record) == 0 && power_on_decode(&before, record) == 0;
}

/* Drops keys typed before the NBP started: they were meant for another program. */
static void drain_keys(struct platform *p)
{
	for (int i = 0; i < STALE_KEYS_MAX && p->key(p) != KEY_NONE; i++)
		continue;
}

/* --- the machine and its servers ------------------------------------------- */

/* Names the outcome of detect_identity() for the server's trace. */
static const char *identity_text(int rc, const char *name)
{
	if (rc == 0)
		return name;
	return rc == ERR_NOT_FOUND ? "no image-safe data" : error_text(rc);
}

/* Finds out what machine this is, and which servers to ask. */
static int detect(struct boot *boot)
{
	struct platform *p = boot->p;
	struct request *request = &boot->question.u.request;
	char name[NAME_SIZE];
	int rc;

	boot_step(boot, EVENT_STARTED, p->name);
	if (p->connect)
		p->connect(p);
	boot->question.type = MESSAGE_REQUEST;
	detect_hardware(p, request);
	boot_step(boot, EVENT_HARDWARE, request->product);
	rc = detect_identity(p, request, name);
	boot_step(boot, EVENT_IDENTITY, identity_text(rc, name));
	nonce_make(p, boot->question.nonce);
	return detect_servers(p, request, &boot->dhcp, &boot->exchange);
}

/* --- asking ---------------------------------------------------------------- */

static void watch_hotkey(struct platform *p, void *hotkey)
{
	hotkey_watch(p, hotkey);
}

/* Asks the servers what this machine is to do, until @deadline. */
static int ask_servers(struct boot *boot, uint32_t deadline)
{
	struct platform *p = boot->p;
	struct exchange *exchange = &boot->exchange;
	uint32_t begun = p->now(p);
	int rc;

	log_line(p, "asking %pI4:%u", exchange->servers[0].address,
	         (uint32_t)exchange->servers[0].port);
	trail_step(p, &boot->trail, EVENT_ASKED, "%pI4", exchange->servers[0].address);
	exchange->turn = watch_hotkey;
	exchange->turn_data = &boot->hotkey;
	rc = boot_ask(boot, deadline, &message_request, &boot->answer);
	boot->answered = p->now(p);
	if (rc == ERR_TIMEOUT)
		log_line(p, "no answer in %u ms (%u sent, %u dropped)", boot->answered - begun,
		         exchange->sent - exchange->before, exchange->dropped);
	else if (rc)
		log_line(p, "request: %s", error_text(rc));
	return rc;
}

/* Prints and reports the answer; returns the action it calls for. */
static enum action read_answer(struct boot *boot)
{
	const struct answer *answer = &boot->answer.u.answer;
	const struct endpoint *server = &boot->exchange.servers[boot->exchange.answered_by];
	bool job = answer->decision == DECISION_JOB;

	if (job)
		log_line(boot->p, "answer from %pI4: job %" PRIu64 ", attempt %u: %s%s%s",
		         server->address, answer->job, (uint32_t)answer->attempt,
		         answer->loader, answer->config[0] ? " with " : "", answer->config);
	else
		log_line(boot->p, "answer from %pI4: %s%sno job", server->address, answer->device,
		         answer->device[0] ? ": " : "");
	boot->local_boot = (enum local_boot)answer->local_boot;
	boot->trail.server = server;
	boot->job = answer->job;
	boot->reason = "no job";
	boot_step(boot, EVENT_ANSWERED, job ? "job" : "no job");
	boot_send_steps(boot);
	return job ? ACTION_EXECUTE : ACTION_LOCAL;
}

/* --- the menu -------------------------------------------------------------- */

/*
 * Fetches the menu file and parses it into @menu. A menu that cannot be fetched or
 * read is skipped: that is no reason to leave a job undone.
 */
static int fetch_menu(struct boot *boot, struct menu *menu)
{
	const char *file = boot->answer.u.answer.menu_file;
	struct menu_error error;
	struct image image;
	int rc = boot_fetch(boot, file[0] ? file : MENU_FILE, &image);

	if (rc) {
		text_format(boot->said, sizeof(boot->said), "menu %s: %s", boot->name,
		            error_text(rc));
	} else {
		rc = menu_parse(image.data, image.length, menu, &error);
		if (rc)
			text_format(boot->said, sizeof(boot->said), "menu %s:%u:%u: expected %s",
			            boot->name, (uint32_t)error.line, (uint32_t)error.column,
			            error.message);
	}
	if (rc) {
		log_line(boot->p, "%s, going on", boot->said);
		boot_step(boot, EVENT_ERROR, boot->said);
	}
	return rc;
}

/* Shows @menu until somebody has chosen from it or a limit has passed. */
static void show_menu(struct boot *boot, const struct menu *menu, struct menu_choice *choice)
{
	const struct answer *answer = &boot->answer.u.answer;
	const char *name = choice->name;

	boot_step(boot, EVENT_MENU, boot->name);
	boot_send_steps(boot);
	/* A stray key may have called the menu, and if nobody presses another one, nobody
	 * has chosen local boot. */
	menu_run(boot->p, menu, answer->menu_mode == MENU_ALWAYS ? MENU_LOCAL : MENU_AUTO, choice);
	text_format(boot->said, sizeof(boot->said),
	            name[0] ? "%s was %s at the menu" : "menu: %s%s", name, choice->reason);
	if (!name[0]) /* Nothing was chosen: a limit passed, or nobody knew the password. */
		name = choice->action == MENU_AUTO ? "skipped" : "local boot";
	log_line(boot->p, "menu: %s (%s)", name, choice->reason);
	trail_step(boot->p, &boot->trail, EVENT_CHOSEN, "%s (%s)", name, choice->reason);
}

/*
 * Goes on as though there had been no menu. If the answer has expired meanwhile, asks again,
 * for @ask_ms.
 */
static enum action resume(struct boot *boot, uint32_t ask_ms)
{
	const struct answer *answer = &boot->answer.u.answer;
	uint32_t now = boot->p->now(boot->p);

	if (answer->valid_for == 0 || now - boot->answered < answer->valid_for * 1000u)
		return answer->decision == DECISION_JOB ? ACTION_EXECUTE : ACTION_LOCAL;
	log_line(boot->p, "the answer has expired");
	if (ask_servers(boot, now + ask_ms) != 0) {
		boot->reason = "no answer";
		return ACTION_LOCAL;
	}
	return read_answer(boot);
}

/* Makes an answer of the chosen entry; it belongs to no job, and files come as before. */
static enum action execute_entry(struct boot *boot, const struct menu_choice *choice)
{
	struct answer *answer = &boot->answer.u.answer;
	uint8_t multicast = answer->tftp_multicast;

	boot->job = 0;
	memset(answer, 0, sizeof(*answer));
	answer->tftp_multicast = multicast;
	memcpy(answer->loader, choice->loader, sizeof(answer->loader));
	memcpy(answer->config, choice->config, sizeof(answer->config));
	memcpy(answer->prefix, choice->prefix, sizeof(answer->prefix));
	return ACTION_EXECUTE;
}

/*
 * Shows the menu if policy or a person at the machine wants it. Returns the action
 * chosen there, or @action, what the answer calls for.
 */
static enum action offer_menu(struct boot *boot, enum action action, uint32_t ask_ms)
{
	struct answer *answer = &boot->answer.u.answer;
	struct menu_choice choice;
	struct menu menu;

	if (answer->menu_mode != MENU_ALWAYS &&
	    (answer->menu_mode != MENU_HOT_KEY ||
	     !hotkey_pressed(boot->p, &boot->hotkey, answer)))
		return action;
	if (fetch_menu(boot, &menu) != 0)
		return action;
	show_menu(boot, &menu, &choice);
	switch (choice.action) {
	case MENU_AUTO: return resume(boot, ask_ms);
	case MENU_EXECUTE: return execute_entry(boot, &choice);
	case MENU_REBOOT: return ACTION_REBOOT;
	case MENU_POWER_OFF: return ACTION_POWER_OFF;
	default:
		boot->reason = boot->said;
		return ACTION_LOCAL;
	}
}

/* --- the whole boot -------------------------------------------------------- */

/* Gives the NIC time to send the last datagrams before the machine restarts or goes off. */
static void wait_for_sending(struct platform *p)
{
	uint32_t begun = p->now(p);

	while (p->now(p) - begun < SENDING_MS)
		p->idle(p);
}

/* Runs the boot up to local boot. If it returns, boot->reason says why the disk boots. */
static void run_boot(struct boot *boot)
{
	struct platform *p = boot->p;
	uint32_t ask_ms = p->machine.firmware == FIRMWARE_BIOS ? ASK_MS_BIOS : ASK_MS_UEFI;
	enum action action;

	boot->reason = "no answer";
	if (detect(boot) != 0 || ask_servers(boot, p->machine.network_ready + ask_ms) != 0)
		return;
	action = offer_menu(boot, read_answer(boot), ask_ms);
	if (action == ACTION_EXECUTE)
		boot_execute(boot);
	if (action != ACTION_REBOOT && action != ACTION_POWER_OFF)
		return;
	boot_send_steps(boot);
	wait_for_sending(p);
	if (action == ACTION_REBOOT)
		p->reboot(p);
	else
		p->power_off(p);
	boot->reason = "the firmware did not switch off";
}

void flow_run(struct platform *p)
{
	struct boot boot = { .p = p };

	boot.trail.question = &boot.question;
	greet(p);
	p->watchdog(p, WATCHDOG_SECONDS);
	if (decided_before(p)) {
		log_line(p, "local boot: decided before in this power-on");
	} else {
		drain_keys(p);
		run_boot(&boot);
		log_line(p, "local boot");
		boot_step(&boot, EVENT_LOCAL, boot.reason);
		boot_send_steps(&boot);
	}
	boot_remember(p, NULL);
	p->forget_keys(p);
	p->boot_local(p, boot.local_boot);
}
