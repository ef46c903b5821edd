/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/folders.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/devices.h"

/* --- finding --------------------------------------------------------------- */

int folder_child(struct store *store, uint64_t parent, const char *name, uint64_t *id)
{
	static const char sql[] = "SELECT id FROM folder WHERE ifnull(parent, 0) = ? AND name = ?";

	return store_one(store, store_take_number, id, sql, "it", (int64_t)parent, name);
}

int folder_find(struct store *store, const char *path, uint64_t *id)
{
	char name[NAME_SIZE];
	int rc = 0;

	*id = 0;
	if (path[0] != '/')
		return ERR_MALFORMED;
	path++;
	while (rc == 0 && *path) {
		size_t length = strcspn(path, "/");

		if (length >= sizeof(name))
			return ERR_MALFORMED;
		text_format(name, length + 1, "%s", path);
		if (!folder_name_ok(name))
			return ERR_MALFORMED;
		rc = folder_child(store, *id, name, id);
		path += length + (path[length] == '/');
	}
	return rc;
}

int folder_parent(struct store *store, uint64_t id, uint64_t *parent)
{
	static const char sql[] = "SELECT ifnull(parent, 0) FROM folder WHERE id = ?";

	return store_one(store, store_take_number, parent, sql, "i", (int64_t)id);
}

int folder_path(struct store *store, uint64_t id, char path[FOLDER_PATH])
{
	/* A chain that does not end, as only a damaged database has, is cut. */
	static const char sql[] =
		"WITH RECURSIVE up (id, name, level) AS ("
		" SELECT parent, name, 1 FROM folder WHERE id = ?"
		" UNION ALL SELECT folder.parent, folder.name, level + 1"
		" FROM up JOIN folder ON folder.id = up.id WHERE level < 16)"
		" SELECT name FROM up ORDER BY level DESC";
	char name[NAME_SIZE];
	struct store_rows *rows;
	size_t length = 0;
	int rc;

	text_format(path, FOLDER_PATH, "/");
	if (id == 0)
		return 0;
	rc = store_start(store, &rows, sql, "i", (int64_t)id);
	while (store_next(rows, &rc)) {
		store_text(rows, 0, name, sizeof(name));
		length += text_format(path + length, FOLDER_PATH - length, "/%s", name);
	}
	return rc ? rc : length ? 0 : ERR_NOT_FOUND;
}

int folder_depth(struct store *store, uint64_t id, uint32_t *depth)
{
	char path[FOLDER_PATH];
	int rc = folder_path(store, id, path);

	*depth = 0;
	for (const char *p = path; rc == 0 && id && *p; p++)
		*depth += *p == '/';
	return rc;
}

int folder_height(struct store *store, uint64_t id, uint32_t *height)
{
	static const char sql[] =
		"WITH RECURSIVE below (id, level) AS (SELECT ?, 0 UNION ALL"
		" SELECT folder.id, level + 1 FROM below"
		" JOIN folder ON ifnull(folder.parent, 0) = below.id WHERE level < 16)"
		" SELECT max(level) FROM below";
	uint64_t level = 0;
	int rc = store_one(store, store_take_number, &level, sql, "i", (int64_t)id);

	*height = (uint32_t)level;
	return rc;
}

int folder_within(struct store *store, uint64_t id, uint64_t above, bool *within)
{
	int rc = 0;

	for (int i = 0; rc == 0 && id && id != above && i < FOLDER_DEPTH; i++)
		rc = folder_parent(store, id, &id);
	*within = id == above;
	return rc;
}

/* --- keeping --------------------------------------------------------------- */

int folder_add(struct store *store, uint64_t parent, const char *name, uint64_t *id)
{
	static const char sql[] = "INSERT INTO folder (parent, name) VALUES (nullif(?, 0), ?)";
	int rc = store_run(store, sql, "it", (int64_t)parent, name);

	*id = store_last_id(store);
	return rc;
}

int folder_move(struct store *store, uint64_t id, uint64_t parent)
{
	static const char sql[] = "UPDATE folder SET parent = nullif(?2, 0) WHERE id = ?1";

	return store_run(store, sql, "ii", (int64_t)id, (int64_t)parent);
}

int folder_rename(struct store *store, uint64_t id, const char *name)
{
	static const char sql[] = "UPDATE folder SET name = ?2 WHERE id = ?1";

	return store_run(store, sql, "it", (int64_t)id, name);
}

