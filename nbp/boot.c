/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/boot.h"

#include "nbp/folder.h"
#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

#define WATCHDOG_SECONDS 120
#define REPORT_MS 1500 /* how long to wait for a receipt */

void boot_step(struct boot *boot, enum event_code code, const char *text)
{
	trail_step(boot->p, &boot->trail, code, "%s", text);
}

void boot_send_steps(struct boot *boot)
{
	trail_send(boot->p, &boot->trail, boot->job);
}

int boot_ask(struct boot *boot, uint32_t deadline, const struct message_layout *layout,
             struct message *answer)
{
	struct platform *p = boot->p;
	const uint8_t *nonce = boot->question.nonce;
	/* The nonce picks the port, so that nobody can foretell it. */
	int rc = p->udp_open(p, (uint16_t)(0xc000 | (nonce[0] << 8 | nonce[1])));

	if (rc)
		return rc;
	boot->exchange.deadline = deadline;
	rc = exchange_ask(p, &boot->exchange, layout, &boot->question, answer);
	p->udp_close(p);
	return rc;
}

/* --- reports ---------------------------------------------------------------- */

/* Keeps only the server that answered: the job is that server's. */
static void keep_server(struct boot *boot)
{
	struct exchange *exchange = &boot->exchange;

	exchange->servers[0] = exchange->servers[exchange->answered_by];
	exchange->server_count = 1;
	exchange->answered_by = 0;
	exchange->turn = NULL; /* from now on the hot key is not looked for */
	boot->trail.server = &exchange->servers[0];
}

/* Makes the question a report. Its identity lies where that of a request lies, for trail.c. */
static void make_report(struct boot *boot, enum report_state state)
{
	const struct answer *answer = &boot->answer.u.answer;
	struct report report = {
		.identity = boot->question.u.request.identity,
		.job = answer->job,
		.state = (uint8_t)state,
	};

	memcpy(report.token, answer->token, sizeof(report.token));
	boot->question.type = MESSAGE_REPORT;
	boot->question.u.report = report;
}

/* Reports @state of the job. Returns 0 only if the server has sent a receipt for it. */
static int report_state(struct boot *boot, enum report_state state)
{
	struct platform *p = boot->p;
	uint64_t job = boot->answer.u.answer.job;
	struct message message;
	const struct receipt *receipt = &message.u.receipt;
	const char *why;
	int rc;

	keep_server(boot);
	make_report(boot, state);
	rc = boot_ask(boot, p->now(p) + REPORT_MS, &message_report, &message);
	why = rc ? error_text(rc) : receipt->reason;
	if (rc == 0 && (receipt->job != job || receipt->state != state))
		rc = ERR_REFUSED;
	if (rc) {
		log_line(p, "job %" PRIu64 ": no receipt: %s", job, why);
		trail_step(p, &boot->trail, EVENT_ERROR, "no receipt: %s", why);
		boot->reason = "no receipt for the job";
	}
	return rc;
}

/* --- files ------------------------------------------------------------------ */

/* Returns the name of this program at the boot server, as the firmware or DHCP has it. */
static const char *own_name(const struct boot *boot)
{
	const char *real = boot->p->machine.boot_file;

	return real[0] ? real : boot->dhcp.boot_file;
}

/* Fetches a file from the folder that the first @length bytes of @folder name. */
static int fetch_from(struct boot *boot, const char *folder, size_t length, const char *file,
                      bool multicast, struct image *image)
{
	char prefix[FILE_SIZE];
	int rc;

	memcpy(prefix, folder, length);
	prefix[length] = '\0';
	text_format(boot->name, sizeof(boot->name), "%s%s", prefix, file);
	boot->p->watchdog(boot->p, WATCHDOG_SECONDS);
	rc = boot->p->fetch(boot->p, boot->dhcp.boot_server, boot->name, multicast, image);
	if (rc == 0)
		log_line(boot->p, "loaded %s, %u bytes", boot->name, (uint32_t)image->length);
	return rc;
}

/* Fetches a file from the folder of this program, or from the root that its name begins with. */
static int fetch_beside(struct boot *boot, const char *file, bool multicast, struct image *image)
{
	const char *own = own_name(boot);

	return fetch_from(boot, own, file[0] == '/' ? 0 : folder_length(own), file, multicast,
	                  image);
}

int boot_fetch(struct boot *boot, const char *file, struct image *image)
{
	return fetch_beside(boot, file, boot->answer.u.answer.tftp_multicast != 0, image);
}

