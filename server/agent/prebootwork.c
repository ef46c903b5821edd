/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent in the booted system: asks for this machine's job, reports its outcome. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/agent/agent_port.h"
#include "server/net/endpoint.h"
#include "server/tool/output.h"

#define TIMEOUT_MS 30000
#define END_TIMEOUT_MS 3600000 /* of done and failed: an unreported job is done again */
#define TIMEOUT_SECONDS_MAX 86400
#define LETTERS "s:k:m:u:t:n:l:hV" /* the options' */

struct options {
	struct agent agent;
	uint64_t job; /* 0: ask the server */
	enum show_form form;
	char **words; /* the command, and what follows it */
	int word_count;
};

static const char help[] =
	"Usage: prebootwork [OPTION]... COMMAND [ARGUMENT]...\n"
	"Asks the policy server for this machine's job, and reports its outcome.\n"
	"\n"
	"  show [--shell|--lines|--json]\n"
	"                            print the job: variables for a shell to eval (default on\n"
	"                            Linux), lines NAME=value (default on Windows), or JSON\n"
	"  run [--] PROGRAM [ARG]... report begun, run the program with the variables in its\n"
	"                            environment, report done or failed by its exit status\n"
	"  begun | done | failed [REASON]\n"
	"                            report this, in scripts\n"
	"\n"
	"  -s, --server ADDR[:PORT]  the server (default: prebootwork.server= on the kernel\n"
	"                            command line; what the NBP left; PXELINUX's ip=)\n"
	"  -k, --token TOKEN         the proof that this boot was offered the job, 16 hexadecimal\n"
	"                            digits (default: prebootwork.token=; what the NBP left)\n"
	"  -m, --mac MAC             this machine's MAC (default: BOOTIF= on the kernel command\n"
	"                            line; those of its network cards)\n"
	"  -u, --uuid UUID           its UUID (default: SMBIOS's)\n"
	"  -t, --timeout SECONDS     how long each question is repeated (default: 30; 3600 for\n"
	"                            reports of done and failed)\n"
	"  -n, --job N               the job that a report is of (default: the server is asked)\n"
	"  -h, --help                print this help\n"
	"  -V, --version             print the version\n"
	"\n"
	"Exit status: 0 success, 1 error, 2 usage error, 3 no job, 4 no answer from the server,\n"
	"5 report refused. \"run\" exits with the program's own status, with 126 or 127 if it\n"
	"could not be started, or with 120 plus one of the above if it was not run or its\n"
	"success could not be reported. See prebootwork(8).\n";

static int fail(int status, const char *what, const char *why)
{
	output_line("prebootwork", "%s%s%s", what, why[0] ? ": " : "", why);
	return status;
}

/* --- options --------------------------------------------------------------- */

static int parse_timeout(const char *text, uint32_t *milliseconds)
{
	uint64_t seconds;

	if (text_parse_number(text, TIMEOUT_SECONDS_MAX, &seconds) || seconds == 0)
		return fail(AGENT_USAGE, text, "expected --timeout SECONDS, from 1 to 86400");
	*milliseconds = (uint32_t)seconds * 1000;
	return -1;
}

static int parse_job(const char *text, uint64_t *job)
{
	if (text_parse_number(text, UINT64_MAX, job) || *job == 0)
		return fail(AGENT_USAGE, text, "expected --job NUMBER");
	return -1;
}

