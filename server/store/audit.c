/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/folder.h"

#define SQL_SIZE   8192
#define FIELDS_MAX 12
#define TEXT_SIZE_MAX 2048 /* of one rendered value */

/* --- what is recorded ------------------------------------------------------ */

/* In these expressions "@" stands for the row before or after the change. */
#define NAME_OF(table, id) "(SELECT name FROM " table " WHERE id = @." id ")"
#define WORDS_OF(field) "nullif(@." field ", '')"
#define ABOVE_0(field) "nullif(@." field ", 0)"

static const struct audited {
	const char *table, *noun;
	const char *name; /* which one it is; NULL: what it belongs to is gone, and so is recorded */
	struct {
		const char *name, *value;
	} fields[FIELDS_MAX];
	bool part; /* each row is a value of something else, not a thing with fields */
} audited[] = {
	{ "device", "device", "@.name", {
		{ "folder", "audit_path(@.folder)" }, { "uuid", "audit_text('bytes', @.uuid)" },
		{ "isd", "audit_text('bytes', @.isd)" },
		{ "bound-uuid", "audit_text('bytes', @.claim_uuid)" },
		{ "bound-mac", "audit_text('bytes', @.claim_mac)" },
		{ "macs", "(SELECT group_concat(audit_text('bytes', mac), ' ') FROM mac"
		          " WHERE device = @.id)" },
		{ "groups", "(SELECT group_concat(name, ' ') FROM member JOIN device_group"
		            " ON id = device_group WHERE device = @.id)" },
	}, false },
	{ "mac", "device", NAME_OF("device", "device"),
	  { { "'mac'", "audit_text('bytes', @.mac)" } }, true },
	{ "folder", "folder", "rtrim(audit_path(@.parent), '/') || '/' || @.name", { { NULL, NULL } },
	  false },
	{ "device_group", "group", "@.name", { { NULL, NULL } }, false },
	{ "member", "group", NAME_OF("device_group", "device_group"),
	  { { "'member'", NAME_OF("device", "device") } }, true },
	{ "bundle", "bundle", "@.name", {
		{ "kind", "@.kind" }, { "loader-bios", WORDS_OF("loader_bios") },
		{ "loader-uefi", WORDS_OF("loader_uefi") }, { "config", WORDS_OF("config") },
		{ "prefix", WORDS_OF("prefix") }, { "details", "audit_text('details', @.details)" },
		{ "attempts", ABOVE_0("attempts") }, { "deadline", ABOVE_0("deadline") },
		{ "completes", "@.completes" },
	}, false },
	{ "assignment", "assignment",
	  NAME_OF("bundle", "bundle") " || ' to ' || audit_owner(@.level, @.owner)", {
		{ "mode", "@.mode" }, { "until", "audit_text('time', @.until)" },
	}, false },
	{ "rule", "rule", "@.name", {
		{ "position", "@.position" }, { "bundle", NAME_OF("bundle", "bundle") },
		{ "applies", "@.applies" }, { "filter", WORDS_OF("filter") },
		{ "repeat", "@.repeat" }, { "enabled", "@.enabled" },
	}, false },
	{ "multicast", "multicast", "@.name", {
		{ "bundle", NAME_OF("bundle", "bundle") }, { "clients", ABOVE_0("clients") },
		{ "wait", ABOVE_0("wait") }, { "state", "@.state" },
	}, false },
	{ "multicast_member", "multicast", NAME_OF("multicast", "multicast"),
	  { { "'member'", NAME_OF("device", "device") } }, true },
	/* With a device its jobs are removed: that it was is recorded. */
	{ "job", "job", "(SELECT CAST(@.id AS TEXT) FROM device WHERE id = @.device)", {
		{ "device", NAME_OF("device", "device") }, { "bundle", NAME_OF("bundle", "bundle") },
		{ "state", "@.state" }, { "loader-bios", WORDS_OF("loader_bios") },
		{ "loader-uefi", WORDS_OF("loader_uefi") }, { "config", WORDS_OF("config") },
		{ "prefix", WORDS_OF("prefix") }, { "details", "audit_text('details', @.details)" },
		{ "attempts", "@.attempts" }, { "deadline", "@.deadline" },
	}, false },
	{ "setting", "settings", "audit_owner(@.level, @.owner)", { { "@.key", "@.value" } }, true },
	{ "uuid", "uuid", "audit_text('bytes', @.uuid)", { { "state", "@.state" } }, false },
	{ "unknown_machine", "unknown", "audit_text('bytes', @.mac)",
	  { { "uuid", "audit_text('bytes', @.uuid)" } }, false },
};