int folder_empty(struct store *store, uint64_t id, uint64_t parent)
{
	static const char folders[] = "UPDATE folder SET parent = nullif(?2, 0) WHERE parent = ?1";
	static const char devices[] = "UPDATE device SET folder = nullif(?2, 0) WHERE folder = ?1";
	int rc = store_run(store, folders, "ii", (int64_t)id, (int64_t)parent);

	return rc ? rc : store_run(store, devices, "ii", (int64_t)id, (int64_t)parent);
}

int folder_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM folder WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

/* --- listing --------------------------------------------------------------- */

int folder_list(struct store *store, uint64_t id, struct store_rows **rows)
{
	/* The deepest of those that wait comes next: so a folder's own follow it. */
	static const char sql[] =
		"WITH RECURSIVE tree (id, depth, name) AS ("
		" SELECT ?1, 0, iif(?1 = 0, '/', (SELECT name FROM folder WHERE id = ?1))"
		" UNION ALL SELECT folder.id, depth + 1, folder.name COLLATE NOCASE FROM tree"
		" JOIN folder ON ifnull(folder.parent, 0) = tree.id WHERE depth < 16"
		" ORDER BY 2 DESC, 3)"
		" SELECT id, depth, name,"
		" (SELECT count(*) FROM folder WHERE ifnull(parent, 0) = tree.id),"
		" (SELECT count(*) FROM device WHERE folder IS nullif(tree.id, 0)),"
		" (SELECT count(*) FROM setting"
		"  WHERE level = iif(tree.id, 'folder', 'global') AND owner = tree.id),"
		" (SELECT count(*) FROM assignment"
		"  WHERE level = iif(tree.id, 'folder', 'global') AND owner = tree.id)"
		" FROM tree";

	return store_start(store, rows, sql, "i", (int64_t)id);
}

void folder_row(struct store_rows *row, struct folder_row *out)
{
	out->id = (uint64_t)store_number(row, 0);
	out->depth = (uint32_t)store_number(row, 1);
	store_text(row, 2, out->name, sizeof(out->name));
	out->folders = (uint64_t)store_number(row, 3);
	out->devices = (uint64_t)store_number(row, 4);
	out->settings = (uint64_t)store_number(row, 5);
	out->assignments = (uint64_t)store_number(row, 6);
}

/* --- the devices in them --------------------------------------------------- */

int device_folder(struct store *store, uint64_t device, uint64_t *folder)
{
	static const char sql[] = "SELECT ifnull(folder, 0) FROM device WHERE id = ?";

	return store_one(store, store_take_number, folder, sql, "i", (int64_t)device);
}

int device_move(struct store *store, uint64_t device, uint64_t folder)
{
	static const char sql[] = "UPDATE device SET folder = nullif(?2, 0) WHERE id = ?1";

	return store_run(store, sql, "ii", (int64_t)device, (int64_t)folder);
}

int folder_devices(struct store *store, uint64_t folder, struct store_rows **rows)
{
	static const char sql[] =
		"WITH RECURSIVE tree (id, depth) AS (SELECT ?1, 0 UNION ALL"
		" SELECT folder.id, depth + 1 FROM tree JOIN folder ON folder.parent = tree.id"
		" WHERE depth < 16)"
		" SELECT " DEVICE_COLUMNS " FROM device WHERE folder IN (SELECT id FROM tree)"
		" ORDER BY name";

	return folder ? store_start(store, rows, sql, "i", (int64_t)folder)
	              : device_list(store, rows);
}

int folder_write_paths(struct store *store)
{
	static const char make[] =
		"CREATE TEMP TABLE IF NOT EXISTS folder_path"
		" (id INTEGER PRIMARY KEY, path TEXT NOT NULL COLLATE NOCASE UNIQUE)";
	static const char forget[] = "DELETE FROM temp.folder_path";
	/* What is in a cycle is not reached from the top. */
	static const char fill[] =
		"WITH RECURSIVE walk (id, path) AS ("
		" SELECT id, '/' || name FROM folder WHERE parent IS NULL UNION ALL"
		" SELECT folder.id, path || '/' || name FROM folder JOIN walk ON parent = walk.id)"
		" INSERT INTO temp.folder_path (id, path) SELECT id, path FROM walk";
	int rc = store_run(store, make, "");

	if (rc == 0)
		rc = store_run(store, forget, "");
	return rc ? rc : store_run(store, fill, "");
}

int folder_add_path(struct store *store, uint64_t id, const char *path)
{
	static const char sql[] = "INSERT INTO temp.folder_path (id, path) VALUES (?, ?)";

	return store_run(store, sql, "it", (int64_t)id, path);
}
