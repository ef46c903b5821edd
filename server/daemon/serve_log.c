/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/serve_log.h"

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/store/events.h"

#define QUOTED (2 * REASON_SIZE) /* holds any reason as quote() writes it */

/* Foreign text stands in quotes: its own, and what would take one away, are escaped. */
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

static enum journal_kind kind_of(const struct speaker *speaker)
{
	return speaker->device ? JOURNAL_KNOWN : JOURNAL_UNKNOWN;
}

/* Writes who speaks; returns the length. @mark: "" or "warning: " */
static size_t write_head(char *line, const struct speaker *speaker, const char *mark,
                         const char *what)
{
	const struct identity *identity = &speaker->question->u.request.identity;
	char from[ADDRESS_TEXT], mac[20] = "-", uuid[40] = "-";

	address_format(&speaker->datagram->from, from);
	if (!all_zero(identity->mac, sizeof(identity->mac)))
		text_format(mac, sizeof(mac), "%pM", identity->mac);
	if (!all_zero(identity->uuid, sizeof(identity->uuid)))
		text_format(uuid, sizeof(uuid), "%pU", identity->uuid);
	return text_format(line, LOG_LINE, "%s%s from=%s mac=%s uuid=%s device=%s", mark, what,
	                   from, mac, uuid, speaker->device ? speaker->device : "-");
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

enum journal_kind log_answer(char line[LOG_LINE], const struct speaker *speaker,
                             const struct decision *decision)
{
	const struct message *reply = &decision->reply;
	const struct job *next = &decision->next;
	const char *mark = decision->warn ? "warning: " : "";
	char quoted[QUOTED];
	size_t at;

	switch (reply->type) {
	case MESSAGE_ANSWER:
		at = write_head(line, speaker, mark, "request");
		append(line, at, " answer=%s",
		       reply->u.answer.decision == DECISION_JOB ? "work" : "local");
		break;
	case MESSAGE_DETAILS:
		at = write_head(line, speaker, mark, "query");
		append(line, at, " answer=%s", reply->u.details.job ? "details" : "none");
		break;
	default:
		at = write_head(line, speaker, mark, "report");
		append(line, at, " answer=%s report=%s",
		       reply->u.receipt.state ? "accepted" : "refused",
		       state_word(speaker->question->u.report.state));
	}
	if (next->number)
		append(line, at, " lease=%" PRIu64 " attempt=%u/%u", next->number,
		       reply->type == MESSAGE_ANSWER && reply->u.answer.attempt
		               ? (uint32_t)reply->u.answer.attempt : next->attempt,
		       next->attempts);
	if (reply->type == MESSAGE_ANSWER && reply->u.answer.loader[0])
		append(line, at, " loader=%s config=%s", reply->u.answer.loader,
		       reply->u.answer.config[0] ? reply->u.answer.config : "-");
	append(line, at, " reason=\"%s\"", quote(quoted, decision->reason));
	if (speaker->anomaly[0])
		append(line, at, " note=\"%s\"", quote(quoted, speaker->anomaly));
	return decision->warn ? JOURNAL_ALWAYS : kind_of(speaker);
}

enum journal_kind log_event(char line[LOG_LINE], const struct speaker *speaker)
{
	const struct event *event = &speaker->question->u.event;
	size_t at = write_head(line, speaker, "", "event");
	char quoted[QUOTED];

	append(line, at, " step=%s at=%ums lease=%" PRIu64 " reason=\"%s\"", event_name(event->code),
	       event->milliseconds, event->job, quote(quoted, event->reason));
	return kind_of(speaker);
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
