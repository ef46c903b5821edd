/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent in the booted system: asks for this machine's work, reports its outcome. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"
#include "server/tool/output.h"

#define TIMEOUT_MS 30000
#define END_TIMEOUT_MS 3600000 /* of done and failed: else it is all done again */
#define TIMEOUT_SECONDS_MAX 86400

struct options {
	struct agent agent;
	uint64_t job; /* 0: ask the server */
	bool json;
	char **words;   /* the verb, and what follows it */
	int word_count;
};

static const char help[] =
	"Usage: prebootwork [OPTION]... VERB [ARGUMENT]...\n"
	"Asks the policy server what work this machine has, and reports how it went.\n"
	"\n"
	"  show [--shell|--json]     print the work: variables for a shell to eval, or JSON\n"
	"  run [--] COMMAND [ARG]... report begun, run the command with the variables in its\n"
	"                            environment, report done or failed by its exit status\n"
	"  begun | done | failed [REASON]\n"
	"                            report it, for scripts\n"
	"\n"
	"  -s, --server ADDR[:PORT]  the server (kernel command line: prebootwork.server=;\n"
	"                            the one that the NBP left; PXELINUX's ip=; port 13331)\n"
	"  -k, --token TOKEN         what shows that this boot has the work, 16 hexadecimal\n"
	"                            digits (prebootwork.token=; what the NBP left)\n"
	"  -m, --mac MAC             this machine's MAC (kernel command line: BOOTIF=; those of\n"
	"                            its network cards)\n"
	"  -u, --uuid UUID           its UUID (SMBIOS)\n"
	"  -t, --timeout SECONDS     how long to try each question (30; 3600 for reports that\n"
	"                            the work is done or failed)\n"
	"  -l, --lease N             which work a report is of (the server is asked)\n"
	"  -h, --help                show this\n"
	"  -V, --version             show the version\n"
	"\n"
	"Exit status: 0 well; 1 a fault here; 2 wrong usage; 3 no work; 4 the server did not\n"
	"answer; 5 it refused. Of run: the command's own; 120 and one of the above where the\n"
	"command was not run or its success could not be reported; 126, 127 where it could not\n"
	"be started. See prebootwork(8).\n";

static int fail(int status, const char *what, const char *why)
{
	output_line("prebootwork", "%s%s%s", what, why[0] ? ": " : "", why);
	return status;
}

/* --- options --------------------------------------------------------------- */

static int read_timeout(const char *text, uint32_t *milliseconds)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || seconds < 1 || seconds > TIMEOUT_SECONDS_MAX)
		return fail(AGENT_USAGE, text, "expected --timeout SECONDS, from 1 to 86400");
	*milliseconds = (uint32_t)seconds * 1000;
	return -1;
}

static int read_job_row(const char *text, uint64_t *job)
{
	char *end;

	errno = 0;
	*job = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || *job == 0)
		return fail(AGENT_USAGE, text, "expected --lease NUMBER");
	return -1;
}

