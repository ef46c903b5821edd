/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/identify_bench.h"

#include <unistd.h>

#include "nbp/proto/error.h"

void bench_fill(uint8_t *out, size_t size, char what)
{
	memset(out, 0, size);
	if (what == '-')
		return;
	memset(out, what, size);
	out[0] = 2; /* no group address, nor all bytes alike */
}

int bench_set_up(void **state)
{
	static const struct store_options create = { .create = true };
	struct bench *bench = calloc(1, sizeof(*bench));
	int fd;

	strcpy(bench->path, "/tmp/preboot-identify-XXXXXX");
	fd = mkstemp(bench->path);
	if (fd < 0)
		return -1;
	close(fd);
	*state = bench;
	return store_open(&bench->store, bench->path, &create);
}

int bench_tear_down(void **state)
{
	struct bench *bench = *state;

	index_free(bench->index);
	store_close(&bench->store);
	unlink(bench->path);
	free(bench);
	return 0;
}

uint64_t bench_add(struct bench *bench, const struct known *known)
{
	struct device device = { .added = 1 };
	uint8_t macs[1][6];

	snprintf(device.name, sizeof(device.name), "%s", known->name);
	bench_fill(device.isd, sizeof(device.isd), known->isd);
	bench_fill(device.uuid, sizeof(device.uuid), known->uuid);
	bench_fill(macs[0], sizeof(macs[0]), known->mac);
	assert_int_equal(device_add(&bench->store, &device, macs, known->mac != '-'), 0);
	return device.id;
}

bool bench_check_sure(const struct index *index, const struct sender *sender,
                const struct identification *found)
{
	bool sure = false;

	for (uint64_t id = 1; id <= 9; id++) {
		const struct entry *entry = index_by_id(index, id);

		if (!entry || !identify_is(index, entry, sender))
			continue;
		assert_true(found->known && !found->binds && !found->conflicting);
		assert_ptr_equal(found->entry, entry);
		assert_string_equal(found->anomaly, "");
		sure = true;
	}
	return sure;
}

/* Keeps what was found out, as the server does for a request. Returns whether it had to. */
static bool keep(struct bench *bench, const struct sender *sender,
                 const struct identification *out)
{
	static const uint8_t boot[NONCE_SIZE] = { 1 };

	if (out->compared)
		assert_int_equal(identify_store_match(&bench->store, sender, out, 5, boot), 0);
	if (out->binds)
		assert_int_equal(device_bind(&bench->store, &out->device, &out->identity), 0);
	return out->binds || sender->match == MATCH_CARD || sender->match == MATCH_SHARED_UUID;
}

static void load_index(struct bench *bench)
{
	if (bench->index)
		return;
	bench->index = index_new();
	assert_int_equal(index_load(bench->index, &bench->store), 0);
}

static void follow(struct bench *bench, bool any)
{
	struct changes *changes;

	assert_int_equal(index_read_changes(bench->index, &bench->store, &changes), 0);
	assert_int_equal(changes != NULL, any);
	if (changes)
		assert_int_equal(index_apply(bench->index, changes), 0);
}

void bench_ask(struct bench *bench, const struct reported *reported, struct identification *out)
{
	struct index *own = index_new();
	struct identification of_store;
	struct request request = { .firmware = 1, .manufacturer = "Maker", .product = "PC" };
	struct identity *identity = &request.identity;
	uint8_t isd[16];
	struct sender sender = { identity, isd, &request, MATCH_UNCHECKED }, tool;

	bench_fill(identity->uuid, sizeof(identity->uuid), reported->uuid);
	bench_fill(identity->mac, sizeof(identity->mac), reported->mac);
	bench_fill(isd, sizeof(isd), reported->isd);
	if (bench->serial)
		snprintf(request.serial, sizeof(request.serial), "5CG01%c9", bench->serial);
	if (bench->board)
		snprintf(request.board_serial, sizeof(request.board_serial), "B%c7", bench->board);
	if (bench->agent)
		sender.isd = NULL, sender.request = NULL;
	tool = sender;
	load_index(bench);
	assert_int_equal(identify_with_store(&bench->store, bench->index, &sender, out), 0);
	assert_false(out->undecided);
	bench->compared += out->compared != 0;
	assert_false(bench_check_sure(bench->index, &sender, out) && out->compared);
	assert_int_equal(identify_without_index(&bench->store, own, &tool, &of_store), 0);
	assert_int_equal(of_store.known, out->known);
	assert_int_equal(of_store.device.id, out->device.id);
	assert_int_equal(of_store.binds, out->binds);
	assert_int_equal(of_store.no_admission, out->no_admission);
	assert_string_equal(of_store.anomaly, out->anomaly);
	assert_int_equal(tool.match, sender.match);
	index_free(own);
	follow(bench, keep(bench, &sender, out));
}

void bench_expect(struct bench *bench, struct reported reported, const char *expected,
                  const char *note)
{
	struct identification who;

	print_message("           isd %c uuid %c mac %c: %s\n", reported.isd, reported.uuid,
	              reported.mac, expected ? expected : "unknown");
	bench_ask(bench, &reported, &who);
	assert_int_equal(who.known, expected != NULL);
	if (expected)
		assert_string_equal(who.device.name, expected);
	if (note[0])
		assert_non_null(strstr(who.anomaly, note));
	else
		assert_string_equal(who.anomaly, "");
	assert_int_equal(who.by_mac, who.known && who.device.isd[1] != reported.isd &&
	                                     reported.uuid == '-' &&
	                                     (device_uuid_ok(who.device.uuid) ||
	                                      device_uuid_ok(who.device.bound_uuid)));
	if (who.conflicting)
		assert_true(who.anomaly[0] && who.conflicting != (who.known ? who.device.id : 0));
}
