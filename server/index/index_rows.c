/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/index/index_internal.h"
#include "server/store/memory.h"
#include "server/store/uuids.h"

/* Reading the rows of the policy. One that is unsound is left out, with a warning. */

/* --- rows ------------------------------------------------------------------ */

static bool take_id(struct store_rows *row, const char *what, uint64_t *id, struct warnings *warnings)
{
	int64_t value = store_number(row, 0);

	*id = (uint64_t)value;
	if (value >= 1 && value <= INDEX_PAST_MAX)
		return true;
	warnings_add(warnings, "%s %lld: left out, its id is not between 1 and %u", what, (long long)value,
	     INDEX_PAST_MAX);
	return false;
}

/* The bundle whose id is in @column; NULL, with a warning, if there is none. */
static const struct bundle *take_bundle_of(const struct policy *policy, struct store_rows *row,
                                           int column, const char *what, uint64_t id,
                                           struct warnings *warnings)
{
	const struct bundle *bundle =
		policy_bundle(policy, (uint64_t)store_number(row, column));

	if (!bundle)
		warnings_add(warnings, "%s %llu: left out, its bundle is not there", what,
		     (unsigned long long)id);
	return bundle;
}

static uint32_t take_u32(struct store_rows *row, int column)
{
	int64_t value = store_number(row, column);

	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* --- rows ------------------------------------------------------------------ */

static bool take_folder(struct policy *policy, struct store_rows *row, void *item,
                        struct warnings *warnings)
{
	struct folder *folder = item;

	(void)policy;
	store_text(row, 1, folder->name, sizeof(folder->name));
	return take_id(row, "folder", &folder->id, warnings);
}

static bool take_group(struct policy *policy, struct store_rows *row, void *item,
                       struct warnings *warnings)
{
	struct group *group = item;

	(void)policy;
	store_text(row, 1, group->name, sizeof(group->name));
	return take_id(row, "group", &group->id, warnings);
}

/* What image-safe data call the image that a bundle writes. */
static void take_image(struct store_rows *row, int column, struct bundle *bundle)
{
	static const char key[] = "image=";
	size_t length;
	const char *details = store_blob(row, column, &length);

	text_format(bundle->image, sizeof(bundle->image), "%s", bundle->name);
	while (details && length) {
		size_t one = strnlen(details, length);

		if (one >= sizeof(key) - 1 && memcmp(details, key, sizeof(key) - 1) == 0) {
			text_clean(bundle->image, sizeof(bundle->image),
			           details + sizeof(key) - 1, one - (sizeof(key) - 1));
			return;
		}
		one += one < length; /* its NUL */
		details += one;
		length -= one;
	}
}

static bool take_bundle(struct policy *policy, struct store_rows *row, void *item,
                        struct warnings *warnings)
{
	struct bundle *bundle = item;
	char kind[32], completes[16];

	(void)policy;
	store_text(row, 1, bundle->name, sizeof(bundle->name));
	store_text(row, 2, kind, sizeof(kind));
	(void)bundle_kind_parse(kind, &bundle->kind); /* the schema allows no other names */
	store_text(row, 3, bundle->loader_bios, sizeof(bundle->loader_bios));
	store_text(row, 4, bundle->loader_uefi, sizeof(bundle->loader_uefi));
	store_text(row, 5, bundle->config, sizeof(bundle->config));
	store_text(row, 6, bundle->prefix, sizeof(bundle->prefix));
	take_image(row, 7, bundle);
	bundle->attempts = take_u32(row, 8);
	bundle->deadline = take_u32(row, 9);
	store_text(row, 10, completes, sizeof(completes));
	(void)completion_parse(completes, &bundle->completion);
	return take_id(row, "bundle", &bundle->id, warnings);
}

static bool take_rule(struct policy *policy, struct store_rows *row, void *item,
                      struct warnings *warnings)
{
	char text[FILTER_TEXT], applies[16];
	struct filter_error error;
	struct rule *rule = item;

	rule->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, rule->name, sizeof(rule->name));
	rule->bundle = take_bundle_of(policy, row, 2, "rule", rule->id, warnings);
	store_text(row, 3, applies, sizeof(applies));
	(void)rule_applies_parse(applies, &rule->applies);
	rule->repeat = store_number(row, 5);
	rule->enabled = store_number(row, 6);
	if (!rule->bundle)
		return false;
	/* Explanations name those that are not. */
	if (!rule->enabled)
		return true;
	if (strlen(store_string(row, 4)) >= FILTER_TEXT) {
		warnings_add(warnings, "rule %s: left out, its filter is too long", rule->name);
		return false;
	}
	store_text(row, 4, text, sizeof(text));
	rule->filter = filter_parse(text, &error);
	if (!rule->filter) {
		warnings_add(warnings, "rule %s: left out, its filter is wrong at column %zu: %s",
		     rule->name, error.column, error.message);
		return false;
	}
	policy->rules_for_known |= (rule->applies & RULE_KNOWN) != 0;
	policy->rules_for_unknown |= (rule->applies & RULE_UNKNOWN) != 0;
	return true;
}

