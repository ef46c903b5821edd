/* SPDX-License-Identifier: BSD-2-Clause */
/* What filters can compare. */
#include "server/filter/filter_facts.h"

#include <string.h>
#include <strings.h>

#include "nbp/proto/message.h"
#include "server/tool/nearest.h"

static const struct fact_choice tristates[] = {
	{ "yes", STATE_YES }, { "no", STATE_NO }, { NULL, 0 },
};
static const struct fact_choice flags[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };
static const struct fact_choice firmwares[] = {
	{ "bios", FIRMWARE_BIOS }, { "uefi", FIRMWARE_UEFI }, { NULL, 0 },
};
static const struct fact_choice isd_states[] = {
	{ "valid", ISD_VALID }, { "absent", ISD_ABSENT }, { "not-read", ISD_NOT_READ }, { NULL, 0 },
};
/* DHCP option 93's, from IANA's list of processor architecture types. */
static const struct fact_choice architectures[] = {
	{ "x86-bios", 0 }, { "x86-uefi", 6 }, { "x64-uefi", 7 }, { "arm64-uefi", 11 },
	{ "x86-uefi-http", 15 }, { "x64-uefi-http", 16 }, { "arm64-uefi-http", 19 }, { NULL, 0 },
};
static const struct fact_choice disk_kinds[] = {
	{ "ata", DISK_ATA }, { "scsi", DISK_SCSI }, { "usb", DISK_USB }, { "nvme", DISK_NVME },
	{ "virtio", DISK_VIRTIO }, { "sd", DISK_SD }, { NULL, 0 },
};

#define NO_FIELD(which) which, 0
#define FIELD(member) \
	offsetof(struct request, member), sizeof(((struct request *)0)->member)
#define TEXT(name, member, help) { name, FACT_TEXT, FIELD(member), NULL, help }
#define NUMBER(name, member, help) { name, FACT_NUMBER, FIELD(member), NULL, help }
#define DIGITS(name, member, help) { name, FACT_DIGITS, FIELD(member), NULL, help }
#define CHOICE(name, member, choices, help) { name, FACT_CHOICE, FIELD(member), choices, help }