/* Returns -1 to go on, else an exit status. */
static int apply_option(struct options *o, int option)
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
			return fail(AGENT_USAGE, optarg, "expected --uuid with 32 hexadecimal "
			            "digits, as in 4c4c4544-0034-4d10-8052-b4c04f4a3232");
		return -1;
	case 'k':
		if (agent_parse_token(optarg, o->agent.token))
			return fail(AGENT_USAGE, optarg,
			            "expected --token with 16 hexadecimal digits");
		return -1;
	case 't': return parse_timeout(optarg, &o->agent.timeout_ms);
	case 'l': /* --lease, as --job was called in the first release */
	case 'n': return parse_job(optarg, &o->job);
	case 'j': o->form = SHOW_JSON; return -1;
	case 'L': o->form = SHOW_LINES; return -1;
	case 'S': o->form = SHOW_SHELL; return -1;
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
		{ "job", required_argument, NULL, 'n' },
		{ "lease", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "lines", no_argument, NULL, 'L' },
		{ "shell", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *command;
	int option, status = -1;

	/* '+' stops at the command. Unless that is "run", options may follow it, too. */
	while (status < 0 && (option = getopt_long(argc, argv, "+" LETTERS, table, NULL)) != -1)
		status = apply_option(o, option);
	if (status < 0 && optind < argc) {
		const char *letters = strcmp(argv[optind], "run") == 0 ? "+" LETTERS : LETTERS;

		command = argv[optind];
		argv += optind;
		argc -= optind;
		optind = 0; /* GNU's way to start again */
		argv[0] = (char *)"prebootwork"; /* the name in getopt_long()'s messages */
		while (status < 0 && (option = getopt_long(argc, argv, letters, table, NULL)) != -1)
			status = apply_option(o, option);
		o->words = argv + optind - 1;
		o->words[0] = (char *)command;
		o->word_count = argc - optind + 1;
	}
	return status;
}

/* --- asking ---------------------------------------------------------------- */

/* Prints why agent_ask() failed; returns an exit status. */
static int ask_error(int rc)
{
	if (rc == ERR_TIMEOUT)
		return fail(AGENT_SILENT, "the server did not answer", "");
	return fail(AGENT_FAULT, "cannot ask the server", rc == ERR_IO ? port_error()
	            : error_text(rc));
}

/*
 * Asks @question with this machine's MAC or, if that is unknown, with each that it may be.
 * @good: returns whether an answer shows that the MAC was the right one
 * Returns agent_ask()'s values. @answer is the good one, else the last one.
 */
static int ask_with_each_mac(struct options *o, struct message *question, uint32_t timeout_ms,
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
		o->agent.mac_count = 0; /* the MAC is known now */
	return 0;
}

static bool has_job(const struct message *answer)
{
	return answer->u.details.job != 0;
}

static bool is_accepted(const struct message *answer)
{
	return answer->u.receipt.state != 0;
}

/* Asks for the job. Returns an exit status, AGENT_NO_JOB if there is none. */
static int ask_job(struct options *o, struct details *job)
{
	struct message question = { .type = MESSAGE_QUERY }, answer;
	int rc;

	memcpy(question.u.query.token, o->agent.token, TOKEN_SIZE);
	rc = ask_with_each_mac(o, &question, TIMEOUT_MS, MESSAGE_DETAILS, has_job, &answer);
	if (rc)
		return ask_error(rc);
	*job = answer.u.details;
	return job->job ? AGENT_OK : AGENT_NO_JOB;
}

static int no_job(const struct options *o)
{
	return fail(AGENT_NO_JOB, "no job", all_zero(o->agent.token, TOKEN_SIZE)
	            ? "this system has no token; the NBP leaves one for a system that it starts "
	              "for a job; if it cannot be read here, give --token" : "");
}

static int send_report(struct options *o, uint64_t job, uint8_t state, const char *reason)
{
	uint32_t timeout_ms = state == REPORT_BEGUN ? TIMEOUT_MS : END_TIMEOUT_MS;
	struct message question = { .type = MESSAGE_REPORT }, answer;
	int rc;

	question.u.report.job = job;
	memcpy(question.u.report.token, o->agent.token, TOKEN_SIZE);
	question.u.report.state = state;
	text_clean(question.u.report.reason, sizeof(question.u.report.reason), reason,
	           strlen(reason));
	rc = ask_with_each_mac(o, &question, timeout_ms, MESSAGE_RECEIPT, is_accepted, &answer);
	if (rc)
		return ask_error(rc);
	if (answer.u.receipt.job != job || answer.u.receipt.state != state)
		return fail(AGENT_REFUSED, "the server refused the report",
		            answer.u.receipt.reason);
	return AGENT_OK;
}

/* --- commands -------------------------------------------------------------- */

