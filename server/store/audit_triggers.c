/* SPDX-License-Identifier: BSD-2-Clause */
/* The triggers that write the audit trail. */
#include "server/store/audit_triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/folder.h"

#define SQL_SIZE   16384
#define FIELDS_MAX 12
#define TEXT_SIZE_MAX 2048 /* of one rendered value */

/* --- what is recorded ------------------------------------------------------ */

/* In these expressions "@" stands for the row before or after the change. */
#define NAME_OF(table, id) "(SELECT name FROM " table " WHERE id = @." id ")"
#define WORDS_OF(field) "nullif(@." field ", '')"
#define ABOVE_0(field) "nullif(@." field ", 0)"
/* These are as prebootctl prints them. */
#define LOADER(field) \
	"CASE @." field " WHEN '*' THEN 'as set' WHEN '' THEN 'none' ELSE @." field " END"
/* Few sites have such machines, so what is nothing special is left out. */
#define RARE_LOADER(field) "iif(@." field " = '*', NULL, " LOADER(field) ")"
#define YES_NO(field) "iif(@." field ", 'yes', 'no')"
#define SECONDS(field) \
	"CASE WHEN @." field " = 0 THEN NULL" \
	" WHEN @." field " % 86400 = 0 THEN (@." field " / 86400) || 'd'" \
	" WHEN @." field " % 3600 = 0 THEN (@." field " / 3600) || 'h'" \
	" WHEN @." field " % 60 = 0 THEN (@." field " / 60) || 'm' ELSE @." field " || 's' END"

static const struct audited {
	const char *table, *noun;
	const char *name; /* which one it is; NULL: what it belongs to is gone, see cascades[] */
	struct {
		const char *name, *value;
	} fields[FIELDS_MAX];
	bool part; /* each row is a value of something else, not a thing with fields */
} audited[] = {
	{ "device", "device", "@.name", {
		{ "folder", "audit_path(@.folder)" }, { "uuid", "audit_bytes(@.uuid)" },
		{ "isd", "audit_bytes(@.isd)" },
		{ "bound-uuid", "audit_bytes(@.claim_uuid)" },
		{ "bound-mac", "audit_bytes(@.claim_mac)" },
		{ "macs", "(SELECT group_concat(audit_bytes(mac), ' ') FROM mac"
		          " WHERE device = @.id)" },
	}, false },
	{ "mac", "device", NAME_OF("device", "device"),
	  { { "'mac'", "audit_bytes(@.mac)" } }, true },
	{ "folder", "folder", "rtrim(audit_path(@.parent), '/') || '/' || @.name",
	  { { NULL, NULL } }, false },
	{ "device_group", "group", "@.name", { { NULL, NULL } }, false },
	{ "member", "group", NAME_OF("device_group", "device_group"),
	  { { "'member'", NAME_OF("device", "device") } }, true },
	{ "bundle", "bundle", "@.name", {
		{ "kind", "@.kind" }, { "loader-bios", LOADER("loader_bios") },
		{ "loader-uefi", LOADER("loader_uefi") },
		{ "loader-uefi-ia32", RARE_LOADER("loader_uefi_ia32") },
		{ "loader-uefi-arm64", RARE_LOADER("loader_uefi_arm64") },
		{ "config", WORDS_OF("config") }, { "prefix", WORDS_OF("prefix") }, { "details", "audit_details(@.details)" },
		{ "attempts", ABOVE_0("attempts") }, { "deadline", SECONDS("deadline") },
		{ "completes", "@.completes" },
	}, false },
	{ "assignment", "assignment",
	  NAME_OF("bundle", "bundle") " || ' to ' || audit_owner(@.level, @.owner)", {
		{ "when", "iif(@.mode = 'until', 'until ' ||"
		          " datetime(@.until, 'unixepoch', 'localtime'), @.mode)" },
	}, false },
	{ "rule", "rule", "@.name", {
		{ "position", "@.position" }, { "bundle", NAME_OF("bundle", "bundle") },
		{ "applies", "@.applies" }, { "filter", WORDS_OF("filter") },
		{ "repeat", YES_NO("repeat") }, { "enabled", YES_NO("enabled") },
	}, false },
	{ "multicast", "multicast", "@.name", {
		{ "bundle", NAME_OF("bundle", "bundle") }, { "clients", ABOVE_0("clients") },
		{ "wait", SECONDS("wait") }, { "state", "@.state" },
	}, false },
	{ "multicast_member", "multicast", NAME_OF("multicast", "multicast"),
	  { { "'member'", NAME_OF("device", "device") } }, true },
	{ "job", "job", "@.id || ' of ' || " NAME_OF("device", "device"), {
		{ "bundle", NAME_OF("bundle", "bundle") }, { "state", "@.state" },
		{ "loader-bios", LOADER("loader_bios") }, { "loader-uefi", LOADER("loader_uefi") },
		{ "loader-uefi-ia32", LOADER("loader_uefi_ia32") },
		{ "loader-uefi-arm64", LOADER("loader_uefi_arm64") },
		{ "config", WORDS_OF("config") },
		{ "prefix", WORDS_OF("prefix") }, { "details", "audit_details(@.details)" },
		{ "attempts", "@.attempts" }, { "deadline", SECONDS("deadline") },
	}, false },
	{ "setting", "settings", "audit_owner(@.level, @.owner)",
	  { { "@.key", "@.value" } }, true },
	{ "uuid", "uuid", "audit_bytes(@.uuid)", { { "state", "@.state" } }, false },
	{ "unknown_machine", "unknown", "audit_bytes(@.mac)",
	  { { "uuid", "audit_bytes(@.uuid)" } }, false },
};

