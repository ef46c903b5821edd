/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/between.h"

sqlite3 *other_program(const struct bench *bench)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
	return db;
}

void between_run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
}

static int before_begin(unsigned kind, void *data, void *statement, void *text)
{
	struct between *between = data;
	bool writes = strcmp(text, "BEGIN IMMEDIATE") == 0;

	(void)kind;
	(void)statement;
	if (!writes && (!between->again || strcmp(text, "BEGIN") != 0))
		return 0;
	between->begun += writes;
	if (between->sql)
		between_run(between->db, between->sql);
	if (between->again)
		between->again--;
	else
		between->sql = NULL;
	return 0;
}

void watch(struct bench *bench, struct between *between, const char *sql)
{
	*between = (struct between){ other_program(bench), sql, 0, 0 };
	sqlite3_trace_v2(bench->writer.store.db, SQLITE_TRACE_STMT, before_begin, between);
}

void stop_watching(struct bench *bench, struct between *between)
{
	sqlite3_trace_v2(bench->writer.store.db, 0, NULL, NULL);
	sqlite3_close(between->db);
}

void assert_details(const struct bench *bench, size_t slot)
{
	struct message reply;

	decode(bench, slot, &reply);
	assert_int_equal(reply.type, MESSAGE_DETAILS);
}