static int show_job(struct options *o)
{
	static void (*const print[])(const struct agent *agent, const struct details *job) = {
		[SHOW_SHELL] = agent_print_shell,
		[SHOW_LINES] = agent_print_lines,
		[SHOW_JSON] = agent_print_json,
	};
	struct details job;
	int status = ask_job(o, &job);

	if (status == AGENT_NO_JOB)
		no_job(o);
	if (status == AGENT_OK || (status == AGENT_NO_JOB && o->form == SHOW_JSON))
		print[o->form](&o->agent, &job);
	if (fflush(stdout))
		return fail(AGENT_FAULT, "cannot write the output", strerror(errno));
	return status;
}

static int report_state(struct options *o, uint8_t state)
{
	const char *reason = state == REPORT_FAILED && o->word_count > 1 ? o->words[1] : "";
	struct details job = { .job = o->job };
	int status = AGENT_OK;

	if (!job.job)
		status = ask_job(o, &job);
	if (status == AGENT_NO_JOB)
		return no_job(o);
	return status ? status : send_report(o, job.job, state, reason);
}

static int run_program(struct options *o)
{
	char reason[REASON_SIZE] = "";
	struct details job;
	int status = ask_job(o, &job), reported;

	if (status == AGENT_NO_JOB)
		no_job(o);
	if (status == AGENT_OK)
		status = send_report(o, job.job, REPORT_BEGUN, "");
	/* A job that the server does not know to have begun is not begun. */
	if (status)
		return RUN_OFFSET + status;
	status = agent_run(&o->agent, &job, o->words + 1, reason);
	reported = send_report(o, job.job, status ? REPORT_FAILED : REPORT_DONE,
	                       status ? reason : "");
	return status ? status : reported ? RUN_OFFSET + reported : AGENT_OK;
}

static int dispatch(struct options *o)
{
	const char *command = o->words[0];

	if (strcmp(command, "run") == 0 && o->word_count == 1)
		return fail(AGENT_USAGE, "run: missing argument PROGRAM", "");
	if (strcmp(command, "run") == 0)
		return run_program(o);
	if (o->word_count > (strcmp(command, "failed") == 0 ? 2 : 1))
		return fail(AGENT_USAGE, o->words[o->word_count - 1], "unexpected argument");
	if (strcmp(command, "show") == 0)
		return show_job(o);
	if (strcmp(command, "begun") == 0)
		return report_state(o, REPORT_BEGUN);
	if (strcmp(command, "done") == 0)
		return report_state(o, REPORT_DONE);
	if (strcmp(command, "failed") == 0)
		return report_state(o, REPORT_FAILED);
	return fail(AGENT_USAGE, command,
	            "unknown command; expected show, run, begun, done or failed");
}

/* Returns whether a shell is to eval what is printed, even if the command line has an error. */
static bool is_for_eval(int argc, char **argv)
{
	enum show_form form = port_show_form;
	bool shows = false;

	for (int i = 1; i < argc; i++) {
		shows |= strcmp(argv[i], "show") == 0;
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--lines") == 0)
			form = SHOW_JSON;
		else if (strcmp(argv[i], "--shell") == 0)
			form = SHOW_SHELL;
	}
	return shows && form == SHOW_SHELL;
}

static int run_command(int argc, char **argv)
{
	struct options o = { .form = port_show_form };
	const char *wrong;
	int status = parse_options(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.word_count == 0) {
		fputs(help, stderr);
		return AGENT_USAGE;
	}
	if (agent_read_facts(&o.agent, "", &wrong)) {
		fail(AGENT_FAULT, wrong, "");
		return strcmp(o.words[0], "run") == 0 ? RUN_OFFSET + AGENT_FAULT : AGENT_FAULT;
	}
	return dispatch(&o);
}

int main(int argc, char **argv)
{
	bool for_eval;
	int status;

	argv = port_start(argc, argv);
	for_eval = is_for_eval(argc, argv);
	status = run_command(argc, argv);
	/* An eval of nothing succeeds, but what follows its && must not be done. */
	if (status && for_eval)
		puts("false");
	return status;
}