/*
 * What SQLite removes with a thing: the rows of @table where @where is true. Their own triggers
 * find that the thing is gone, so that of the thing records them.
 */
static const struct {
	const char *parent, *table, *where;
} cascades[] = {
	{ "device", "job", "job.device = OLD.id" },
	{ "device", "assignment", "assignment.level = 'device' AND assignment.owner = OLD.id" },
	{ "device", "setting", "setting.level = 'device' AND setting.owner = OLD.id" },
	{ "device", "member", "member.device = OLD.id" },
	{ "device", "multicast_member", "multicast_member.device = OLD.id" },
	{ "folder", "assignment", "assignment.level = 'folder' AND assignment.owner = OLD.id" },
	{ "folder", "setting", "setting.level = 'folder' AND setting.owner = OLD.id" },
	{ "device_group", "assignment",
	  "assignment.level = 'group' AND assignment.owner = OLD.id" },
	{ "device_group", "member", "member.device_group = OLD.id" },
	{ "multicast", "multicast_member", "multicast_member.multicast = OLD.id" },
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

/* audit_bytes(VALUE): a MAC or UUID; NULL for none */
static void bytes_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[40];

	(void)count;
	bytes_text(values[0], text);
	if (text[0])
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* audit_details(VALUE): details as they are typed; NULL for none */
static void details_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[TEXT_SIZE_MAX];

	(void)count;
	details_text(values[0], text, sizeof(text));
	if (text[0])
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* Reads a row's name, and its parent if there is a second column. Returns whether it is there. */
static bool read_name(sqlite3 *db, const char *sql, int64_t id, char name[NAME_SIZE],
                      int64_t *parent)
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
		{ "audit_bytes", 1, bytes_function }, { "audit_details", 1, details_function },
		{ "audit_path", 1, path_function }, { "audit_owner", 2, owner_function },
		{ "audit_fields", -1, fields_function },
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

static void append_bytes(struct sql *sql, const char *text, size_t length)
{
	if (length >= sizeof(sql->text) - sql->used) {
		sql->overflow = true;
		return;
	}
	memcpy(sql->text + sql->used, text, length);
	sql->used += length;
	sql->text[sql->used] = '\0';
}

static void append(struct sql *sql, const char *text)
{
	append_bytes(sql, text, strlen(text));
}

/* Appends @expression with @row, "OLD", "NEW" or a table, in place of each "@". */
static void append_expression(struct sql *sql, const char *expression, const char *row)
{
	for (const char *at; (at = strchr(expression, '@')) != NULL; expression = at + 1) {
		append_bytes(sql, expression, (size_t)(at - expression));
		append(sql, row);
	}
	append(sql, expression);
}

/* Appends a value of the row, or NULL where the change has no such row. */
static void append_value(struct sql *sql, const char *before, const char *expression,
                         const char *row)
{
	append(sql, before);
	append_expression(sql, row ? expression : "NULL", row ? row : "");
}

/* Appends all fields of a thing as one text. */
static void append_fields(struct sql *sql, const char *before, const struct audited *a,
                          const char *row)
{
	append(sql, before);
	if (!row) {
		append(sql, "NULL");
		return;
	}
	append(sql, "audit_fields(");
	for (size_t i = 0; i < FIELDS_MAX && a->fields[i].name; i++) {
		append(sql, i ? ", '" : "'");
		append(sql, a->fields[i].name);
		append_value(sql, "', ", a->fields[i].value, row);
	}
	append(sql, ")");
}

/*
 * Appends a SELECT of name, field, was, becomes for each value that may have changed.
 * @was, @becomes: "OLD", "NEW", or NULL where there is no such row
 */
static void append_changes(struct sql *sql, const struct audited *a, const char *was,
                           const char *becomes)
{
	const char *any = was ? was : becomes;

	if (a->part) {
		append_value(sql, "SELECT ", a->name, any);
		append_value(sql, " AS name, ", a->fields[0].name, any);
		append_value(sql, " AS field, ", a->fields[0].value, was);
		append_value(sql, " AS was, ", a->fields[0].value, becomes);
		append(sql, " AS becomes");
		return;
	}
	append_value(sql, "SELECT ", a->name, any);
	if (!was || !becomes) {
		append_fields(sql, " AS name, '' AS field, ", a, was);
		append_fields(sql, " AS was, ", a, becomes);
		append(sql, " AS becomes");
		return;
	}
	append_value(sql, " AS name, 'name' AS field, ", a->name, was);
	append_value(sql, " AS was, ", a->name, becomes);
	append(sql, " AS becomes");
	for (size_t i = 0; i < FIELDS_MAX && a->fields[i].name; i++) {
		append_value(sql, " UNION ALL SELECT ", a->name, was);
		append(sql, ", '");
		append(sql, a->fields[i].name);
		append_value(sql, "', ", a->fields[i].value, was);
		append_value(sql, ", ", a->fields[i].value, becomes);
	}
}

/* Appends an INSERT of the changes of one table; @cascade: NULL, or which of its rows. */
static int append_insert(struct sql *sql, const struct store *store, const struct audited *a,
                         const char *was, const char *becomes, const char *cascade)
{
	char *head = sqlite3_mprintf(
		" INSERT INTO audit (time, user, uid, verb, noun, name, field, was, becomes)"
		" SELECT unixepoch(), %Q, %u, %Q, %Q, name, field, was, becomes FROM (",
		store->audit.user, store->audit.uid, store->audit.verb, a->noun);

	if (!head)
		return SQLITE_NOMEM;
	append(sql, head);
	sqlite3_free(head);
	append_changes(sql, a, was, becomes);
	if (cascade) {
		append(sql, " FROM ");
		append(sql, a->table);
		append(sql, " WHERE ");
		append(sql, cascade);
	}
	append(sql, ") WHERE name IS NOT NULL AND was IS NOT becomes;");
	return SQLITE_OK;
}

static const struct audited *find_audited(const char *table)
{
	size_t i = 0;

	while (strcmp(audited[i].table, table) != 0)
		i++;
	return &audited[i];
}

/* Appends what records the rows that go with a thing. */
static int append_cascades(struct sql *sql, const struct store *store, const struct audited *a)
{
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < sizeof(cascades) / sizeof(cascades[0]); i++)
		if (strcmp(cascades[i].parent, a->table) == 0)
			code = append_insert(sql, store, find_audited(cascades[i].table),
			                     cascades[i].table, NULL, cascades[i].where);
	return code;
}