/*
 * Fetches the configuration file from where the loader will look for it, to make
 * sure that it is there: a loader that does not find it tries other names for minutes.
 * It is too small for multicast to be worth its while.
 */
static int fetch_config(struct boot *boot, struct image *image)
{
	const struct answer *answer = &boot->answer.u.answer;
	const char *config = answer->config;
	int rc;

	if (!config[0])
		return 0;
	/* The loader puts the prefix before the name as it is, from the server's root. */
	if (config[0] != '/' && answer->prefix[0])
		rc = fetch_from(boot, answer->prefix, strlen(answer->prefix), config, false,
		                image);
	else
		rc = fetch_beside(boot, config, false, image);
	/* The loader treats an empty file as missing. */
	return rc == 0 && image->length == 0 ? ERR_TRUNCATED : rc;
}

/* --- handing over ----------------------------------------------------------- */

/* Writes the record of nbp/proto/power_on.h. @handed_over: NULL: the local disk is to boot */
static void make_record(const struct boot *handed_over, uint8_t record[POWER_ON_SIZE])
{
	struct power_on power_on = { .state = POWER_ON_LOCAL };

	if (handed_over) {
		const struct exchange *exchange = &handed_over->exchange;

		power_on.state = POWER_ON_HANDED_OVER;
		memcpy(power_on.server, exchange->servers[exchange->answered_by].address,
		       sizeof(power_on.server));
		memcpy(power_on.token, handed_over->answer.u.answer.token,
		       sizeof(power_on.token));
	}
	power_on_encode(&power_on, record);
}

void boot_remember(struct platform *p, const struct boot *handed_over)
{
	uint8_t record[POWER_ON_SIZE];

	make_record(handed_over, record);
	p->remember(p, record);
}

/* The names in the loader's DHCP options. */
struct loader_names {
	char config[FILE_SIZE + 2], prefix[FILE_SIZE];
};

/*
 * Writes the names as PXELINUX reads them: it puts the prefix, by default a folder that
 * it makes of DHCP's boot file, before every name except one that begins with "::".
 */
static void name_files(const struct boot *boot, struct loader_names *names)
{
	const struct answer *answer = &boot->answer.u.answer;
	const char *own = own_name(boot), *file = boot->dhcp.boot_file;
	char *prefix = names->prefix;
	size_t length = folder_length(own);

	memcpy(prefix, answer->prefix, sizeof(names->prefix));
	if (!prefix[0] && (folder_by_pxelinux(file) != length || memcmp(own, file, length) != 0)) {
		text_format(prefix, sizeof(names->prefix), "%s", length ? own : "./");
		if (length)
			prefix[length] = '\0';
	}
	text_format(names->config, sizeof(names->config), "%s%s",
	            answer->config[0] == '/' && (prefix[0] || length) ? "::" : "",
	            answer->config);
}

/* Reports that something failed with the file last fetched; boot->reason becomes that. */
static void report_failure(struct boot *boot, int rc)
{
	size_t length = text_format(boot->said, sizeof(boot->said), "action failed: ");
	char *error = boot->said + length;

	text_format(error, sizeof(boot->said) - length, "%s: %s", boot->name, error_text(rc));
	log_line(boot->p, "%s", error);
	boot_step(boot, EVENT_ERROR, error);
	boot->reason = boot->said;
}

void boot_execute(struct boot *boot)
{
	static const uint8_t none[TOKEN_SIZE];
	struct platform *p = boot->p;
	const struct answer *answer = &boot->answer.u.answer;
	struct loader_names names;
	uint8_t record[POWER_ON_SIZE];
	struct handover handover = {
		names.config, names.prefix, boot->dhcp.boot_server, record
	};
	struct image image;
	int rc;

	if (memcmp(answer->token, none, sizeof(none)) != 0 &&
	    report_state(boot, REPORT_ACCEPTED) != 0)
		return;
	rc = fetch_config(boot, &image);
	if (rc == 0)
		rc = boot_fetch(boot, answer->loader, &image);
	if (rc == 0) {
		boot_step(boot, EVENT_LOADED, boot->name);
		name_files(boot, &names);
		make_record(boot, record);
		rc = p->prepare(p, &image, &handover);
	}
	if (rc == 0) {
		if (answer->completes == COMPLETES_HANDOVER && report_state(boot, REPORT_DONE) != 0)
			return;
		log_line(p, "handing over to %s", boot->name);
		boot_step(boot, EVENT_HANDOVER, boot->name);
		boot_send_steps(boot);
		boot_remember(p, boot);
		p->forget_keys(p);
		rc = p->chain(p, &image, &handover);
	}
	report_failure(boot, rc);
}
