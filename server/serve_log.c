/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve_log.h"

#include <arpa/inet.h>

#include "error.h"
#include "events.h"
#include "text.h"

/* Foreign text stands in quotes, so it must not have any of its own. */
static void unquote(char *out, size_t size, const char *text)
{
	text_format(out, size, "%s", text);
	for (; *out; out++)
		if (*out == '"')
			*out = '\'';
}

/* Writes who speaks; returns the length. @mark: "" or "warning: " */
static size_t write_head(struct datagram *d, const char *mark, const char *what,
                         const char *device)
{
	const struct identity *identity = &d->question.u.request.identity;

	d->kind = device ? JOURNAL_KNOWN : JOURNAL_UNKNOWN;
	return text_format(d->line, sizeof(d->line), "%s%s from=%I:%u mac=%M uuid=%G device=%s",
	                   mark, what, (const uint8_t *)&d->from.sin_addr,
	                   (uint32_t)ntohs(d->from.sin_port),
	                   identity->mac, identity->uuid, device ? device : "-");
}

#define append(d, at, ...) \
	((at) += text_format((d)->line + (at), sizeof((d)->line) - (at), __VA_ARGS__))

static const char *state_word(uint8_t state)
{
	switch (state) {
	case WORK_BEGUN: return "begun";
	case WORK_DONE: return "done";
	default: return "failed";
	}
}

void serve_log_answer(struct datagram *d, const char *device, const struct verdict *verdict)
{
	const struct message *reply = &verdict->reply;
	const struct lease *next = &verdict->next;
	const char *mark = verdict->warn ? "warning: " : "";
	char reason[REASON_SIZE];
	size_t at;

	switch (reply->type) {
	case MESSAGE_ANSWER:
		at = write_head(d, mark, "request", device);
		append(d, at, " answer=%s",
		       reply->u.answer.decision == DECISION_WORK ? "work" : "local");
		break;
	case MESSAGE_DETAILS:
		at = write_head(d, mark, "query", device);
		append(d, at, " answer=%s", reply->u.details.lease ? "details" : "none");
		break;
	default:
		at = write_head(d, mark, "report", device);
		append(d, at, " answer=%s report=%s",
		       reply->u.receipt.state ? "accepted" : "refused",
		       state_word(d->question.u.report.state));
	}
	if (next->number)
		append(d, at, " lease=%U attempt=%u/%u", next->number,
		       reply->type == MESSAGE_ANSWER && reply->u.answer.attempt
		               ? (uint32_t)reply->u.answer.attempt : next->attempt,
		       next->attempts);
	if (reply->type == MESSAGE_ANSWER && reply->u.answer.loader[0])
		append(d, at, " loader=%s config=%s", reply->u.answer.loader,
		       reply->u.answer.config);
	unquote(reason, sizeof(reason), verdict->reason);
	append(d, at, " reason=\"%s\"", reason);
	if (d->note[0])
		append(d, at, " note=\"%s\"", d->note);
	if (verdict->warn)
		d->kind = JOURNAL_ALWAYS;
}

void serve_log_event(struct datagram *d, const char *device)
{
	const struct event *event = &d->question.u.event;
	size_t at = write_head(d, "", "event", device);
	char reason[REASON_SIZE];

	unquote(reason, sizeof(reason), event->reason);
	append(d, at, " step=%s at=%ums lease=%U reason=\"%s\"", event_name(event->code),
	       event->milliseconds, event->lease, reason);
}

void serve_log_counts(struct server *server)
{
	static const char *const names[DROP_COUNT] = {
		"truncated", "malformed", "version", "critical", "type", "peer", "small", "store",
		"send",
	};
	char line[512];
	size_t at = text_format(line, sizeof(line), "counts answered=%U", server->answered);

	for (int i = 0; i < DROP_COUNT; i++)
		at += text_format(line + at, sizeof(line) - at, " %s=%U", names[i],
		                  server->dropped[i]);
	journal_line(&server->journal, JOURNAL_ALWAYS, "%s", line);
}
