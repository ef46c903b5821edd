/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/loader.h"

#include "nbp/proto/text.h"

static const struct {
	const char *name, *machines;
} kinds[] = {
	[LOADER_BIOS] = { "bios", "BIOS" },
	[LOADER_UEFI] = { "uefi", "UEFI" },
	[LOADER_UEFI_IA32] = { "uefi-ia32", "IA32 UEFI" },
	[LOADER_UEFI_ARM64] = { "uefi-arm64", "ARM64 UEFI" },
	[LOADERS] = { "", "unknown" },
};

const char *loader_name(enum loader_kind kind)
{
	return kinds[kind].name;
}

const char *loader_machines(enum loader_kind kind)
{
	return kinds[kind].machines;
}

enum loader_kind loader_kind_of(const struct request *request)
{
	if (request->firmware == FIRMWARE_BIOS)
		return LOADER_BIOS;
	if (request->firmware != FIRMWARE_UEFI)
		return LOADERS;
	switch (request->architecture) {
	case ARCHITECTURE_IA32: return LOADER_UEFI_IA32;
	case ARCHITECTURE_ARM64: return LOADER_UEFI_ARM64;
	default: return LOADER_UEFI;
	}
}

enum firmware_kind loader_firmware(enum loader_kind kind)
{
	return kind == LOADER_BIOS || kind == LOADERS ? FIRMWARE_BIOS : FIRMWARE_UEFI;
}

enum loader_kind loader_first(const struct loaders *loaders)
{
	enum loader_kind kind = LOADER_BIOS;

	while (kind < LOADERS && !loaders->of[kind][0])
		kind++;
	return kind;
}

void loader_leave_to_settings(struct loaders *loaders)
{
	for (enum loader_kind kind = 0; kind < LOADERS; kind++)
		text_format(loaders->of[kind], FILE_SIZE, LOADER_OF_SETTINGS);
}
