/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl_csv.h"
#include "ctl_verbs.h"
#include "error.h"

static void put_field(const char *text, const char *before)
{
	fputs(before, stdout);
	if (!strpbrk(text, "\",;\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++)
		printf(*text == '"' ? "\"\"" : "%c", *text);
	putchar('"');
}

static void put_guid(sqlite3_stmt *row, int column)
{
	json_t *json = data_column(&csv_columns[COLUMN_UUID], row, column);

	put_field(json_is_string(json) ? json_string_value(json) : "", ",");
	json_decref(json);
}

int ctl_device_csv(struct ctl *ctl)
{
	static const char sql[] =
		"SELECT name, (SELECT group_concat(text, ' ') FROM (SELECT"
		"  format('%s:%s:%s:%s:%s:%s', substr(h, 1, 2), substr(h, 3, 2), substr(h, 5, 2),"
		"   substr(h, 7, 2), substr(h, 9, 2), substr(h, 11, 2)) AS text"
		"  FROM (SELECT lower(hex(mac)) AS h FROM mac WHERE mac.device = device.id"
		"   ORDER BY mac))),"
		" uuid, isd, path, (SELECT group_concat(name, ' ') FROM (SELECT g.name FROM member"
		"  JOIN device_group g ON g.id = device_group WHERE device = device.id"
		"  ORDER BY g.name))"
		" FROM device LEFT JOIN temp.folder_path ON folder_path.id = folder"
		" WHERE (?1 = '/' OR substr(path || '/', 1, length(?1) + 1) = ?1 || '/' COLLATE NOCASE)"
		" AND (?2 = '' OR device.id IN (SELECT device FROM member JOIN device_group g"
		"  ON g.id = device_group WHERE g.name = ?2)) ORDER BY name";
	sqlite3_stmt *rows;
	int rc = data_read_paths(&ctl->store);

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		put_field(csv_columns[i].key, i ? "," : "");
	putchar('\n');
	if (rc == 0)
		rc = store_start(&ctl->store, &rows, sql, "tt", ctl->word_count ? ctl->words[0] : "/",
		                 "");
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		const char *text[COLUMN_COUNT];

		for (int i = 0; i < COLUMN_COUNT; i++)
			text[i] = i == COLUMN_UUID || i == COLUMN_ISD
			          ? NULL : (const char *)sqlite3_column_text(rows, i);
		for (int i = 0; i < COLUMN_COUNT; i++)
			if (i == COLUMN_UUID || i == COLUMN_ISD)
				put_guid(rows, i);
			else
				put_field(text[i] ? text[i] : "", i ? "," : "");
		putchar('\n');
		rc = 0;
	}
	return rc ? ctl_store_error(ctl) : 0;
}
