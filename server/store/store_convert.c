/* SPDX-License-Identifier: BSD-2-Clause */
/* What SQL cannot do in the steps from version to version. */
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "nbp/proto/text.h"
#include "server/net/peek.h"
#include "server/store/store_rows.h"
#include "server/store/store_schema.h"

/* --- version 2 ------------------------------------------------------------- */

static void copy_text(struct store_rows *row, int column, char *out, size_t size)
{
	store_text(row, column, out, size);
	/* The old tables allowed what a message does not. */
	if (!text_ok(out))
		out[0] = '\0';
}

/* Makes of a row of version 1 the request that it came from. */
static void read_old_row(struct store_rows *row, struct request *r)
{
	store_bytes(row, 3, r->identity.mac, sizeof(r->identity.mac));
	store_bytes(row, 4, r->identity.uuid, sizeof(r->identity.uuid));
	r->firmware = (uint8_t)store_number(row, 5);
	r->architecture = (uint16_t)store_number(row, 6);
	copy_text(row, 7, r->version, sizeof(r->version));
	copy_text(row, 8, r->manufacturer, sizeof(r->manufacturer));
	copy_text(row, 9, r->product, sizeof(r->product));
	copy_text(row, 10, r->serial, sizeof(r->serial));
	copy_text(row, 11, r->cpu, sizeof(r->cpu));
	r->cpu_64bit = (uint8_t)store_number(row, 12);
	r->memory_mib = (uint32_t)store_number(row, 13);
}

static int convert_row(sqlite3_stmt *from, sqlite3_stmt *to)
{
	struct message message = { .type = MESSAGE_REQUEST };
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	read_old_row(&(struct store_rows){ .statement = from }, &message.u.request);
	/* A row that cannot have come from a request is not missed. */
	if (message_encode(&message, datagram, sizeof(datagram), &length))
		return SQLITE_OK;
	length = peek_unpadded_length(datagram, length);
	sqlite3_bind_int64(to, 1, sqlite3_column_int64(from, 0));
	sqlite3_bind_int64(to, 2, sqlite3_column_int64(from, 1));
	sqlite3_bind_text(to, 3, (const char *)sqlite3_column_text(from, 2), -1, SQLITE_TRANSIENT);
	sqlite3_bind_blob64(to, 4, datagram, length, SQLITE_TRANSIENT);
	sqlite3_step(to);
	return sqlite3_reset(to);
}

int store_seen_to_requests(sqlite3 *db)
{
	sqlite3_stmt *from = NULL, *to = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT * FROM seen_1", -1, &from, NULL), step;

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db, "INSERT INTO seen VALUES (?, ?, ?, ?)", -1, &to,
		                          NULL);
	while (code == SQLITE_OK && (step = sqlite3_step(from)) != SQLITE_DONE)
		code = step == SQLITE_ROW ? convert_row(from, to) : step;
	sqlite3_finalize(from);
	sqlite3_finalize(to);
	return code == SQLITE_OK ? sqlite3_exec(db, "DROP TABLE seen_1", NULL, NULL, NULL) : code;
}

/* --- version 3 ------------------------------------------------------------- */

/* Whose row it is, in each table that prebootd has in memory. */
struct followed {
	const char *table, *column; /* that names the device; NULL: no device's */
	bool levels;                /* it does so where level is 'device' */
};

/* Writes the SQL expression for the device that @row, OLD or NEW, belongs to. */
static void device_of(const struct followed *followed, const char *row, char *out, size_t size)
{
	if (!followed->column)
		snprintf(out, size, "0");
	else if (followed->levels)
		snprintf(out, size, "iif(%s.level = 'device', %s.%s, 0)", row, row,
		         followed->column);
	else
		snprintf(out, size, "%s.%s", row, followed->column);
}

static int follow_one(sqlite3 *db, const struct followed *followed, const char *doing)
{
	char old[64], new[64], sql[400];
	bool gone = strcmp(doing, "DELETE") == 0, came = strcmp(doing, "INSERT") == 0;

	device_of(followed, came ? "NEW" : "OLD", old, sizeof(old));
	device_of(followed, gone ? "OLD" : "NEW", new, sizeof(new));
	/* UNION, since a row may go from one device to another, and mostly does not. */
	snprintf(sql, sizeof(sql),
	         "CREATE TRIGGER %s_%s AFTER %s ON %s BEGIN"
	         " INSERT INTO change (device) SELECT %s UNION SELECT %s;"
	         " END;", followed->table, doing, doing, followed->table, old, new);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int follow_all(sqlite3 *db, const struct followed *followed, size_t count)
{
	static const char *const doings[] = { "INSERT", "UPDATE", "DELETE" };
	int code = SQLITE_OK;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < 3 && code == SQLITE_OK; j++)
			code = follow_one(db, &followed[i], doings[j]);
	return code;
}

int store_follow_changes(sqlite3 *db)
{
	static const struct followed followed[] = {
		{ "device", "id", false }, { "mac", "device", false },
		{ "member", "device", false }, { "work", "device", false },
		{ "multicast_member", "device", false }, { "setting", "owner", true },
		{ "assignment", "owner", true }, { "folder", NULL, false },
		{ "device_group", NULL, false }, { "bundle", NULL, false },
		{ "rule", NULL, false }, { "multicast", NULL, false },
	};

	return follow_all(db, followed, sizeof(followed) / sizeof(followed[0]));
}

/* --- version 5 ------------------------------------------------------------- */

int store_follow_jobs(sqlite3 *db)
{
	static const struct followed followed[] = {
		{ "job", "device", false }, { "setting", "owner", true },
		{ "assignment", "owner", true },
	};
	int code = follow_all(db, followed, sizeof(followed) / sizeof(followed[0]));

	return code == SQLITE_OK ? store_keep_job_pasts(db) : code;
}