/* --- functions for the triggers -------------------------------------------- */

static void bytes_text(sqlite3_value *value, char out[40])
{
	const uint8_t *bytes = sqlite3_value_blob(value);
	int length = sqlite3_value_bytes(value);

	out[0] = '\0';
	if (bytes && length == 6)
		text_format(out, 40, "%pM", bytes);
	else if (bytes && length == 16)
		text_format(out, 40, "%pU", bytes);
}

/* Makes "KEY=VALUE KEY=VALUE" of details. */
static void details_text(sqlite3_value *value, char *out, size_t size)
{
	const char *bytes = sqlite3_value_blob(value);
	size_t length = (size_t)sqlite3_value_bytes(value);

	if (length >= size)
		length = size - 1;
	for (size_t i = 0; i < length; i++)
		out[i] = bytes[i] ? bytes[i] : ' ';
	out[length && out[length - 1] == ' ' ? length - 1 : length] = '\0';
}

/* audit_text(KIND, VALUE): a value that is no text, as people write it; NULL for none */
static void text_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *kind = (const char *)sqlite3_value_text(values[0]);
	char text[TEXT_SIZE_MAX] = "";
	int64_t number = sqlite3_value_int64(values[1]);
	time_t seconds = (time_t)number;
	struct tm utc;

	(void)count;
	if (sqlite3_value_type(values[1]) == SQLITE_NULL)
		return;
	if (strcmp(kind, "bytes") == 0)
		bytes_text(values[1], text);
	else if (strcmp(kind, "details") == 0)
		details_text(values[1], text, sizeof(text));
	else if (number > 0 && gmtime_r(&seconds, &utc))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (text[0])
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* Reads one row's name, and its parent if there is a second column. Returns whether there is one. */
static bool read_name(sqlite3 *db, const char *sql, int64_t id, char name[NAME_SIZE], int64_t *parent)
{
	sqlite3_stmt *row;
	bool found = false;

	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(row, 1, id);
	if (sqlite3_step(row) == SQLITE_ROW) {
		found = true;
		snprintf(name, NAME_SIZE, "%s", (const char *)sqlite3_column_text(row, 0));
		if (parent)
			*parent = sqlite3_column_int64(row, 1);
	}
	sqlite3_finalize(row);
	return found;
}

/* Writes the path of a folder, "/" for 0; "" if it is gone. */
static void path_text(sqlite3 *db, int64_t folder, char out[FOLDER_PATH])
{
	char name[NAME_SIZE], longer[FOLDER_PATH];

	out[0] = '\0';
	if (!folder)
		snprintf(out, FOLDER_PATH, "/");
	for (int depth = 0; folder && depth < FOLDER_DEPTH; depth++) {
		if (!read_name(db, "SELECT name, parent FROM folder WHERE id = ?", folder, name,
		               &folder))
			return;
		if ((size_t)snprintf(longer, sizeof(longer), "/%s%s", name, out) >= sizeof(longer))
			return;
		memcpy(out, longer, sizeof(longer));
	}
}

/* audit_path(FOLDER) */
static void path_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	char path[FOLDER_PATH];

	(void)count;
	path_text(sqlite3_context_db_handle(context), sqlite3_value_int64(values[0]), path);
	sqlite3_result_text(context, path, -1, SQLITE_TRANSIENT);
}

