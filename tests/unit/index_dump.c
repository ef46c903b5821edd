/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/index_dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pool_uuid(uint8_t uuid[16], char kind, int number)
{
	memset(uuid, kind, 16);
	uuid[0] = (uint8_t)number;
}

void pool_mac(uint8_t mac[6], int number)
{
	memset(mac, 'm', 6);
	mac[0] = 2;
	mac[5] = (uint8_t)number;
}

static void print_bytes(FILE *out, const char *what, const uint8_t *bytes, size_t size)
{
	fprintf(out, " %s ", what);
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%02x", bytes[i]);
}

static void print_settings(FILE *out, const struct settings *s)
{
	fprintf(out, " settings %u %u %u %u %u %u %s %s %s %s %s %u %u %u %u %u\n", s->menu_mode, s->hot_key,
	        s->hot_key_wait, s->local_boot_bios, s->local_boot_uefi, s->valid_for,
	        s->menu_file, s->loaders.of[0], s->loaders.of[1], s->loaders.of[2],
	        s->loaders.of[3], s->attempts, s->deadline,
	        s->job_by_mac, s->tftp_multicast, s->admit_unknown);
}

static void print_assignment(FILE *out, const struct assignment *a)
{
	fprintf(out, " assignment %llu bundle %s level %d of %llu mode %d until %lld added %lld\n",
	        (unsigned long long)a->id, a->bundle->name, a->level,
	        (unsigned long long)a->owner, a->mode, (long long)a->until, (long long)a->added);
}

static void print_catalog(FILE *out, const struct catalog *catalog)
{
	print_settings(out, &catalog->settings);
	for (int i = 0; i <= POOL; i++) {
		const struct folder *f = catalog_folder(catalog, (uint64_t)i);
		const struct bundle *b = catalog_bundle(catalog, (uint64_t)i);
		const struct session *m = catalog_multicast(catalog, (uint64_t)i);

		if (f) {
			fprintf(out, "folder %d %s in %s", i, f->name,
			        f->parent ? f->parent->name : "none");
			print_settings(out, f->settings);
		}
		if (b)
			fprintf(out, "bundle %d %s kind %d %s %s %s %s %s %s %s %u %u %u\n", i, b->name,
			        b->kind, b->loaders.of[0], b->loaders.of[1], b->loaders.of[2],
			        b->loaders.of[3], b->config, b->prefix,
			        b->image, b->attempts, b->deadline, b->completion);
		if (m)
			fprintf(out, "session %d %s bundle %s state %d %u %u joined %u %lld\n", i,
			        m->name, m->bundle->name, m->state, m->clients, m->wait,
			        m->joined, (long long)m->last_joined);
		for (int level = LEVEL_GLOBAL; level <= LEVEL_GROUP; level++) {
			size_t count;
			const struct assignment *a = catalog_assignments(catalog, (enum level)level,
			                                                 (uint64_t)i, &count);

			for (size_t j = 0; j < count; j++)
				print_assignment(out, &a[j]);
		}
	}
	for (size_t i = 0; i < catalog->rule_count; i++) {
		const struct rule *rule = &catalog->rules[i];

		fprintf(out, "rule %s bundle %s applies %d repeat %d enabled %d filter %d\n",
		        rule->name, rule->bundle->name, rule->applies, rule->repeat,
		        rule->enabled, rule->filter != NULL);
	}
	fprintf(out, "rules %d %d, %zu %zu %zu %zu\n", catalog->rules_for_known,
	        catalog->rules_for_unknown, catalog->folder_count, catalog->bundle_count,
	        catalog->multicast_count, catalog->assignment_count);
}

static void print_device(FILE *out, const struct index *index, const struct entry *entry)
{
	static const enum outcome_of ofs[] = { OUTCOME_OF_ASSIGNMENT, OUTCOME_OF_BUNDLE,
		                               OUTCOME_OF_MULTICAST };
	const struct folder *folder = entry_folder(index, entry);
	struct membership memberships[POOL];
	struct assignment assignment;
	struct settings settings;
	struct device device;
	uint64_t groups[POOL];
	size_t count;

	entry_device(entry, &device);
	fprintf(out, "device %llu %s %s added %lld folder %s mac %d open %d last %d",
	        (unsigned long long)entry_id(entry), device.name, entry_name(entry),
	        (long long)device.added, folder ? folder->name : "none", entry_has_mac(entry),
	        entry_has_open_job(entry), entry_last_job(entry));
	print_bytes(out, "uuid", device.uuid, 16);
	print_bytes(out, "isd", device.isd, 16);
	print_bytes(out, "bound", device.bound_uuid, 16);
	print_bytes(out, "bound", device.bound_mac, 6);
	print_settings(out, entry_settings(index, entry, &settings));
	count = entry_groups(entry, groups, POOL);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " group %llu", (unsigned long long)groups[i]);
	count = entry_multicasts(index, entry, memberships, POOL);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " session %s %d", memberships[i].session->name,
		        memberships[i].joined);
	for (size_t i = 0; entry_assignment(index, entry, i, &assignment); i++)
		print_assignment(out, &assignment);
	fprintf(out, " outcomes ");
	for (int of = 0; of < 3; of++)
		for (uint64_t id = 0; id <= POOL; id++)
			fprintf(out, "%d", entry_outcome(entry, ofs[of], id));
	fprintf(out, "\n");
}

static void print_found(FILE *out, const char *by, int number, const struct entry *entry)
{
	if (entry)
		fprintf(out, "%s %d is %s\n", by, number, entry_name(entry));
}

char *index_dump(const struct index *index)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "%zu devices\n", index_count(index));
	print_catalog(out, index_catalog(index));
	for (int i = 0; i <= POOL; i++) {
		const struct entry *entry = index_by_id(index, (uint64_t)i);
		uint8_t uuid[16], mac[6];

		if (entry)
			print_device(out, index, entry);
		pool_uuid(uuid, 'u', i);
		print_found(out, "uuid", i, index_by_uuid(index, uuid));
		pool_uuid(uuid, 'i', i);
		print_found(out, "isd", i, index_by_isd(index, uuid));
		pool_mac(mac, i);
		print_found(out, "mac", i, index_by_mac(index, mac));
	}
	fclose(out);
	return text;
}
