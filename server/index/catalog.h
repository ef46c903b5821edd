/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_INDEX_CATALOG_H
#define SERVER_INDEX_CATALOG_H

#include "server/model/assignment.h"
#include "server/model/folder.h"
#include "server/model/rule.h"
#include "server/model/session.h"
#include "server/model/settings.h"
#include "server/model/uuid.h"

/*
 * The catalog is what many machines share: folders, groups, bundles, rules, multicast sessions,
 * assignments, settings and UUIDs. It is small, and is read anew as a whole when any of it changes.
 */
#define CATALOG_ID_MAX 0x0fffffffu /* what has a higher id is left out, with a warning */

struct catalog {
	struct settings settings;  /* global's: of devices in no folder, and of unknown machines */
	struct folder *folders;    /* by id */
	struct settings *folder_settings; /* of folders that have settings of their own */
	struct group *groups;      /* by id */
	struct bundle *bundles;    /* by id */
	struct rule *rules;        /* in their order */
	struct session *multicasts; /* by id */
	struct assignment *assignments; /* none of devices; by level, owner, id */
	size_t folder_count, group_count, bundle_count, rule_count, multicast_count;
	size_t assignment_count;
	struct uuid_record *uuids;   /* by UUID */
	size_t uuid_count;
	struct mac_prefix shared_macs[SHARED_MACS_MAX];
	size_t shared_mac_count;
	bool rules_for_known, rules_for_unknown; /* whether any is enabled */
};

/** Finds one by its id; NULL if there is none. */
const struct folder *catalog_folder(const struct catalog *catalog, uint64_t id);
const struct group *catalog_group(const struct catalog *catalog, uint64_t id);
const struct bundle *catalog_bundle(const struct catalog *catalog, uint64_t id);
const struct session *catalog_multicast(const struct catalog *catalog, uint64_t id);

/** Says what is known of @uuid. */
enum uuid_state catalog_uuid(const struct catalog *catalog, const uint8_t uuid[16]);
/** Says whether @mac belongs to a dock or an adapter, not to a machine. */
bool catalog_mac_shared(const struct catalog *catalog, const uint8_t mac[6]);

/** Returns the assignments of a group, a folder or global, @owner 0, by id. */
const struct assignment *catalog_assignments(const struct catalog *catalog, enum level level,
                                            uint64_t owner, size_t *count);

/** Frees the catalog and all that is in it; harmless where there is none, NULL. */
void catalog_free(struct catalog *catalog);

#endif
