/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that asked and are no devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/noun.h"
#include "server/store/admission.h"

static const struct ctl_option opt_limit = { "limit", "N", "only the N seen last" };
static const struct ctl_option opt_all = { "all", NULL, "all unknown machines" };

static const uint8_t zeros[16];

/* Writes its MAC, or "-". */
static void mac_text(const struct unknown *s, char *out, size_t size)
{
	if (memcmp(s->mac, zeros, sizeof(s->mac)))
		text_format(out, size, "%pM", s->mac);
	else
		text_format(out, size, "-");
}

static void uuid_text(const struct unknown *s, char *out, size_t size)
{
	if (memcmp(s->uuid, zeros, sizeof(s->uuid)))
		text_format(out, size, "%pU", s->uuid);
	else
		text_format(out, size, "-");
}

/* --- finding --------------------------------------------------------------- */

/* Starts the list of those with the MAC or UUID @word; @key is to stay until its end. */
static int start_list(struct ctl *ctl, const char *word, uint8_t key[16], struct store_rows **rows)
{
	int rc;

	if (text_parse_mac(word, key) == 0)
		rc = unknown_by_mac(&ctl->store, key, rows);
	else if (text_parse_uuid(word, key) == 0)
		rc = unknown_by_uuid(&ctl->store, key, rows);
	else
		return ctl_error(EXIT_USAGE, "%s: expected a MAC address, as in 52:54:00:12:34:56, "
		                 "or a UUID", word);
	return rc ? ctl_store_error(ctl) : 0;
}

/* Says that there is no such unknown machine: it may be a device by now. */
static int report_missing(struct ctl *ctl, const char *word, const uint8_t key[16])
{
	uint8_t mac[6];
	struct device device;
	int rc = text_parse_mac(word, mac) == 0 ? device_by_mac(&ctl->store, key, &device)
	                                        : device_by_uuid(&ctl->store, key, &device);

	if (rc == 0)
		return ctl_error(EXIT_FAULT, "%s: that is device %s, and no unknown machine has "
		                 "asked with it", word, device.name);
	if (rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	return ctl_error(EXIT_FAULT, "unknown machine \"%s\" has not asked; see \"prebootctl "
	                 "unknown list\"", word);
}

/* Says whether all with the UUID of @unknown machine are one machine. */
static int check_one_machine(struct ctl *ctl, const struct unknown *unknown, const char *word)
{
	struct admission admission;
	char mac[40];

	if (admission_evaluate(&ctl->store, unknown, &admission))
		return ctl_store_error(ctl);
	if (admission.by_uuid)
		return 0;
	mac_text(unknown, mac, sizeof(mac));
	return ctl_error(EXIT_FAULT, "%s: several machines have this UUID, or may be several; name "
	                 "one by its MAC, as in %s; or, if it is one machine, \"prebootctl uuid "
	                 "allow %s\"", word, mac, word);
}

/* Finds the one that @word names, by MAC or UUID. */
int ctl_find_unknown(struct ctl *ctl, const char *word, struct unknown *unknown)
{
	struct unknown other;
	struct store_rows *rows;
	uint8_t key[16];
	char uuid[40]; /* or a MAC */
	int rc, status = start_list(ctl, word, key, &rows);

	if (status)
		return status;
	rc = store_step(rows);
	if (rc == 0)
		return report_missing(ctl, word, key);
	if (rc < 0)
		return ctl_store_error(ctl);
	unknown_row(rows, unknown);
	rc = store_step(rows);
	if (rc == 0)
		return 0;
	if (rc < 0)
		return ctl_store_error(ctl);
	unknown_row(rows, &other);
	store_end(rows);
	/* The adapters of one machine are admitted together, whichever is named. */
	if (memcmp(unknown->uuid, other.uuid, 16) == 0 && device_uuid_ok(other.uuid))
		return check_one_machine(ctl, unknown, word);
	if (memcmp(unknown->mac, other.mac, sizeof(other.mac))) {
		mac_text(unknown, uuid, sizeof(uuid));
		return ctl_error(EXIT_FAULT, "%s: a placeholder that many machines have as their "
		                 "UUID; name one by its MAC, as in %s", word, uuid);
	}
	uuid_text(memcmp(unknown->uuid, zeros, 16) ? unknown : &other, uuid, sizeof(uuid));
	return ctl_error(EXIT_FAULT, "%s: several machines reported this MAC; name one by its "
	                 "UUID, as in %s", word, uuid);
}

/* --- list and show --------------------------------------------------------- */

static json_t *json_unknown(const struct unknown *s, const char *note)
{
	char mac[40], uuid[40];

	mac_text(s, mac, sizeof(mac));
	uuid_text(s, uuid, sizeof(uuid));
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:o}",
	                 "mac", mac[0] == '-' ? json_null() : json_string(mac),
	                 "uuid", uuid[0] == '-' ? json_null() : json_string(uuid),
	                 "first", ctl_json_time(s->first), "last", ctl_json_time(s->last),
	                 "boots", (json_int_t)s->boots, "address", s->address,
	                 "outcome", s->outcome,
	                 "note", note[0] ? json_string(note) : json_null(),
	                 "hardware", s->length ? ctl_json_hardware(&s->request.u.request)
	                                       : json_null());
}

