/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading words of the command line: file names, what a job is, numbers, times and dates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"

const struct ctl_option opt_config = {
	"config", "FILE", "the loader's configuration file, such as z_auto.cfg; \"\": the loader "
	"takes none"
};
const struct ctl_option opt_loader_bios = {
	"loader-bios", "FILE", "the loader for BIOS firmware; \"\": machines with such firmware "
	"boot their disk; without it as the setting loader-bios says"
};
const struct ctl_option opt_loader_uefi = {
	"loader-uefi", "FILE", "the loader for UEFI firmware on x64, likewise; \"\" is for other "
	"processors, too, unless the next two say otherwise"
};
const struct ctl_option opt_loader_ia32 = {
	"loader-uefi-ia32", "FILE", "the loader for UEFI firmware of 32 bit, likewise"
};
const struct ctl_option opt_loader_arm64 = {
	"loader-uefi-arm64", "FILE", "the loader for UEFI firmware on ARM64, likewise"
};
const struct ctl_option opt_prefix = { "prefix", "PATH", "the loader's path prefix" };
const struct ctl_option opt_attempts = {
	"attempts", "N", "how many boots may be offered the job; without it as the setting "
	"attempts says"
};
const struct ctl_option opt_deadline = {
	"deadline", "TIME", "how long it may take once it has begun: 90s, 30m, 4h, 1d; without it "
	"as the setting deadline says"
};
const struct ctl_option opt_unset = {
	"unset", "KEY", "leave out details of the bundle; several with commas between them"
};

#define FROM_SETTINGS "*"

int ctl_read_file_name(const char *what, const char *name, char out[FILE_SIZE])
{
	if (!message_file_name_ok(name))
		return ctl_error(EXIT_USAGE, "%s %s: not a file name; expected 1 to %d of the "
		                 "characters A-Z a-z 0-9 . _ - /, without a \"..\"", what, name,
		                 FILE_SIZE - 1);
	text_format(out, FILE_SIZE, "%s", name);
	return 0;
}

/* An empty loader means: not for such firmware. */
static int read_loader(const char *what, const char *given, char out[FILE_SIZE])
{
	if (given && (!given[0] || strcmp(given, LOADER_OF_SETTINGS) == 0)) {
		text_format(out, FILE_SIZE, "%s", given);
		return 0;
	}
	return given ? ctl_read_file_name(what, given, out) : 0;
}

static int read_loaders(struct ctl *ctl, struct loaders *loaders)
{
	static const struct ctl_option *const options[LOADERS] = {
		[LOADER_BIOS] = &opt_loader_bios, [LOADER_UEFI] = &opt_loader_uefi,
		[LOADER_UEFI_IA32] = &opt_loader_ia32, [LOADER_UEFI_ARM64] = &opt_loader_arm64,
	};
	const char *uefi = ctl_option(ctl, &opt_loader_uefi);
	bool whole = uefi && (!uefi[0] || strcmp(uefi, LOADER_OF_SETTINGS) == 0);
	char what[32];
	int status = 0;

	for (enum loader_kind kind = 0; status == 0 && kind < LOADERS; kind++) {
		const char *given = ctl_option(ctl, options[kind]);

		/* What is no x64 program is meant for UEFI as such. */
		if (!given && whole && kind > LOADER_UEFI)
			given = uefi;
		text_format(what, sizeof(what), "--loader-%s", loader_name(kind));
		status = read_loader(what, given, loaders->of[kind]);
	}
	if (status == 0 && loader_first(loaders) == LOADERS)
		status = ctl_error(EXIT_USAGE, "it needs a loader for BIOS or for UEFI");
	return status;
}

int ctl_read_bundle(struct ctl *ctl, struct bundle *bundle)
{
	const char *config = ctl_option(ctl, &opt_config), *prefix = ctl_option(ctl, &opt_prefix);
	const char *attempts = ctl_option(ctl, &opt_attempts);
	const char *deadline = ctl_option(ctl, &opt_deadline);
	int status = config && config[0]
	             ? ctl_read_file_name("--config", config, bundle->config) : 0;

	if (config && !config[0])
		bundle->config[0] = '\0'; /* the loader takes none */
	if (status == 0)
		status = read_loaders(ctl, &bundle->loaders);
	if (status == 0 && prefix && prefix[0])
		status = ctl_read_file_name("--prefix", prefix, bundle->prefix);
	else if (status == 0 && prefix)
		bundle->prefix[0] = '\0';
	if (status == 0 && attempts && strcmp(attempts, FROM_SETTINGS) == 0)
		bundle->attempts = 0;
	else if (status == 0 && attempts)
		status = ctl_number(attempts, "--attempts", JOB_ATTEMPTS_MAX, &bundle->attempts);
	if (status == 0 && deadline && strcmp(deadline, FROM_SETTINGS) == 0)
		bundle->deadline = 0;
	else if (status == 0 && deadline)
		status = ctl_seconds(deadline, "--deadline", JOB_DEADLINE_MAX, &bundle->deadline);
	return status;
}