/* audit_owner(LEVEL, ID): what it is given to, as the command line has it; NULL: that is gone */
static void owner_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *level = (const char *)sqlite3_value_text(values[0]);
	int64_t id = sqlite3_value_int64(values[1]);
	sqlite3 *db = sqlite3_context_db_handle(context);
	char text[FOLDER_PATH] = "", name[NAME_SIZE];

	(void)count;
	if (strcmp(level, "folder") == 0)
		path_text(db, id, text);
	else if (strcmp(level, "device") == 0)
		read_name(db, "SELECT name FROM device WHERE id = ?", id, text, NULL);
	else if (strcmp(level, "group") != 0)
		snprintf(text, sizeof(text), "/");
	else if (read_name(db, "SELECT name FROM device_group WHERE id = ?", id, name, NULL))
		snprintf(text, sizeof(text), "group:%s", name);
	if (text[0])
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* audit_fields(KEY, VALUE, ...): "KEY VALUE, KEY VALUE" of those that are not NULL */
static void fields_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[TEXT_SIZE_MAX] = "";
	size_t used = 0;

	for (int i = 0; i + 1 < count && used < sizeof(text); i += 2)
		if (sqlite3_value_type(values[i + 1]) != SQLITE_NULL)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
			                         used ? ", " : "",
			                         (const char *)sqlite3_value_text(values[i]),
			                         (const char *)sqlite3_value_text(values[i + 1]));
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static int add_functions(sqlite3 *db)
{
	static const struct {
		const char *name;
		int arguments;
		void (*function)(sqlite3_context *context, int count, sqlite3_value **values);
	} functions[] = {
		{ "audit_text", 2, text_function }, { "audit_path", 1, path_function },
		{ "audit_owner", 2, owner_function }, { "audit_fields", -1, fields_function },
	};
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < sizeof(functions) / sizeof(functions[0]); i++)
		code = sqlite3_create_function(db, functions[i].name, functions[i].arguments,
		                               SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL,
		                               functions[i].function, NULL, NULL);
	return code;
}

/* --- the triggers ---------------------------------------------------------- */

/* A text that grows; @overflow: it did not fit. */
struct sql {
	char text[SQL_SIZE];
	size_t used;
	bool overflow;
};

static void put_text(struct sql *sql, const char *text, size_t length)
{
	if (length >= sizeof(sql->text) - sql->used) {
		sql->overflow = true;
		return;
	}
	memcpy(sql->text + sql->used, text, length);
	sql->used += length;
	sql->text[sql->used] = '\0';
}

/* Puts @expression with @row, "OLD" or "NEW", in place of each "@". */
static void put_expression(struct sql *sql, const char *expression, const char *row)
{
	for (const char *at; (at = strchr(expression, '@')) != NULL; expression = at + 1) {
		put_text(sql, expression, (size_t)(at - expression));
		put_text(sql, row, 3);
	}
	put_text(sql, expression, strlen(expression));
}

/* Puts a value of the row, or NULL where the change has no such row. */
static void put_value(struct sql *sql, const char *before, const char *expression, const char *row)
{
	put_text(sql, before, strlen(before));
	put_expression(sql, row ? expression : "NULL", row ? row : "");
}

/* All fields of a thing as one text. */
static void put_fields(struct sql *sql, const char *before, const struct audited *a, const char *row)
{
	put_text(sql, before, strlen(before));
	if (!row) {
		put_text(sql, "NULL", 4);
		return;
	}
	put_text(sql, "audit_fields(", 13);
	for (size_t i = 0; i < FIELDS_MAX && a->fields[i].name; i++) {
		put_text(sql, i ? ", '" : "'", i ? 3 : 1);
		put_text(sql, a->fields[i].name, strlen(a->fields[i].name));
		put_value(sql, "', ", a->fields[i].value, row);
	}
	put_text(sql, ")", 1);
}

