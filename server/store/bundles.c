/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/bundles.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

static const struct {
	const char *name, *config;
	uint8_t completion;
} kinds[] = {
	[BUNDLE_IMAGING] = { "imaging", "z_auto.cfg", COMPLETION_AGENT },
	/* No agent of ours runs in these. */
	[BUNDLE_THIRD_PARTY] = { "third-party", "winpe.cfg", COMPLETION_NEXT_BOOT },
	[BUNDLE_KICKSTART] = { "kickstart", "kickstart.cfg", COMPLETION_NEXT_BOOT },
	[BUNDLE_SCRIPT] = { "script", "z_auto.cfg", COMPLETION_AGENT },
	[BUNDLE_MULTICAST] = { "multicast", "z_auto.cfg", COMPLETION_AGENT },
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *bundle_kind_name(enum bundle_kind kind)
{
	return kind < KIND_COUNT ? kinds[kind].name : NULL;
}

int bundle_kind_parse(const char *name, enum bundle_kind *kind)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = (enum bundle_kind)i;
			return 0;
		}
	return ERR_NOT_FOUND;
}

const char *bundle_kind_config(enum bundle_kind kind)
{
	return kinds[kind].config;
}

uint8_t bundle_kind_completion(enum bundle_kind kind)
{
	return kinds[kind].completion;
}

int bundle_details_fit(const char *config, const struct details *details, bool session)
{
	struct message whole = { .type = MESSAGE_DETAILS };
	uint8_t datagram[MESSAGE_MAX];
	char longest[NAME_SIZE];
	size_t length;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	whole.u.details = *details;
	whole.u.details.decision = DECISION_JOB;
	whole.u.details.job = UINT64_MAX;
	whole.u.details.attempt = 1;
	memcpy(whole.u.details.device, longest, sizeof(longest));
	text_format(whole.u.details.config, FILE_SIZE, "%s", config);
	if (session && (details_add(&whole.u.details, "multicast", longest) ||
	                details_add(&whole.u.details, "multicast_state", "waiting") ||
	                details_add(&whole.u.details, "multicast_clients", "4294967295")))
		return ERR_SPACE;
	if (message_encode(&whole, datagram, sizeof(datagram), &length))
		return ERR_SPACE;
	return 0;
}

static void copy_loader(const char *own, const char *otherwise, char out[FILE_SIZE])
{
	text_format(out, FILE_SIZE, "%s", strcmp(own, LOADER_OF_SETTINGS) ? own : otherwise);
}

void job_of_bundle(const struct bundle *bundle, const struct settings *settings,
                  struct job *job)
{
	memset(job, 0, sizeof(*job));
	copy_loader(bundle->loader_bios, settings->loader_bios, job->loader_bios);
	copy_loader(bundle->loader_uefi, settings->loader_uefi, job->loader_uefi);
	text_format(job->config, sizeof(job->config), "%s", bundle->config);
	text_format(job->prefix, sizeof(job->prefix), "%s", bundle->prefix);
	job->attempts = bundle->attempts ? bundle->attempts : settings->attempts;
	job->deadline = bundle->deadline ? bundle->deadline : settings->deadline;
	job->completion = bundle->completion;
}

/* --- the store ------------------------------------------------------------- */

#define COLUMNS \
	"id, name, kind, loader_bios, loader_uefi, config, prefix, details, attempts, deadline," \
	" added, completes"

