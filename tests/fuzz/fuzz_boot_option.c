/* SPDX-License-Identifier: BSD-2-Clause */
/* UEFI's variables Boot####, which any program may have written, and their device paths. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "efi/bootnext.h"
#include "efi/load_option.h"
#include "nbp/proto/error.h"

/* Joins the parts of a path: the result must be a path that reads the same. */
static void check_join(const uint8_t *path, const struct device_path *facts)
{
	uint8_t joined[DEVICE_PATH_MAX];
	struct device_path again;
	size_t end = facts->size - DEVICE_PATH_END;
	struct span device = { path, facts->device }, rest = { path + facts->device, 0 };

	/* An end node may be longer than need be; then it is not where it should be. */
	if (facts->file > end || memcmp(path + end, "\x7f\xff\4", 4) != 0)
		return;
	rest.length = end > facts->device ? end - facts->device : 0;
	REQUIRE(device_path_join(joined, sizeof(joined), device, rest) != 0);
	REQUIRE(device_path_read(joined, sizeof(joined), &again) == 0);
	REQUIRE(again.kind == facts->kind && again.device == facts->device);
	REQUIRE(again.file == facts->file && again.bus == facts->bus);
	REQUIRE(memcmp(&again.partition, &facts->partition, sizeof(again.partition)) == 0);
	REQUIRE(device_path_join(joined, facts->device, device, rest) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct device_path nothing;
	struct load_option option;
	struct device_path path;
	int rc = load_option_read(data, size, &option);

	REQUIRE(rc == 0 || rc == ERR_TRUNCATED || rc == ERR_MALFORMED);
	if (rc == 0) {
		REQUIRE(option.path.data > data && option.path.length >= DEVICE_PATH_END);
		REQUIRE(option.path.data + option.path.length <= option.data.data);
		REQUIRE(option.data.data + option.data.length == data + size);
		load_option_is_disk(&option);
		check_join(option.path.data, &option.facts);
		REQUIRE(option.facts.partition.scheme == 0 ||
		        device_path_same_partition(&option.facts.partition,
		                                   &option.facts.partition));
	}
	rc = device_path_read(data, size, &path);
	if (rc == 0) {
		REQUIRE(path.size <= size && path.device < path.size && path.file < path.size);
		check_join(data, &path);
	} else {
		REQUIRE(memcmp(&path, &nothing, sizeof(path)) == 0);
	}
	bootnext_allowed(data, size, &(struct bootnext){ .when = 100, .resets = 3 });
	return 0;
}
