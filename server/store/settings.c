/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/settings.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/folder.h"

#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

/*
 * The folders around the owner, which has level ?1 and id ?2, and their distance
 * from it. A folder that is within itself ends at the greatest depth.
 */
#define CHAIN \
	"WITH RECURSIVE chain (folder, distance) AS (" \
	" SELECT iif(?1 = 'device', (SELECT folder FROM device WHERE id = ?2)," \
	"            iif(?1 = 'folder', ?2, NULL)), 1" \
	" UNION ALL SELECT folder.parent, chain.distance + 1 FROM chain, folder" \
	" WHERE folder.id = chain.folder AND chain.distance < " TEXT_OF(FOLDER_DEPTH_MAX) ")"

/* All that is set for the owner at any level: level, owner, key, value, distance. */
#define VALUES \
	" SELECT level, owner, key, value, 1000 AS distance FROM setting" \
	" WHERE level = 'global' AND owner = 0" \
	" UNION ALL SELECT level, owner, key, value, chain.distance FROM chain, setting" \
	" WHERE level = 'folder' AND owner = chain.folder" \
	" UNION ALL SELECT level, owner, key, value, 0 FROM setting" \
	" WHERE ?1 = 'device' AND level = 'device' AND owner = ?2"

int settings_read(struct store *store, const struct owner *owner,
                  struct settings *settings)
{
	/* The furthest come first, so that the nearer overwrite them. */
	static const char sql[] = CHAIN VALUES " ORDER BY distance DESC";
	char key[32], value[SETTING_TEXT];
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "ti", level_name(owner->level),
	                     (int64_t)owner->id);

	settings_default(settings);
	while (store_next(rows, &rc)) {
		int index;

		store_text(rows, 2, key, sizeof(key));
		store_text(rows, 3, value, sizeof(value));
		index = setting_find(key);
		/* A value that another version understands leaves what was there. */
		if (index >= 0)
			setting_parse((size_t)index, value, settings);
	}
	return rc;
}

int setting_read(struct store *store, const struct owner *owner, size_t index,
                 char value[SETTING_TEXT], struct owner *from)
{
	static const char sql[] = CHAIN " SELECT level, owner, value FROM (" VALUES
		") WHERE key = ?3 ORDER BY distance";
	struct settings unused;
	struct store_rows *rows;
	char level[16];
	int rc = store_start(store, &rows, sql, "tit", level_name(owner->level),
	                     (int64_t)owner->id, setting_key(index));

	while (store_next(rows, &rc)) {
		store_text(rows, 2, value, SETTING_TEXT);
		if (setting_parse(index, value, &unused))
			continue;
		store_text(rows, 0, level, sizeof(level));
		from->level = LEVEL_GLOBAL;
		(void)level_parse(level, &from->level); /* the schema allows no others */
		from->id = (uint64_t)store_number(rows, 1);
		store_end(rows);
		return 0;
	}
	text_format(value, SETTING_TEXT, "%s", setting_default(index));
	from->level = LEVEL_DEFAULT;
	from->id = 0;
	return rc;
}

int setting_write(struct store *store, const struct owner *owner, size_t index,
                  const char *value)
{
	static const char set[] = "INSERT INTO setting VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (level, owner, key) DO UPDATE SET value = ?4";
	static const char unset[] =
		"DELETE FROM setting WHERE level = ? AND owner = ? AND key = ?";
	const char *level = level_name(owner->level);
	int rc;

	if (value)
		return store_run(store, set, "titt", level, (int64_t)owner->id, setting_key(index),
		                 value);
	rc = store_run(store, unset, "tit", level, (int64_t)owner->id, setting_key(index));
	if (rc == 0 && store_changes(store) == 0)
		rc = ERR_NOT_FOUND;
	return rc;
}

int setting_list_file_owners(struct store *store, struct store_rows **rows)
{
	static const char sql[] =
		"SELECT DISTINCT level, owner FROM setting WHERE level <> 'global'"
		" AND key IN ('menu-mode', 'menu-file', 'loader-bios', 'loader-uefi',"
		" 'loader-uefi-ia32', 'loader-uefi-arm64')";

	return store_start(store, rows, sql, "");
}

void setting_owner_row(struct store_rows *row, struct owner *owner)
{
	char level[16];

	store_text(row, 0, level, sizeof(level));
	owner->level = LEVEL_DEVICE;
	(void)level_parse(level, &owner->level); /* the schema allows no others */
	owner->id = (uint64_t)store_number(row, 1);
}

int setting_is_shared_mac(struct store *store, const uint8_t mac[6], bool *shared)
{
	static const struct owner global = { LEVEL_GLOBAL, 0 };
	struct mac_prefix prefixes[SHARED_MACS_MAX];
	struct owner from;
	char value[SETTING_TEXT];
	size_t count = 0;
	int rc = setting_read(store, &global, (size_t)setting_find(SHARED_MACS), value, &from);

	*shared = false;
	if (rc || shared_macs_parse(value, prefixes, &count))
		return rc;
	for (size_t i = 0; i < count && !*shared; i++)
		*shared = memcmp(prefixes[i].bytes, mac, prefixes[i].length) == 0;
	return 0;
}
