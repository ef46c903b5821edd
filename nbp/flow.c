/* SPDX-License-Identifier: BSD-2-Clause */
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
 * BIOS, 4 s on UEFI. */
#define ASK_MS_BIOS 2700
#define ASK_MS_UEFI 3500

/* Renewed before each step that a firmware might never come back from. */
#define WATCHDOG_SECONDS 120

#define LINGER_MS 100

#define STALE_KEYS_MAX 64 /* more than any firmware keeps: a serial line that babbles */

#define MENU_FILE "pxemenu.txt"

/* What to do in the end. */
enum way {
	WAY_LOCAL,
	WAY_JOB,      /* what the answer says */
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
	uint32_t begun = p->now(p);
	int rc;

	log_line(p, "asking %pI4:%u", exchange->servers[0].address,
	         (uint32_t)exchange->servers[0].port);
	trail_step(p, &boot->trail, EVENT_ASKED, "%pI4", exchange->servers[0].address);
	exchange->turn = watch_hotkey;
	exchange->turn_data = &boot->hotkey;
	rc = boot_ask(boot, deadline, MESSAGE_ANSWER, &boot->answer);
	boot->answered = p->now(p);
	if (rc == ERR_TIMEOUT)
		log_line(p, "no answer in %u ms (%u sent, %u dropped)", boot->answered - begun,
		         exchange->sent - exchange->before, exchange->dropped);
	else if (rc)
		log_line(p, "question: %s", error_text(rc));
	return rc;
}

static enum way read_answer(struct boot *boot)
{
	const struct answer *answer = &boot->answer.u.answer;
	const struct endpoint *server = &boot->exchange.servers[boot->exchange.answered_by];
	bool job = answer->decision == DECISION_JOB;

	if (job)
		log_line(boot->p, "answer from %pI4: work %" PRIu64 ", attempt %u: %s%s%s",
		         server->address, answer->job, (uint32_t)answer->attempt,
		         answer->loader, answer->config[0] ? " with " : "", answer->config);
	else
		log_line(boot->p, "answer from %pI4: %s%sno work", server->address, answer->device,
		         answer->device[0] ? ": " : "");
	boot->local_boot = (enum local_boot)answer->local_boot;
	boot->trail.server = server;
	boot->job = answer->job;
	boot->reason = "no work";
	trail_step(boot->p, &boot->trail, EVENT_ANSWERED, job ? "work" : "no work");
	trail_send(boot->p, &boot->trail, boot->job);
	return job ? WAY_JOB : WAY_LOCAL;
}

/* F9: fetches the menu and has somebody choose. */
static int show_menu(struct boot *boot, struct menu_choice *choice)
{
	struct menu menu;
	const struct answer *answer = &boot->answer.u.answer;
	const char *file = answer->menu_file, *name;
	struct menu_error error;
	struct image image;
	int rc = boot_fetch(boot, file[0] ? file : MENU_FILE, &image);

	if (rc) {
		boot_file_failed(boot, rc);
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
	trail_send(boot->p, &boot->trail, boot->job);
	/* Nobody is there, whatever called it: a stray key is no choice of local boot. */
	menu_run(boot->p, &menu, answer->menu_mode == MENU_ALWAYS ? MENU_LOCAL : MENU_AUTO,
	         choice);
	name = choice->name;
	text_format(boot->said, sizeof(boot->said), name[0] ? "%s was %s at the menu" : "menu: %s%s",
	            name, choice->reason);
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
		return answer->decision == DECISION_JOB ? WAY_JOB : WAY_LOCAL;
	log_line(boot->p, "the answer is too old");
	if (ask(boot, now + patience) != 0) {
		boot->reason = "no answer";
		return WAY_LOCAL;
	}
	return read_answer(boot);
}

/* Turns the entry chosen into an answer of its own, which belongs to no job. */
static enum way do_chosen(struct boot *boot, const struct menu_choice *choice)
{
	struct answer *answer = &boot->answer.u.answer;

	boot->job = 0;
	memset(answer, 0, sizeof(*answer));
	memcpy(answer->loader, choice->loader, sizeof(answer->loader));
	memcpy(answer->config, choice->config, sizeof(answer->config));
	memcpy(answer->prefix, choice->prefix, sizeof(answer->prefix));
	return WAY_JOB;
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
	default:
		boot->reason = boot->said;
		return WAY_LOCAL;
	}
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
	return detect_servers(p, request, &boot->dhcp, &boot->exchange);
}

/* Gives the NIC time for what was just sent, before the power goes. */
static void linger(struct platform *p)
{
	uint32_t begun = p->now(p);

	while (p->now(p) - begun < LINGER_MS)
		p->idle(p);
}

/* Comes back, if at all, for local boot; why, is in boot->reason. */
static void run(struct boot *boot)
{
	struct platform *p = boot->p;
	uint32_t patience = p->machine.firmware == FIRMWARE_BIOS ? ASK_MS_BIOS : ASK_MS_UEFI;
	enum way way;

	boot->reason = "no answer";
	if (detect(boot) != 0 || ask(boot, patience) != 0)
		return;
	way = menu(boot, read_answer(boot), patience);
	if (way == WAY_JOB)
		boot_job(boot);
	if (way != WAY_REBOOT && way != WAY_POWER_OFF)
		return;
	trail_send(p, &boot->trail, boot->job);
	linger(p);
	if (way == WAY_REBOOT)
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
		run(&boot);
		log_line(p, "local boot"); /* F11 */
		trail_step(p, &boot.trail, EVENT_LOCAL, "%s", boot.reason);
		trail_send(p, &boot.trail, boot.job);
	}
	boot_remember(p, NULL);
	p->forget_keys(p);
	p->boot_local(p, boot.local_boot);
}