void bundle_row(sqlite3_stmt *row, struct bundle_whole *bundle)
{
	struct bundle *b = &bundle->bundle;
	size_t length = (size_t)sqlite3_column_bytes(row, 7);
	char kind[32], completes[16];

	memset(bundle, 0, sizeof(*bundle));
	b->id = (uint64_t)sqlite3_column_int64(row, 0);
	store_text(row, 1, b->name, sizeof(b->name));
	store_text(row, 2, kind, sizeof(kind));
	bundle_kind_parse(kind, &b->kind); /* the schema allows no others */
	store_text(row, 3, b->loader_bios, sizeof(b->loader_bios));
	store_text(row, 4, b->loader_uefi, sizeof(b->loader_uefi));
	store_text(row, 5, b->config, sizeof(b->config));
	store_text(row, 6, b->prefix, sizeof(b->prefix));
	if (length && length <= sizeof(bundle->details.details)) {
		memcpy(bundle->details.details, sqlite3_column_blob(row, 7), length);
		bundle->details.details[length - 1] = '\0';
		bundle->details.details_length = (uint16_t)length;
	}
	b->attempts = (uint32_t)sqlite3_column_int64(row, 8);
	b->deadline = (uint32_t)sqlite3_column_int64(row, 9);
	bundle->added = sqlite3_column_int64(row, 10);
	store_text(row, 11, completes, sizeof(completes));
	completion_parse(completes, &b->completion);
}

static void take(sqlite3_stmt *row, void *bundle)
{
	bundle_row(row, bundle);
}

int bundle_find(struct store *store, const char *name, struct bundle_whole *bundle)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle WHERE name = ?";

	return store_one(store, take, bundle, sql, "t", name);
}

int bundle_by_id(struct store *store, uint64_t id, struct bundle_whole *bundle)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle WHERE id = ?";

	return store_one(store, take, bundle, sql, "i", (int64_t)id);
}

int bundle_add(struct store *store, struct bundle_whole *bundle)
{
	static const char sql[] =
		"INSERT INTO bundle (name, kind, loader_bios, loader_uefi, config, prefix, details,"
		" attempts, deadline, added, completes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	struct bundle *b = &bundle->bundle;
	int rc = store_run(store, sql, "ttttttbiiit", b->name, bundle_kind_name(b->kind),
	                   b->loader_bios, b->loader_uefi, b->config, b->prefix,
	                   bundle->details.details, (size_t)bundle->details.details_length,
	                   (int64_t)b->attempts, (int64_t)b->deadline, bundle->added,
	                   completion_name(b->completion));

	b->id = (uint64_t)sqlite3_last_insert_rowid(store->db);
	return rc;
}

int bundle_change(struct store *store, const struct bundle_whole *bundle)
{
	static const char sql[] =
		"UPDATE bundle SET (name, kind, loader_bios, loader_uefi, config, prefix, details,"
		" attempts, deadline, completes) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" WHERE id = ?1";
	const struct bundle *b = &bundle->bundle;

	return store_run(store, sql, "ittttttbiit", (int64_t)b->id, b->name,
	                 bundle_kind_name(b->kind), b->loader_bios, b->loader_uefi, b->config,
	                 b->prefix, bundle->details.details,
	                 (size_t)bundle->details.details_length, (int64_t)b->attempts,
	                 (int64_t)b->deadline, completion_name(b->completion));
}

int bundle_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM bundle WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int bundle_list(struct store *store, sqlite3_stmt **rows)
{
	static const char sql[] = "SELECT " COLUMNS " FROM bundle ORDER BY name";

	return store_start(store, rows, sql, "");
}

static void take_uses(sqlite3_stmt *row, void *out)
{
	struct bundle_uses *uses = out;

	uses->assignments = (uint64_t)sqlite3_column_int64(row, 0);
	uses->rules = (uint64_t)sqlite3_column_int64(row, 1);
	uses->sessions = (uint64_t)sqlite3_column_int64(row, 2);
	uses->open = (uint64_t)sqlite3_column_int64(row, 3);
	uses->done = (uint64_t)sqlite3_column_int64(row, 4);
	uses->failed = (uint64_t)sqlite3_column_int64(row, 5);
}

int bundle_uses(struct store *store, uint64_t id, struct bundle_uses *uses)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM assignment WHERE bundle = ?1),"
		" (SELECT count(*) FROM rule WHERE bundle = ?1),"
		" (SELECT count(*) FROM multicast WHERE bundle = ?1),"
		" count(*) FILTER (WHERE state IN ('pending', 'offered', 'begun')),"
		" count(*) FILTER (WHERE state = 'done'),"
		" count(*) FILTER (WHERE state = 'failed') FROM work WHERE bundle = ?1";

	return store_one(store, take_uses, uses, sql, "i", (int64_t)id);
}
