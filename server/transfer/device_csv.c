/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/device_csv.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/folders.h"
#include "server/store/groups.h"
#include "server/transfer/device_csv_internal.h"

/* --- import ---------------------------------------------------------------- */

static void free_import(struct csv_import *import)
{
	for (size_t i = 0; i < import->row_count; i++) {
		json_decref(import->rows[i].groups);
		json_decref(import->rows[i].changes);
	}
	free(import->rows);
	json_decref(import->found);
}

int device_csv_import(struct device_csv *csv, char *text, size_t length)
{
	struct csv_import import = { .csv = csv, .store = csv->store };
	int rc;

	if (csv_start(&import.text, text, length)) {
		csv->message = import.text.message;
		return ERR_MALFORMED;
	}
	import.found = json_object();
	rc = store_begin(csv->store);
	if (rc == 0)
		rc = csv_read_rows(&import);
	if (rc == 0)
		rc = csv_check_identities(&import);
	if (rc == 0 && csv->errors.errors)
		rc = ERR_MALFORMED;
	if (rc == 0)
		rc = csv_store_rows(&import);
	if (rc == 0 && !csv->dry_run)
		rc = store_commit(csv->store);
	store_rollback(csv->store);
	import_errors_sort(&csv->errors);
	free_import(&import);
	return rc;
}

/* --- export ---------------------------------------------------------------- */

/* Names, paths and addresses need no quotes; what another program wrote may. */
static void write_field(FILE *out, const char *text)
{
	if (!strpbrk(text, "\",;\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, out);
	fputc('"', out);
}

static void write_guid(FILE *out, const uint8_t guid[16])
{
	static const uint8_t none[16];
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	fputc(',', out);
	if (memcmp(guid, none, 16))
		write_field(out, text);
}

static int write_macs(struct store *store, uint64_t device, FILE *out)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[DEVICE_MACS_MAX * 18 + 1] = "";
	size_t count, used = 0;
	int rc = device_macs(store, device, macs, &count);

	for (size_t i = 0; rc == 0 && i < count; i++)
		used += text_format(text + used, sizeof(text) - used, i ? " %pM" : "%pM", macs[i]);
	fputc(',', out);
	write_field(out, text);
	return rc;
}

static int write_folder(struct store *store, uint64_t device, FILE *out)
{
	char path[FOLDER_PATH] = "";
	uint64_t folder;
	int rc = device_folder(store, device, &folder);

	if (rc == 0 && folder)
		rc = folder_path(store, folder, path);
	fputc(',', out);
	write_field(out, path);
	return rc;
}

static int write_groups(struct store *store, uint64_t device, FILE *out)
{
	struct group_row group;
	struct store_rows *rows;
	size_t count = 0;
	int rc = group_list(store, device, &rows);

	fputc(',', out);
	while (store_next(rows, &rc)) {
		group_row(rows, &group);
		fprintf(out, "%s%s", count++ ? " " : "", group.name);
	}
	return rc;
}

void device_csv_head(FILE *out)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		fprintf(out, "%s%s", i ? "," : "", csv_column_names[i]);
	fputc('\n', out);
}

int device_csv_row(struct store *store, const struct device *device, FILE *out)
{
	int rc;

	write_field(out, device->name);
	rc = write_macs(store, device->id, out);
	write_guid(out, device->uuid);
	write_guid(out, device->isd);
	if (rc == 0)
		rc = write_folder(store, device->id, out);
	if (rc == 0)
		rc = write_groups(store, device->id, out);
	fputc('\n', out);
	return rc;
}