/* --- details --------------------------------------------------------------- */

/* Returns where in @details the string for @key stands, or -1. */
static int find_key(const struct details *details, const char *key, size_t length)
{
	for (size_t at = 0; at < details->details_length; at += strlen(details->details + at) + 1)
		if (strncmp(details->details + at, key, length) == 0 &&
		    details->details[at + length] == '=')
			return (int)at;
	return -1;
}

static void drop_key(struct details *details, const char *key, size_t length)
{
	int at = find_key(details, key, length);
	size_t size;

	if (at < 0)
		return;
	size = strlen(details->details + at) + 1;
	memmove(details->details + at, details->details + at + size,
	        details->details_length - (size_t)at - size);
	details->details_length = (uint16_t)(details->details_length - size);
}

/* Drops the keys of --unset, which commas stand between. */
static int unset_details(struct details *details, const char *keys)
{
	while (keys && *keys) {
		size_t length = strcspn(keys, ",");

		if (find_key(details, keys, length) < 0)
			return ctl_error(EXIT_FAULT, "--unset %.*s: there is no such detail",
			                 (int)length, keys);
		drop_key(details, keys, length);
		keys += length + (keys[length] == ',');
	}
	return 0;
}

static int add_detail(struct details *details, const char *word)
{
	const char *equals = strchr(word, '=');
	char key[64];

	if (!equals || (size_t)(equals - word) >= sizeof(key))
		return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE", word);
	text_format(key, (size_t)(equals - word) + 1, "%s", word);
	if (find_key(details, key, strlen(key)) >= 0)
		return ctl_error(EXIT_USAGE, "%s: given twice", key);
	switch (details_add(details, key, equals + 1)) {
	case 0: return 0;
	case ERR_SPACE:
		return ctl_error(EXIT_USAGE, "%s: too much; all details must fit one datagram, "
		                 "with about 900 characters", key);
	default:
		return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE; a key has 1 to 32 letters, "
		                 "digits and \"_\" and begins with no digit, a value is printable "
		                 "ASCII", word);
	}
}

int ctl_read_details(struct ctl *ctl, int first, struct details *details)
{
	struct details given = { 0 };
	int status = unset_details(details, ctl_option(ctl, &opt_unset));

	for (int i = first; status == 0 && i < ctl->word_count; i++)
		status = add_detail(&given, ctl->words[i]);
	for (size_t at = 0; at < given.details_length; at += strlen(given.details + at) + 1)
		drop_key(details, given.details + at, strcspn(given.details + at, "="));
	for (size_t at = 0; status == 0 && at < given.details_length;
	     at += strlen(given.details + at) + 1)
		status = add_detail(details, given.details + at);
	return status;
}

int ctl_check_details(const struct bundle *bundle, const struct details *details, bool session)
{
	static const char *const taken[] = { "multicast", "multicast_state", "multicast_clients" };

	for (size_t i = 0; session && i < sizeof(taken) / sizeof(taken[0]); i++)
		if (find_key(details, taken[i], strlen(taken[i])) >= 0)
			return ctl_error(EXIT_USAGE, "%s: multicast sessions set this detail; take "
			                 "another key", taken[i]);
	if (bundle_details_fit(bundle->config, details, session))
		return ctl_error(EXIT_USAGE, "the details do not fit one datagram%s; shorten them",
		                 session ? ", with what multicast sessions add" : "");
	return 0;
}

/* --- numbers and times ----------------------------------------------------- */

int ctl_number(const char *text, const char *what, uint32_t max, uint32_t *number)
{
	uint64_t value;

	if (text_parse_number(text, max, &value) || value < 1)
		return ctl_error(EXIT_USAGE, "%s %s: expected a number from 1 to %u", what, text,
		                 max);
	*number = (uint32_t)value;
	return 0;
}