const struct fact fact_table[] = {
	TEXT("manufacturer", manufacturer, "text: who made the machine"),
	TEXT("product", product, "text: its model"),
	TEXT("version", system_version, "text: the model's version"),
	TEXT("serial", serial, "text: its serial number"),
	TEXT("sku", sku, "text: the model's order number"),
	TEXT("family", family, "text: the model's family"),
	TEXT("asset-tag", asset_tag, "text: the asset tag of its chassis"),
	NUMBER("chassis", chassis_type, "number: SMBIOS's chassis type; 3 desktop, 10 notebook"),
	TEXT("board-manufacturer", board_manufacturer, "text: who made the main board"),
	TEXT("board", board_product, "text: the main board's model"),
	TEXT("board-serial", board_serial, "text: the main board's serial number"),
	TEXT("bios-vendor", bios_vendor, "text: who made the firmware"),
	TEXT("bios-version", bios_version,
	     "text: the firmware's version, as its manufacturer writes it"),
	TEXT("bios-date", bios_date, "text: the firmware's date, as in 04/01/2024"),
	TEXT("firmware-version", firmware_version, "text: what UEFI calls itself"),
	CHOICE("firmware", firmware, firmwares, "bios or uefi: what the machine booted with"),
	CHOICE("architecture", architecture, architectures,
	       "x86-bios, x86-uefi, x64-uefi, arm64-uefi or a number: of the NBP, by DHCP option 93"),
	CHOICE("secure-boot", secure_boot, tristates, "yes or no: whether it is on"),
	CHOICE("tpm", tpm, tristates, "yes or no: whether there is one"),
	TEXT("cpu", cpu, "text: the processor's name"),
	TEXT("cpu-vendor", cpu_vendor, "text: GenuineIntel, AuthenticAMD, ..."),
	NUMBER("cpu-family", cpu_family, "number: the processor's family, by CPUID"),
	CHOICE("cpu-64bit", cpu_64bit, flags, "yes or no: whether it runs 64-bit code"),
	NUMBER("cores", cpu_cores, "number: cores of all processors"),
	{ "memory", FACT_MEMORY, FIELD(installed_mib), NULL,
	  "size: memory installed; if that is unknown, what is usable" },
	{ "usable-memory", FACT_MEMORY, FIELD(memory_mib), NULL,
	  "size: memory that the firmware leaves to the system" },
	{ "nic", FACT_DIGITS, NO_FIELD(OTHER_NIC), NULL,
	  "hex: PCI vendor and device of the network adapter, as in 8086:100e" },
	DIGITS("nic-vendor", nic_vendor, "hex: its PCI vendor, as in 8086"),
	DIGITS("nic-device", nic_device, "hex: its PCI device, as in 100e"),
	DIGITS("mac", identity.mac, "hex: the MAC address it boots with, in any spelling"),
	{ "address", FACT_ADDRESS, NO_FIELD(OTHER_ADDRESS), NULL,
	  "address: the IP address it asks from" },
	DIGITS("uuid", identity.uuid, "hex: SMBIOS's UUID"),
	{ "name", FACT_TEXT, NO_FIELD(OTHER_NAME), NULL,
	  "text: the device's name; empty for unknown machines" },
	{ "disks", FACT_NUMBER, NO_FIELD(OTHER_DISKS), NULL,
	  "number: how many disks there are, up to 8" },
	{ "disk-size", FACT_SIZE, NO_FIELD(OTHER_DISK_BYTES), NULL, "size: of the first disk" },
	{ "largest-disk", FACT_SIZE, NO_FIELD(OTHER_LARGEST_DISK), NULL,
	  "size: of the largest disk" },
	{ "disk-kind", FACT_CHOICE, NO_FIELD(OTHER_DISK_KIND), disk_kinds,
	  "ata, scsi, usb, nvme, virtio or sd: the first disk" },
	{ "sectors", FACT_NUMBER, NO_FIELD(OTHER_SECTORS), NULL,
	  "number: sectors of the first disk" },
	CHOICE("isd-state", isd_state, isd_states, "valid, absent or not-read: image-safe data"),
	DIGITS("isd-device", isd_device, "hex: the device id in the image-safe data"),
	TEXT("isd-image", isd_image, "text: the last image, by the image-safe data"),
	{ "isd-image-size", FACT_SIZE, FIELD(isd_image_size), NULL, "size: of that image" },
	CHOICE("just-imaged", isd_just_imaged, flags,
	       "yes or no: it has not run since it was imaged, by the image-safe data"),
	TEXT("nbp", version, "text: name and version of the network boot program"),
	{ NULL, FACT_TEXT, 0, 0, NULL, NULL },
};

const char *filter_fact(size_t index)
{
	return index < sizeof(fact_table) / sizeof(fact_table[0]) ? fact_table[index].name : NULL;
}

const char *filter_fact_help(size_t index)
{
	return filter_fact(index) ? fact_table[index].help : NULL;
}

/* Other words for facts: those of before, which filters may have, and those that people try. */
static const struct {
	const char *word, *fact;
	bool accepted; /* false: it is only a hint */
} words[] = {
	{ "maker", "manufacturer", true }, { "board-maker", "board-manufacturer", true },
	{ "vendor", "manufacturer", false }, { "model", "product", false },
	{ "ram", "memory", false }, { "mem", "memory", false }, { "processor", "cpu", false },
	{ "ip", "address", false }, { "disk", "disk-size", false },
	{ "bios", "bios-version", false },
	{ "hostname", "name", false }, { "device", "name", false }, { "tag", "asset-tag", false },
	{ "arch", "architecture", false },
};

static bool is_name(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && strncasecmp(name, word, length) == 0;
}

int fact_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].accepted && is_name(words[i].word, name, length))
			return fact_find(words[i].fact, strlen(words[i].fact));
	for (int i = 0; fact_table[i].name; i++)
		if (is_name(fact_table[i].name, name, length))
			return i;
	return -1;
}

static const char *fact_at(const void *unused, size_t index)
{
	(void)unused;
	return filter_fact(index);
}

const char *fact_meant(const char *name, size_t length)
{
	char word[32];

	if (length >= sizeof(word))
		return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_name(words[i].word, name, length))
			return words[i].fact;
	memcpy(word, name, length);
	word[length] = '\0';
	return nearest_name(word, fact_at, NULL);
}
