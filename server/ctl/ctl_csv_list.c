/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_csv.h"
#include "server/ctl/ctl_data.h"
#include "server/store/folders.h"
#include "server/store/groups.h"

/* Names, paths and addresses need no quotes; what another program wrote may. */
static void put_field(const char *text)
{
	if (!strpbrk(text, "\",;\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, stdout);
	putchar('"');
}

static void put_guid(const uint8_t guid[16])
{
	static const uint8_t none[16];
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	putchar(',');
	if (memcmp(guid, none, 16))
		put_field(text);
}

static int put_macs(struct store *store, uint64_t device)
{
	uint8_t macs[DEVICE_MACS_MAX][6];
	char text[DEVICE_MACS_MAX * 18 + 1] = "";
	size_t count, used = 0;
	int rc = device_macs(store, device, macs, &count);

	for (size_t i = 0; rc == 0 && i < count; i++)
		used += text_format(text + used, sizeof(text) - used, i ? " %pM" : "%pM", macs[i]);
	putchar(',');
	put_field(text);
	return rc;
}

static int put_folder(struct store *store, uint64_t device)
{
	char path[FOLDER_PATH] = "";
	uint64_t folder;
	int rc = device_folder(store, device, &folder);

	if (rc == 0 && folder)
		rc = folder_path(store, folder, path);
	putchar(',');
	put_field(path);
	return rc;
}

static int put_groups(struct store *store, uint64_t device)
{
	struct group_row group;
	sqlite3_stmt *rows;
	size_t count = 0;
	int rc = group_list(store, device, &rows);

	putchar(',');
	while (rc == 0 && (rc = store_step(store, rows)) == 1) {
		group_row(rows, &group);
		printf("%s%s", count++ ? " " : "", group.name);
		rc = 0;
	}
	return rc;
}

int ctl_put_csv(struct ctl *ctl, sqlite3_stmt *rows)
{
	struct device device;
	int rc = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		printf("%s%s", i ? "," : "", csv_columns[i].key);
	putchar('\n');
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		device_row(rows, &device);
		put_field(device.name);
		rc = put_macs(&ctl->store, device.id);
		put_guid(device.uuid);
		put_guid(device.isd);
		if (rc == 0)
			rc = put_folder(&ctl->store, device.id);
		if (rc == 0)
			rc = put_groups(&ctl->store, device.id);
		putchar('\n');
	}
	return rc ? ctl_store_error(ctl) : 0;
}
