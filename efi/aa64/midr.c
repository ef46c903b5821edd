/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/aa64/midr.h"

#include "nbp/proto/text.h"

/* The fields of the register. */
#define IMPLEMENTER(midr) ((midr) >> 24)
#define VARIANT(midr) ((midr) >> 20 & 0xf)
#define PART(midr) ((midr) >> 4 & 0xfff)
#define REVISION(midr) ((midr) & 0xf)

#define ARM 0x41

static const char *vendor_name(uint32_t implementer)
{
	static const struct {
		uint8_t implementer;
		char name[11];
	} vendors[] = {
		{ ARM, "ARM" }, { 0x42, "Broadcom" }, { 0x43, "Cavium" }, { 0x46, "Fujitsu" },
		{ 0x48, "HiSilicon" }, { 0x4e, "NVIDIA" }, { 0x50, "APM" }, { 0x51, "Qualcomm" },
		{ 0x53, "Samsung" }, { 0x56, "Marvell" }, { 0x61, "Apple" }, { 0x6d, "Microsoft" },
		{ 0xc0, "Ampere" },
	};

	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		if (vendors[i].implementer == implementer)
			return vendors[i].name;
	return "";
}

/* Returns what ARM calls one of its own parts, "" if we do not know. */
static const char *part_name(uint32_t part)
{
	static const struct {
		uint16_t part;
		char name[14];
	} parts[] = {
		{ 0xd03, "Cortex-A53" }, { 0xd04, "Cortex-A35" }, { 0xd05, "Cortex-A55" },
		{ 0xd07, "Cortex-A57" }, { 0xd08, "Cortex-A72" }, { 0xd09, "Cortex-A73" },
		{ 0xd0a, "Cortex-A75" }, { 0xd0b, "Cortex-A76" }, { 0xd0c, "Neoverse-N1" },
		{ 0xd0d, "Cortex-A77" }, { 0xd40, "Neoverse-V1" }, { 0xd41, "Cortex-A78" },
		{ 0xd49, "Neoverse-N2" }, { 0xd4a, "Neoverse-E1" }, { 0xd4f, "Neoverse-V2" },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].part == part)
			return parts[i].name;
	return "";
}

void midr_describe(uint32_t midr, struct request *request)
{
	const char *name = IMPLEMENTER(midr) == ARM ? part_name(PART(midr)) : "";
	char number[16];

	text_format(number, sizeof(number), "part 0x%03x", PART(midr));
	text_format(request->cpu_vendor, sizeof(request->cpu_vendor), "%s",
	            vendor_name(IMPLEMENTER(midr)));
	text_format(request->cpu, sizeof(request->cpu), "%s r%up%u", name[0] ? name : number,
	            VARIANT(midr), REVISION(midr));
	request->cpu_family = (uint16_t)PART(midr);
	request->cpu_64bit = 1;
}