static bool take_multicast(struct policy *policy, struct store_rows *row, void *item,
                           struct warnings *warnings)
{
	struct session *multicast = item;
	char state[16];

	if (!take_id(row, "multicast session", &multicast->id, warnings))
		return false;
	store_text(row, 1, multicast->name, sizeof(multicast->name));
	multicast->bundle = take_bundle_of(policy, row, 2, "multicast session", multicast->id,
	                                   warnings);
	store_text(row, 3, state, sizeof(state));
	(void)session_state_parse(state, &multicast->state);
	multicast->clients = take_u32(row, 4);
	multicast->wait = take_u32(row, 5);
	multicast->last_joined = store_number(row, 6);
	multicast->joined = take_u32(row, 7);
	return multicast->bundle != NULL;
}

static bool take_assignment(struct policy *policy, struct store_rows *row, void *item,
                            struct warnings *warnings)
{
	struct assignment *assignment = item;
	char level[16], mode[16];

	if (!take_id(row, "assignment", &assignment->id, warnings))
		return false;
	assignment->bundle = take_bundle_of(policy, row, 1, "assignment", assignment->id, warnings);
	store_text(row, 2, level, sizeof(level));
	(void)level_parse(level, &assignment->level);
	assignment->owner = (uint64_t)store_number(row, 3);
	store_text(row, 4, mode, sizeof(mode));
	(void)assignment_mode_parse(mode, &assignment->mode);
	assignment->until = store_number(row, 5);
	assignment->added = store_number(row, 6);
	return assignment->bundle != NULL;
}

static bool take_uuid(struct policy *policy, struct store_rows *row, void *item,
                      struct warnings *warnings)
{
	(void)policy;
	(void)warnings;
	uuid_row(row, item);
	return true;
}

/* --- all of them ----------------------------------------------------------- */

/* Takes one row into @item, which is zeros. Returns false to leave it out. */
typedef bool row_taker(struct policy *policy, struct store_rows *row, void *item,
                      struct warnings *warnings);

/* Reads rows into an array of items of @size bytes. */
static int read_rows(struct store *store, struct policy *policy, enum policy_table table,
                     row_taker *take, void *array, size_t size, size_t *count, struct warnings *warnings)
{
	char *items = NULL;
	size_t room = 0;
	struct store_rows *rows;
	int rc = policy_list(store, table, &rows);

	*count = 0;
	while (store_next(rows, &rc)) {
		if (*count == room) {
			char *larger = realloc(items, (room * 2 + 16) * size);

			if (!larger) {
				store_end(rows);
				rc = ERR_SPACE;
				break;
			}
			items = larger;
			room = room * 2 + 16;
		}
		memset(items + *count * size, 0, size);
		*count += take(policy, rows, items + *count * size, warnings);
	}
	/* Also what a failure leaves is for policy_free(). */
	memcpy(array, &items, sizeof(items));
	return rc;
}

#define READ(what, table) \
	read_rows(store, policy, table, take_##what, &policy->what##s, sizeof(policy->what##s[0]), \
	          &policy->what##_count, warnings)

int policy_read_rows(struct store *store, struct policy *policy, struct warnings *warnings)
{
	int rc = READ(folder, POLICY_FOLDERS);

	if (rc == 0)
		rc = READ(group, POLICY_GROUPS);
	if (rc == 0)
		rc = READ(bundle, POLICY_BUNDLES);
	if (rc == 0)
		rc = READ(rule, POLICY_RULES);
	if (rc == 0)
		rc = READ(multicast, POLICY_SESSIONS);
	if (rc == 0)
		rc = READ(assignment, POLICY_ASSIGNMENTS);
	if (rc == 0)
		rc = READ(uuid, POLICY_UUIDS);
	return rc;
}
