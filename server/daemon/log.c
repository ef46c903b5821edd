/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/log.h"

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"

#define QUOTED (2 * REASON_SIZE) /* holds any reason as quote() writes it */

/* Writes foreign text for quotes: a quote in it is escaped, and so is a backslash. */
static const char *quote(char out[QUOTED], const char *text)
{
	size_t at = 0;

	for (; *text && at + 2 < QUOTED; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at] = '\0';
	return out;
}

static enum journal_kind kind_of(const struct log_context *context)
{
	return context->device ? JOURNAL_KNOWN : JOURNAL_UNKNOWN;
}

/* Writes who sent the message; returns the length. @mark: "" or "warning: " */
static size_t write_head(char *line, const struct log_context *context, const char *mark,
                         const char *what)
{
	const struct identity *identity = &context->question->u.request.identity;
	char from[ADDRESS_TEXT], mac[20] = "-", uuid[40] = "-";

	address_format(&context->datagram->from, from);
	if (!all_zero(identity->mac, sizeof(identity->mac)))
		text_format(mac, sizeof(mac), "%pM", identity->mac);
	if (!all_zero(identity->uuid, sizeof(identity->uuid)))
		text_format(uuid, sizeof(uuid), "%pU", identity->uuid);
	return text_format(line, LOG_LINE, "%s%s from=%s mac=%s uuid=%s device=%s", mark, what,
	                   from, mac, uuid, context->device ? context->device : "-");
}

#define append(line, at, ...) ((at) += text_format((line) + (at), LOG_LINE - (at), __VA_ARGS__))

static const char *state_word(uint8_t state)
{
	switch (state) {
	case REPORT_BEGUN: return "begun";
	case REPORT_DONE: return "done";
	case REPORT_ACCEPTED: return "accepted";
	default: return "failed";
	}
}

enum journal_kind log_answer(char line[LOG_LINE], const struct log_context *context,
                             const struct decision *decision)
{
	const struct message *reply = &decision->reply;
	const struct job *next = &decision->next;
	const char *mark = decision->warn ? "warning: " : "";
	char quoted[QUOTED];
	size_t at;

	switch (reply->type) {
	case MESSAGE_ANSWER:
		at = write_head(line, context, mark, "request");
		append(line, at, " answer=%s",
		       reply->u.answer.decision == DECISION_JOB ? "job" : "local");
		break;
	case MESSAGE_DETAILS:
		at = write_head(line, context, mark, "query");
		append(line, at, " answer=%s", reply->u.details.job ? "details" : "none");
		break;
	default:
		at = write_head(line, context, mark, "report");
		append(line, at, " answer=%s report=%s",
		       reply->u.receipt.state ? "accepted" : "refused",
		       state_word(context->question->u.report.state));
	}
	if (next->number)
		append(line, at, " job=%" PRIu64 " attempt=%u/%u", next->number,
		       reply->type == MESSAGE_ANSWER && reply->u.answer.attempt
		               ? (uint32_t)reply->u.answer.attempt : next->attempt,
		       next->attempts);
	if (reply->type == MESSAGE_ANSWER && reply->u.answer.loader[0])
		append(line, at, " loader=%s config=%s", reply->u.answer.loader,
		       reply->u.answer.config[0] ? reply->u.answer.config : "-");
	append(line, at, " reason=\"%s\"", quote(quoted, decision->reason));
	if (context->anomaly[0])
		append(line, at, " anomaly=\"%s\"", quote(quoted, context->anomaly));
	return decision->warn ? JOURNAL_ALWAYS : kind_of(context);
}

enum journal_kind log_event(char line[LOG_LINE], const struct log_context *context)
{
	const struct event *event = &context->question->u.event;
	size_t at = write_head(line, context, "", "event");
	char quoted[QUOTED];

	append(line, at, " step=%s at=%ums job=%" PRIu64 " reason=\"%s\"", event_name(event->code),
	       event->milliseconds, event->job, quote(quoted, event->reason));
	return kind_of(context);
}

void log_counts(struct journal *journal, const struct counters *counters)
{
	char line[LOG_LINE];
	size_t at = text_format(line, sizeof(line), "counts answered=%" PRIu64,
	                        counters_answered(counters));

	for (int i = 0; i < DROP_COUNT; i++)
		append(line, at, " %s=%" PRIu64, drop_name((enum drop)i), counters->dropped[i]);
	journal_line(journal, JOURNAL_ALWAYS, "%s", line);
}