static int ctl_unknown_list(struct ctl *ctl)
{
	struct table table = { .columns = 7 };
	struct unknown s;
	uint32_t limit = UINT32_MAX;
	struct store_rows *rows;
	json_t *array;
	int rc, status = 0;

	if (ctl_given(ctl, &opt_limit))
		status = ctl_number(ctl_option(ctl, &opt_limit), "--limit", UNKNOWNS_MAX, &limit);
	if (status)
		return status;
	array = json_array();
	table_add(&table, "MAC", "PRODUCT", "SERIAL", "ADDRESS", "BOOTS", "LAST SEEN", "NOTE");
	rc = unknown_list(&ctl->store, &rows);
	while (store_next(rows, &rc)) {
		const struct request *r = &s.request.u.request;
		char mac[40], boots[24], ago[32], note[REASON_SIZE];

		unknown_row(rows, &s);
		rc = limit ? admission_note(&ctl->store, &s, note) : 0;
		if (limit-- == 0 || rc) {
			store_end(rows);
			break;
		}
		mac_text(&s, mac, sizeof(mac));
		text_format(boots, sizeof(boots), "%" PRIu64, s.boots);
		ctl_ago(s.last, ago, sizeof(ago));
		table_add(&table, mac, r->product[0] ? r->product : "-",
		          r->serial[0] ? r->serial : "-", s.address, boots, ago,
		          note[0] ? note : "-");
		json_array_append_new(array, json_unknown(&s, note));
	}
	return ctl_answer_list(ctl, rc, &table, array);
}

static int show_machine(struct ctl *ctl, const char *word, json_t *array)
{
	struct unknown s;
	char text[64], note[REASON_SIZE];
	int status = ctl_find_unknown(ctl, word, &s);

	if (status)
		return status;
	if (admission_note(&ctl->store, &s, note))
		return ctl_store_error(ctl);
	if (ctl->json) {
		json_array_append_new(array, json_unknown(&s, note));
		return 0;
	}
	mac_text(&s, text, sizeof(text));
	printf("unknown machine %s\n", text);
	uuid_text(&s, text, sizeof(text));
	ctl_line("UUID", "%s%s", text, text[0] == '-' || device_uuid_ok(s.uuid)
	                               ? "" : ", a placeholder that many machines have");
	ctl_time(s.first, text, sizeof(text));
	ctl_line("first seen", "%s", text);
	ctl_ago(s.last, text, sizeof(text));
	ctl_line("last seen", "%s, from %s", text, s.address);
	ctl_line("boots", "%llu", (unsigned long long)s.boots);
	ctl_line("outcome", "%s", s.outcome);
	if (note[0])
		ctl_line("note", "%s", note);
	printf("\nlast request\n");
	ctl_print_hardware(&s.request.u.request);
	return 0;
}

static int ctl_unknown_show(struct ctl *ctl)
{
	return ctl_show_each(ctl, show_machine);
}

/* --- remove ---------------------------------------------------------------- */

/* @count: receives how many were removed */
static int remove_machines(struct ctl *ctl, uint64_t *count)
{
	struct unknown s;
	int status = 0;

	*count = 0;
	if (ctl_given(ctl, &opt_all) && ctl->word_count)
		return ctl_error(EXIT_USAGE,
		                 "unknown remove: expected machines or --all, not both");
	if (ctl_given(ctl, &opt_all))
		return unknown_remove_all(&ctl->store, count) ? ctl_store_error(ctl) : 0;
	if (ctl->word_count == 0)
		return ctl_error(EXIT_USAGE, "unknown remove: missing argument MAC|UUID, or --all");
	for (int i = 0; status == 0 && i < ctl->word_count; i++) {
		status = ctl_find_unknown(ctl, ctl->words[i], &s);
		if (status == 0 && unknown_remove(&ctl->store, s.id))
			status = ctl_store_error(ctl);
		*count += status == 0;
	}
	return status;
}

static int ctl_unknown_remove(struct ctl *ctl)
{
	uint64_t count = 0;
	int status = CTL_TRANSACTION(ctl, remove_machines(ctl, &count));

	return status ? status : ctl_say(ctl, json_pack("{s:I}", "removed", (json_int_t)count),
	                                 "%llu unknown machine%s removed",
	                                 (unsigned long long)count, ctl_plural(count));
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "list", .alias = "ls", .run = ctl_unknown_list, .options = OPTIONS(&opt_limit),
	  .usage = "[--limit N]",
	  .help = "List the machines that asked and are no devices, the last one first. The 10000 "
	          "seen last are kept. The note says which device has the same UUID or MAC." },
	{ .name = "show", .alias = "info", .run = ctl_unknown_show, .min = 1,
	  .max = NO_LIMIT, .usage = "MAC|UUID...",
	  .help = "Show all that unknown machines reported." },
	{ .name = "remove", .alias = "delete", .run = ctl_unknown_remove, .min = 0, .max = NO_LIMIT,
	  .options = OPTIONS(&opt_all), .usage = "MAC|UUID|--all...",
	  .help = "Delete what is stored of unknown machines, or of all of them. A machine that "
	          "asks again is listed again." },
	{ .run = NULL },
};

const struct noun noun_unknown = {
	.name = "unknown", .alias = "stranger", .about = "machines that asked and are no devices",
	.verbs = verbs,
};