/*
 * Puts a SELECT of name, field, was, becomes for each value that may have changed. @was, @becomes:
 * "OLD", "NEW", or NULL where there is no such row.
 */
static void put_changes(struct sql *sql, const struct audited *a, const char *was,
                        const char *becomes)
{
	const char *any = was ? was : becomes;

	if (a->part) {
		put_value(sql, "SELECT ", a->name, any);
		put_value(sql, " AS name, ", a->fields[0].name, any);
		put_value(sql, " AS field, ", a->fields[0].value, was);
		put_value(sql, " AS was, ", a->fields[0].value, becomes);
		put_text(sql, " AS becomes", 11);
		return;
	}
	put_value(sql, "SELECT ", a->name, any);
	if (!was || !becomes) {
		put_fields(sql, " AS name, '' AS field, ", a, was);
		put_fields(sql, " AS was, ", a, becomes);
		put_text(sql, " AS becomes", 11);
		return;
	}
	put_value(sql, " AS name, 'name' AS field, ", a->name, was);
	put_value(sql, " AS was, ", a->name, becomes);
	put_text(sql, " AS becomes", 11);
	for (size_t i = 0; i < FIELDS_MAX && a->fields[i].name; i++) {
		put_value(sql, " UNION ALL SELECT ", a->name, was);
		put_text(sql, ", '", 3);
		put_text(sql, a->fields[i].name, strlen(a->fields[i].name));
		put_value(sql, "', ", a->fields[i].value, was);
		put_value(sql, ", ", a->fields[i].value, becomes);
	}
}

/* Makes the trigger for one kind of change of one table. */
static int add_trigger(struct store *store, const struct audited *a, const char *change)
{
	const char *was = strcmp(change, "INSERT") == 0 ? NULL : "OLD";
	const char *becomes = strcmp(change, "DELETE") == 0 ? NULL : "NEW";
	/* Before a thing is removed, what belongs to it is still there. */
	char *head = sqlite3_mprintf(
		"CREATE TEMP TRIGGER audit_%s_%s %s %s ON main.%s BEGIN"
		" INSERT INTO audit (time, user, uid, verb, noun, name, field, was, becomes)"
		" SELECT unixepoch(), %Q, %u, %Q, %Q, name, field, was, becomes FROM (",
		a->table, change, becomes || a->part ? "AFTER" : "BEFORE", change, a->table,
		store->audit.user, store->audit.uid, store->audit.verb, a->noun);
	struct sql sql = { .used = 0 };
	int code;

	if (!head)
		return SQLITE_NOMEM;
	put_text(&sql, head, strlen(head));
	sqlite3_free(head);
	put_changes(&sql, a, was, becomes);
	put_text(&sql, ") WHERE name IS NOT NULL AND was IS NOT becomes; END;", 53);
	code = sql.overflow ? SQLITE_TOOBIG : sqlite3_exec(store->db, sql.text, NULL, NULL, NULL);
	return code;
}

void audit_start(struct store *store, const struct audit_actor *actor)
{
	snprintf(store->audit.user, sizeof(store->audit.user), "%s", actor->user);
	snprintf(store->audit.verb, sizeof(store->audit.verb), "%s", actor->verb);
	store->audit.uid = actor->uid;
	store->audit.wanted = true;
}

int audit_prepare(struct store *store)
{
	static const char *const changes[] = { "INSERT", "UPDATE", "DELETE" };
	int code = store->audit.ready ? SQLITE_OK : add_functions(store->db);

	if (store->audit.ready)
		return 0;
	if (code == SQLITE_OK)
		code = sqlite3_exec(store->db, "CREATE TEMP TABLE audit_batch (id INTEGER PRIMARY"
		                    " KEY, first INTEGER NOT NULL, becomes TEXT)", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(audited) / sizeof(audited[0]); i++)
		for (size_t j = 0; j < 3 && code == SQLITE_OK; j++)
			code = add_trigger(store, &audited[i], changes[j]);
	if (code != SQLITE_OK) {
		snprintf(store->message, sizeof(store->message), "%s: the audit trail cannot be "
		         "written: %s", store->path, sqlite3_errmsg(store->db));
		return ERR_IO;
	}
	store->audit.ready = true;
	return 0;
}

