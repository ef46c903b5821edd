/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_AUDIT_H
#define SERVER_STORE_AUDIT_H

#include "server/store/store_rows.h"

/*
 * The audit trail: who changed what, when, from what to what. It is written by triggers that only
 * exist in the connection of a program that says who its user is, and that its first store_begin()
 * makes: so no verb of such a program can forget it, as long as it changes things in transactions;
 * each record is stored with the change or not at all; and prebootd's own writes cost nothing. What
 * one transaction does and undoes again leaves no record.
 */

#define AUDIT_EXPIRE 1000 /* records that are looked at for their age at once */

/* Who makes the changes of a connection. */
struct audit_actor {
	const char *user; /* a login name */
	uint32_t uid;
	const char *verb; /* what the user called: "device add" */
};

/** Has each transaction that @store begins from now on recorded as made by @actor. */
void audit_start(struct store *store, const struct audit_actor *actor);

/* One change of one thing. Texts are valid until the next row is read. */
struct audit_record {
	uint64_t id;
	int64_t time;      /* Unix time */
	const char *user;
	uint32_t uid;
	const char *verb;
	const char *noun;  /* "device", "settings", "job", ... */
	/* Which one: a name, path or UUID; "7 of web01" of jobs; of settings, whose they are. */
	const char *name;
	const char *field; /* empty: all of it; @was and @becomes list its fields */
	const char *was;   /* NULL: it was not there */
	const char *becomes; /* NULL: it is removed */
};

/* Which records to list; zeros and NULL: all. */
struct audit_filter {
	int64_t since;     /* Unix time */
	const char *noun;
	const char *user;
	/* Of things: a JSON array of their names. The jobs, assignments and memberships of a device,
	 * group, bundle or folder are listed with it, and what it was called before it got its
	 * name. */
	const char *names;
	uint32_t limit;    /* the last so many */
};

/** Starts a list of records, the oldest first; take each with audit_row(). */
int audit_list(struct store *store, const struct audit_filter *filter, struct store_rows **rows);
void audit_row(struct store_rows *row, struct audit_record *record);

/** Says whether any record is of @name, as audit_list() finds it. */
int audit_knows(struct store *store, const char *name, bool *any);
/** Says whether there is a record from before @time, Unix time. */
int audit_any_before(struct store *store, int64_t time, bool *any);
/** Forgets records from before @time, Unix time, but not more than AUDIT_EXPIRE, the oldest. */
int audit_expire(struct store *store, int64_t time);

/* For store.c: begins a transaction's records, and ends them before its commit. */
int audit_begin(struct store *store);
int audit_settle(struct store *store);

#endif
