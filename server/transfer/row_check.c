/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/row_check.h"

#include <string.h>

#include "nbp/proto/text.h"
#include "server/store/bundles.h"
#include "server/model/job.h"
#include "server/model/uuid.h"

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

const char *data_whole_device(const json_t *row)
{
	if (text_of(row, "uuid")[0] || text_of(row, "isd")[0] ||
	    json_array_size(json_object_get(row, "macs")))
		return NULL;
	return "it could not be known again; expected a MAC, a UUID or a device id (isd)";
}

const char *data_whole_uuid(const json_t *row)
{
	uint8_t uuid[16];

	if (strcmp(text_of(row, "state"), "allowed") != 0 ||
	    text_parse_uuid(text_of(row, "uuid"), uuid) || device_uuid_ok(uuid))
		return NULL;
	return "a placeholder that many machines have cannot be allowed";
}

#define NO_LOADER "it has no loader; expected one for BIOS or for UEFI"
#define NO_ROOM   "the details do not fit one datagram; shorten them"

static void read_details(const json_t *row, struct details *details)
{
	const char *key;
	json_t *value;

	memset(details, 0, sizeof(*details));
	json_object_foreach(json_object_get(row, "details"), key, value)
		details_add(details, key, json_string_value(value));
}

static bool has_loader(const json_t *row)
{
	return text_of(row, "loader_bios")[0] || text_of(row, "loader_uefi")[0] ||
	       text_of(row, "loader_uefi_ia32")[0] || text_of(row, "loader_uefi_arm64")[0];
}

const char *data_whole_bundle(const json_t *row)
{
	struct details details;

	read_details(row, &details);
	if (bundle_details_fit(text_of(row, "config"), &details, true))
		return NO_ROOM;
	return has_loader(row) ? NULL : NO_LOADER;
}

const char *data_whole_assignment(const json_t *row)
{
	bool until = strcmp(text_of(row, "mode"), "until") == 0;

	return until == (text_of(row, "until")[0] != '\0') ? NULL :
	       "expected a time in \"until\" where \"mode\" is \"until\", and there alone";
}

const char *data_whole_session(const json_t *row)
{
	return json_integer_value(json_object_get(row, "clients")) ||
	       json_integer_value(json_object_get(row, "wait")) ? NULL :
	       "it would never start; expected \"clients\" or \"wait\" above 0";
}

/* Says whether a message to the agent can hold the details of an open job. */
static bool fits_details(const json_t *row)
{
	struct message message = { .type = MESSAGE_DETAILS };
	struct details *details = &message.u.details;
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	read_details(row, details);
	details->decision = DECISION_JOB;
	details->job = UINT64_MAX;
	details->attempt = 1;
	text_format(details->device, sizeof(details->device), "%s", text_of(row, "device"));
	text_format(details->config, sizeof(details->config), "%s", text_of(row, "config"));
	return message_encode(&message, datagram, sizeof(datagram), &length) == 0;
}

/* Says whether a boot was offered the attempt that is under way. */
static bool is_offered(const json_t *row)
{
	json_int_t attempt = json_integer_value(json_object_get(row, "attempt"));
	json_t *offer;
	size_t i;

	json_array_foreach(json_object_get(row, "offers"), i, offer)
		if (json_integer_value(json_object_get(offer, "attempt")) == attempt)
			return true;
	return false;
}

const char *data_whole_job(const json_t *row)
{
	enum job_state state;
	bool ended = text_of(row, "ended")[0];

	if (job_state_parse(text_of(row, "state"), &state))
		return NULL; /* That has been reported. */
	if (job_is_open(state) == ended)
		return "expected \"ended\" where it is done, failed or cancelled, and there alone";
	if (state == JOB_BEGUN && !text_of(row, "begun")[0])
		return "it is begun; expected the time in \"begun\"";
	if ((state == JOB_OFFERED || state == JOB_BEGUN) && !is_offered(row))
		return "no boot has its attempt; expected it among \"offers\"";
	if (job_is_open(state) && !has_loader(row))
		return NO_LOADER;
	return job_is_open(state) && !fits_details(row) ? NO_ROOM : NULL;
}
