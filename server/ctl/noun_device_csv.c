/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices as comma-separated values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_data.h"
#include "server/ctl/noun_device.h"
#include "server/tool/output.h"
#include "server/transfer/device_csv.h"

const struct ctl_option opt_create_folders = {
	"create-folders", NULL, "make the folders that are missing"
};
const struct ctl_option opt_create_groups = {
	"create-groups", NULL, "make the groups that are missing"
};
const struct ctl_option opt_dry_run = {
	"dry-run", NULL, "print what would change, and change nothing"
};

/* Prints each change of a dry run as a line. */
static void print_changes(const json_t *changes)
{
	static const char *const kinds[] = { "device", "folder", "group" };
	const char *key;
	json_t *change, *pair;
	size_t i;

	json_array_foreach(changes, i, change) {
		const char *before = ": ";

		for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
			if (json_object_get(change, kinds[kind]))
				printf("%s %s %s",
				       json_string_value(json_object_get(change, "change")),
				       kinds[kind],
				       json_string_value(json_object_get(change, kinds[kind])));
		/* What a new device had before needs no word. */
		json_object_foreach(json_object_get(change, "fields"), key, pair) {
			const char *was = json_string_value(json_array_get(pair, 0));
			const char *becomes = json_string_value(json_array_get(pair, 1));

			if (strcmp(json_string_value(json_object_get(change, "change")), "add") ==
			    0)
				printf("%s%s \"%s\"", before, key, becomes);
			else
				printf("%s%s \"%s\" -> \"%s\"", before, key, was, becomes);
			before = ", ";
		}
		putchar('\n');
	}
}

static void print_device_import(struct ctl *ctl, const char *file, const struct device_csv *csv)
{
	size_t all = csv->added + csv->changed + csv->unchanged;

	if (ctl->json) {
		json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}",
			"devices", (json_int_t)all, "added", (json_int_t)csv->added,
			"changed", (json_int_t)csv->changed,
			"unchanged", (json_int_t)csv->unchanged,
			"folders", (json_int_t)csv->folders, "groups", (json_int_t)csv->groups,
			"dry_run", csv->dry_run);

		if (csv->changes)
			json_object_set(object, "changes", csv->changes);
		ctl_import_warnings(ctl, file, &csv->errors, object);
		ctl_print_json(object);
		return;
	}
	ctl_import_warnings(ctl, file, &csv->errors, NULL);
	print_changes(csv->changes);
	printf("%s%zu device%s added, %zu changed, %zu unchanged; %zu folder%s and %zu group%s "
	       "made\n",
	       csv->dry_run ? "dry run, nothing is stored: " : "", csv->added,
	       csv->added == 1 ? "" : "s", csv->changed, csv->unchanged, csv->folders,
	       csv->folders == 1 ? "" : "s", csv->groups, csv->groups == 1 ? "" : "s");
}

int ctl_device_import(struct ctl *ctl)
{
	struct device_csv csv = {
		.store = &ctl->store,
		.create_folders = ctl_given(ctl, &opt_create_folders),
		.create_groups = ctl_given(ctl, &opt_create_groups),
		.dry_run = ctl_given(ctl, &opt_dry_run),
	};
	const char *file;
	size_t length;
	char *text = ctl_read_file(ctl->words[0], &length);
	int rc, status = 0;

	if (!text)
		return EXIT_FAULT;
	file = strcmp(ctl->words[0], "-") == 0 ? "standard input" : ctl->words[0];
	csv.changes = csv.dry_run ? json_array() : NULL;
	rc = device_csv_import(&csv, text, length);
	if (rc == ERR_MALFORMED && csv.message)
		status = ctl_error(EXIT_FAULT, "%s: %s", file, csv.message);
	else if (rc == ERR_MALFORMED)
		status = ctl_import_refused(ctl, file, &csv.errors,
		                            "no device has been added or changed");
	else if (rc)
		status = ctl_store_error(ctl);
	else
		print_device_import(ctl, file, &csv);
	import_errors_free(&csv.errors);
	json_decref(csv.changes);
	free(text);
	return status;
}

static int put_device(struct ctl *ctl, const struct device *device, void *data)
{
	bool *begun = data;

	/* An error before the first device leaves nothing printed. */
	if (!*begun)
		device_csv_head(stdout);
	*begun = true;
	return device_csv_row(&ctl->store, device, stdout) ? ctl_store_error(ctl) : 0;
}

int ctl_put_csv(struct ctl *ctl)
{
	bool begun = false;
	int status = ctl_each_listed(ctl, put_device, &begun);

	if (status == 0 && !begun)
		device_csv_head(stdout);
	return status;
}