int ctl_seconds(const char *text, const char *what, uint32_t max, uint32_t *seconds)
{
	static const struct {
		const char *suffix;
		uint32_t factor;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 },
	              { "d", 86400 } };
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[0] < '0' || text[0] > '9' || errno || strcmp(end, units[i].suffix) != 0)
			continue;
		if (value < 1 || value > max / units[i].factor)
			break;
		*seconds = (uint32_t)value * units[i].factor;
		return 0;
	}
	return ctl_error(EXIT_USAGE, "%s %s: expected a time from 1s to %ud, as in 90s, 30m, 4h "
	                 "or 1d", what, text, max / 86400);
}

void ctl_seconds_text(uint32_t seconds, char out[CTL_SECONDS])
{
	static const struct {
		const char *suffix;
		uint32_t factor;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };
	size_t i = 0;

	while (seconds % units[i].factor || (!seconds && units[i].factor > 1))
		i++;
	snprintf(out, CTL_SECONDS, "%u%s", seconds / units[i].factor, units[i].suffix);
}

/* --- dates ----------------------------------------------------------------- */

#define PAST_MAX (10 * 366 * 86400) /* seconds */

/* Reads a date as @format has it. Returns whether @text is one, in form. */
static bool read_date(const char *text, const char *format, struct tm *date)
{
	const char *end;

	memset(date, 0, sizeof(*date));
	end = strptime(text, format, date);
	return end && !*end;
}

/*
 * Reads a date, with or without a time of day. @whole_day: receives whether it is without
 * Returns 0, an exit status after saying why, or -1 if @text is none by its form.
 */
static int read_date_time(const char *what, const char *text, int64_t *time, bool *whole_day)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		                               "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm local, noon;

		if (!read_date(text, formats[i], &local))
			continue;
		/* mktime() makes March 2 of February 30; no clock is set forward at noon. */
		noon = local;
		noon.tm_hour = 12;
		noon.tm_isdst = -1;
		if (mktime(&noon) == -1 || noon.tm_mday != local.tm_mday)
			return ctl_error(EXIT_USAGE, "%s %s: there is no such day", what, text);
		*whole_day = i == 0;
		local.tm_isdst = -1;
		*time = mktime(&local);
		return 0;
	}
	return -1;
}

/* Returns when the day that begins at @start is over. */
static int64_t day_end(int64_t start)
{
	time_t begin = (time_t)start;
	struct tm local = *localtime(&begin);

	local.tm_mday++;
	local.tm_isdst = -1;
	return mktime(&local);
}

int ctl_read_past(const char *what, const char *text, bool end, int64_t *time_out)
{
	bool whole_day;
	uint32_t seconds;
	int status = read_date_time(what, text, time_out, &whole_day);

	if (status == 0 && whole_day && end)
		*time_out = day_end(*time_out) - 1;
	if (status >= 0)
		return status;
	if (text[0] < '0' || text[0] > '9' || strpbrk(text, "-:/. "))
		return ctl_error(EXIT_USAGE, "%s %s: expected a day, as in 2026-12-31, with a "
		                 "time, as in \"2026-12-31 18:00\", or how long ago, as in 7d",
		                 what, text);
	status = ctl_seconds(text, what, PAST_MAX, &seconds);
	*time_out = status ? 0 : time(NULL) - seconds;
	return status;
}

int ctl_read_until(const char *text, int64_t *time_out)
{
	int64_t now = time(NULL);
	bool whole_day;
	uint32_t seconds;
	int status = read_date_time("--until", text, time_out, &whole_day);

	if (status == 0 && whole_day)
		*time_out = day_end(*time_out);
	if (status == 0 && *time_out <= now)
		return ctl_error(EXIT_USAGE, "--until %s: is in the past", text);
	if (status >= 0)
		return status;
	if (text[0] < '0' || text[0] > '9' || strpbrk(text, "-:/. "))
		return ctl_error(EXIT_USAGE, "--until %s: expected a day, as in 2026-12-31, with a "
		                 "time, as in \"2026-12-31 18:00\", or how long from now, as in 7d",
		                 text);
	if (ctl_seconds(text, "--until", 366 * 86400, &seconds))
		return EXIT_USAGE;
	*time_out = now + seconds;
	return 0;
}