/* Returns -1 to go on, else the status to exit with. */
static int take_option(struct options *o, int option)
{
	switch (option) {
	case 's':
		if (endpoint_parse(optarg, &o->agent.server) || !o->agent.server.sin_port ||
		    !o->agent.server.sin_addr.s_addr)
			return fail(AGENT_USAGE, optarg,
			            "expected --server A.B.C.D or A.B.C.D:PORT");
		return -1;
	case 'm':
		if (text_parse_mac(optarg, o->agent.identity.mac))
			return fail(AGENT_USAGE, optarg, "expected --mac as in 52:54:00:12:34:56");
		return -1;
	case 'u':
		if (text_parse_uuid(optarg, o->agent.identity.uuid))
			return fail(AGENT_USAGE, optarg, "expected --uuid with 32 hexadecimal digits, "
			            "as in 4c4c4544-0034-4d10-8052-b4c04f4a3232");
		return -1;
	case 'k':
		if (agent_parse_token(optarg, o->agent.token))
			return fail(AGENT_USAGE, optarg, "expected --token with 16 hexadecimal digits");
		return -1;
	case 't': return read_timeout(optarg, &o->agent.timeout_ms);
	case 'l': return read_job_row(optarg, &o->job);
	case 'j': o->json = true; return -1;
	case 'S': o->json = false; return -1;
	case 'h': fputs(help, stdout); return 0;
	case 'V': puts("prebootwork " VERSION); return 0;
	default: return fail(AGENT_USAGE, "try \"prebootwork --help\"", "");
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "server", required_argument, NULL, 's' },
		{ "token", required_argument, NULL, 'k' },
		{ "mac", required_argument, NULL, 'm' },
		{ "uuid", required_argument, NULL, 'u' },
		{ "timeout", required_argument, NULL, 't' },
		{ "lease", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "shell", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *verb = NULL;
	int option, status = -1;

	/* '+': stop at the verb, and then, unless it is "run", once more behind it. */
	while (status < 0 && (option = getopt_long(argc, argv, "+s:k:m:u:t:l:hV", table, NULL)) != -1)
		status = take_option(o, option);
	if (status < 0 && optind < argc) {
		verb = argv[optind];
		argv += optind;
		argc -= optind;
		optind = 0; /* GNU's way to start anew */
		argv[0] = (char *)"prebootwork"; /* what getopt_long() calls us in messages */
		while (status < 0 &&
		       (option = getopt_long(argc, argv, strcmp(verb, "run") == 0 ? "+s:k:m:u:t:l:hV"
		                             : "s:k:m:u:t:l:hV", table, NULL)) != -1)
			status = take_option(o, option);
		o->words = argv + optind - 1;
		o->words[0] = (char *)verb;
		o->word_count = argc - optind + 1;
	}
	return status;
}

/* --- asking ---------------------------------------------------------------- */

static int outcome(int rc)
{
	if (rc == ERR_TIMEOUT)
		return fail(AGENT_SILENT, "the server did not answer", "");
	return fail(AGENT_FAULT, "cannot ask the server", rc == ERR_IO ? strerror(errno)
	            : error_text(rc));
}

/*
 * Asks @question as who this machine is or, where that is not sure, as each that it may be.
 * @good: says whether it was asked as the right one
 * Returns agent_ask()'s values; @answer is the good one, else the last.
 */
static int ask_as_each(struct options *o, struct message *question, uint32_t timeout_ms,
                       uint8_t type, bool (*good)(const struct message *answer),
                       struct message *answer)
{
	struct identity *identity = &o->agent.identity;
	size_t i = 0;
	int rc;

	do {
		if (o->agent.mac_count)
			memcpy(identity->mac, o->agent.macs[i], sizeof(identity->mac));
		question->u.query.identity = *identity; /* a report begins with it, too */
		rc = agent_ask(&o->agent, question, type,
		               o->agent.timeout_ms ? o->agent.timeout_ms : timeout_ms, answer);
		if (rc)
			return rc;
	} while (!good(answer) && ++i < o->agent.mac_count);
	if (good(answer))
		o->agent.mac_count = 0; /* this one it is */
	return 0;
}

static bool has_job(const struct message *answer)
{
	return answer->u.details.job != 0;
}

static bool is_taken(const struct message *answer)
{
	return answer->u.receipt.state != 0;
}

/* Asks for the work; AGENT_NO_JOB if there is none. */
static int ask_job(struct options *o, struct details *job)
{
	struct message question = { .type = MESSAGE_QUERY }, answer;
	int rc;

	memcpy(question.u.query.token, o->agent.token, TOKEN_SIZE);
	rc = ask_as_each(o, &question, TIMEOUT_MS, MESSAGE_DETAILS, has_job, &answer);
	if (rc)
		return outcome(rc);
	*job = answer.u.details;
	return job->job ? AGENT_OK : AGENT_NO_JOB;
}

static int no_job(const struct options *o)
{
	return fail(AGENT_NO_JOB, "no work", all_zero(o->agent.token, TOKEN_SIZE)
	            ? "this system has no token, as the NBP leaves for those that it starts with "
	              "work; where that cannot be read, give --token" : "");
}

static int report(struct options *o, uint64_t job, uint8_t state, const char *reason)
{
	uint32_t timeout_ms = state == REPORT_BEGUN ? TIMEOUT_MS : END_TIMEOUT_MS;
	struct message question = { .type = MESSAGE_REPORT }, answer;
	int rc;

	question.u.report.job = job;
	memcpy(question.u.report.token, o->agent.token, TOKEN_SIZE);
	question.u.report.state = state;
	text_clean(question.u.report.reason, sizeof(question.u.report.reason), reason,
	           strlen(reason));
	rc = ask_as_each(o, &question, timeout_ms, MESSAGE_RECEIPT, is_taken, &answer);
	if (rc)
		return outcome(rc);
	if (answer.u.receipt.job != job || answer.u.receipt.state != state)
		return fail(AGENT_REFUSED, "the server refused the report",
		            answer.u.receipt.reason);
	return AGENT_OK;
}

/* --- verbs ----------------------------------------------------------------- */

static int show(struct options *o)
{
	struct details job;
	int status = ask_job(o, &job);

	if (status == AGENT_NO_JOB)
		no_job(o);
	if (status == AGENT_OK || (status == AGENT_NO_JOB && o->json))
		(o->json ? agent_print_json : agent_print_shell)(&o->agent, &job);
	if (fflush(stdout))
		return fail(AGENT_FAULT, "cannot write the output", strerror(errno));
	return status;
}

static int report_verb(struct options *o, uint8_t state)
{
	const char *reason = state == REPORT_FAILED && o->word_count > 1 ? o->words[1] : "";
	struct details job = { .job = o->job };
	int status = AGENT_OK;

	if (!job.job)
		status = ask_job(o, &job);
	if (status == AGENT_NO_JOB)
		return no_job(o);
	return status ? status : report(o, job.job, state, reason);
}

static int run(struct options *o)
{
	char reason[REASON_SIZE] = "";
	struct details job;
	int status = ask_job(o, &job), reported;

	if (status == AGENT_NO_JOB)
		no_job(o);
	if (status == AGENT_OK)
		status = report(o, job.job, REPORT_BEGUN, "");
	/* Work that the server does not know as begun is not begun. */
	if (status)
		return RUN_OFFSET + status;
	status = agent_run(&o->agent, &job, o->words + 1, reason);
	reported = report(o, job.job, status ? REPORT_FAILED : REPORT_DONE, status ? reason : "");
	return status ? status : reported ? RUN_OFFSET + reported : AGENT_OK;
}

static int dispatch(struct options *o)
{
	const char *verb = o->words[0];

	if (strcmp(verb, "run") == 0)
		return o->word_count > 1 ? run(o) : fail(AGENT_USAGE, "run needs a command", "");
	if (o->word_count > (strcmp(verb, "failed") == 0 ? 2 : 1))
		return fail(AGENT_USAGE, o->words[o->word_count - 1], "unexpected argument");
	if (strcmp(verb, "show") == 0)
		return show(o);
	if (strcmp(verb, "begun") == 0)
		return report_verb(o, REPORT_BEGUN);
	if (strcmp(verb, "done") == 0)
		return report_verb(o, REPORT_DONE);
	if (strcmp(verb, "failed") == 0)
		return report_verb(o, REPORT_FAILED);
	return fail(AGENT_USAGE, verb, "no such verb; expected show, run, begun, done or failed");
}

/* Says whether a shell is to eval what we print: it is asked for, perhaps wrongly. */
static bool is_for_eval(int argc, char **argv)
{
	bool shows = false, json = false;

	for (int i = 1; i < argc; i++) {
		shows |= strcmp(argv[i], "show") == 0;
		json |= strcmp(argv[i], "--json") == 0;
	}
	return shows && !json;
}

static int act(int argc, char **argv)
{
	struct options o = { 0 };
	const char *wrong;
	int status = parse_options(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.word_count == 0) {
		fputs(help, stderr);
		return AGENT_USAGE;
	}
	if (agent_look_around(&o.agent, "", &wrong)) {
		fail(AGENT_FAULT, wrong, "");
		return strcmp(o.words[0], "run") == 0 ? RUN_OFFSET + AGENT_FAULT : AGENT_FAULT;
	}
	return dispatch(&o);
}

int main(int argc, char **argv)
{
	bool for_eval = is_for_eval(argc, argv);
	int status;

	output_start(OUTPUT_STDERR, NULL, NULL);
	status = act(argc, argv);
	/* An eval of nothing goes well; what is behind its && must not be done. */
	if (status && for_eval)
		puts("false");
	return status;
}