/* --- a transaction's records ----------------------------------------------- */

int audit_begin(struct store *store)
{
	static const char sql[] = "SELECT ifnull(max(id), 0) FROM audit";

	return store_one(store, store_take_number, &store->audit.from, sql, "");
}

/*
 * Of several changes of one value the first stays, with what the last made of it, and what was
 * undone goes: "rule move" numbers all rules twice, and an import removes and adds everything.
 */
int audit_settle(struct store *store)
{
	static const char *const steps[] = {
		"DELETE FROM temp.audit_batch",
		"INSERT INTO temp.audit_batch SELECT id, first_value(id) OVER same,"
		" last_value(becomes) OVER same FROM audit WHERE id > ?1 WINDOW same AS"
		" (PARTITION BY noun, name, field, iif(field IN ('mac', 'member'),"
		"  ifnull(was, becomes), '') ORDER BY id"
		"  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
		"UPDATE audit SET becomes = b.becomes FROM temp.audit_batch b"
		" WHERE audit.id > ?1 AND audit.id = b.id AND b.first = b.id",
		"DELETE FROM audit WHERE id > ?1 AND (was IS becomes OR"
		" id IN (SELECT id FROM temp.audit_batch WHERE first <> id))",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = store_run(store, steps[i], i ? "i" : "", store->audit.from);
	return rc;
}

/* --- reading and forgetting ------------------------------------------------ */

int audit_list(struct store *store, const struct audit_filter *filter, struct store_rows **rows)
{
	static const char sql[] =
		"SELECT * FROM (SELECT id, time, user, uid, verb, noun, name, field, was, becomes"
		" FROM audit WHERE time >= ?1 AND (?2 = '' OR noun = ?2) AND (?3 = '' OR user = ?3)"
		" AND (?4 = '' OR name = ?4 COLLATE NOCASE"
		"  OR (field IN ('name', 'member', 'mac')"
		"   AND ?4 COLLATE NOCASE IN (was, becomes))"
		"  OR (noun = 'assignment' AND (instr(lower(name), lower(?4) || ' to ') = 1"
		"   OR substr(name, -4 - length(?4)) = ' to ' || ?4 COLLATE NOCASE)))"
		" ORDER BY id DESC LIMIT ?5) ORDER BY id";

	return store_start(store, rows, sql, "ittti", filter->since,
	                   filter->noun ? filter->noun : "", filter->user ? filter->user : "",
	                   filter->name ? filter->name : "",
	                   filter->limit ? (int64_t)filter->limit : (int64_t)-1);
}

void audit_row(struct store_rows *row, struct audit_record *record)
{
	record->id = (uint64_t)store_number(row, 0);
	record->time = store_number(row, 1);
	record->user = store_string(row, 2);
	record->uid = (uint32_t)store_number(row, 3);
	record->verb = store_string(row, 4);
	record->noun = store_string(row, 5);
	record->name = store_string(row, 6);
	record->field = store_string(row, 7);
	record->was = store_string(row, 8);
	record->becomes = store_string(row, 9);
}

int audit_any_before(struct store *store, int64_t time, bool *any)
{
	static const char sql[] = "SELECT EXISTS (SELECT 1 FROM audit WHERE time < ?)";
	int64_t found = 0;
	int rc = store_one(store, store_take_number, &found, sql, "i", time);

	*any = found;
	return rc;
}

int audit_expire(struct store *store, int64_t time)
{
	static const char sql[] =
		"DELETE FROM audit WHERE id IN"
		" (SELECT id FROM audit WHERE time < ?1 ORDER BY time LIMIT ?2)";

	return store_run(store, sql, "ii", time, (int64_t)AUDIT_EXPIRE);
}