/* Makes the trigger for one kind of change of one table. */
static int add_trigger(struct store *store, const struct audited *a, const char *change)
{
	const char *was = strcmp(change, "INSERT") == 0 ? NULL : "OLD";
	const char *becomes = strcmp(change, "DELETE") == 0 ? NULL : "NEW";
	struct sql sql = { .used = 0 };
	char head[200];
	int code;

	/* Before a thing is removed, what belongs to it is still there. */
	snprintf(head, sizeof(head), "CREATE TEMP TRIGGER audit_%s_%s %s %s ON main.%s BEGIN",
	         a->table, change, becomes || a->part ? "AFTER" : "BEFORE", change, a->table);
	append(&sql, head);
	code = append_insert(&sql, store, a, was, becomes, NULL);
	if (code == SQLITE_OK && !becomes)
		code = append_cascades(&sql, store, a);
	append(&sql, " END;");
	if (code != SQLITE_OK || sql.overflow)
		return code != SQLITE_OK ? code : SQLITE_TOOBIG;
	return sqlite3_exec(store->db, sql.text, NULL, NULL, NULL);
}

int audit_add_triggers(struct store *store)
{
	static const char *const changes[] = { "INSERT", "UPDATE", "DELETE" };
	int code = store->audit.ready ? SQLITE_OK : add_functions(store->db);

	if (store->audit.ready)
		return 0;
	if (code == SQLITE_OK)
		code = sqlite3_exec(store->db, "CREATE TEMP TABLE audit_batch (id INTEGER PRIMARY"
		                    " KEY, first INTEGER NOT NULL, becomes TEXT)", NULL, NULL,
		                    NULL);
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
