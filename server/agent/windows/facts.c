/* SPDX-License-Identifier: BSD-2-Clause */
/* What Windows knows about this boot. */
#include <winsock2.h>
#include <windows.h>

#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "server/agent/windows/kept.h"
#include "server/agent/agent_port.h"

#define VARIABLE "OpenPrebootPowerOn"
#define VENDOR "{6134f6a1-f8d4-4743-96c8-0403611a5ec3}"
#define CONTROL "SYSTEM\\CurrentControlSet\\Control"
#define PACKET_MAX 2048
#define ADAPTERS_SIZE (256 << 10) /* bytes; a card takes less than 1 KiB */

/* Reads a value of HKEY_LOCAL_MACHINE. Returns how many bytes it has; 0: there is none. */
static size_t read_registry(const char *key, const char *value, DWORD type, void *out, size_t size)
{
	DWORD length = (DWORD)size;

	return RegGetValueA(HKEY_LOCAL_MACHINE, key, value, type, NULL, out, &length) ? 0 : length;
}

/* Windows keeps the reply of the boot server that it was started from. */
static size_t read_packet(uint8_t *packet)
{
	return read_registry(CONTROL "\\PXE", "BootServerReply", RRF_RT_REG_BINARY, packet,
	                     PACKET_MAX);
}

/* The options of the entry in the BCD, and what of the packet PXELINUX would tell a kernel. */
void port_command_line(const char *root, char *out, size_t size)
{
	uint8_t packet[PACKET_MAX];
	size_t length;

	(void)root;
	out[0] = '\0';
	read_registry(CONTROL, "SystemStartOptions", RRF_RT_REG_SZ, out, size);
	length = strlen(out);
	if (length + 2 > size)
		return;
	out[length++] = ' ';
	kept_line(packet, read_packet(packet), out + length, size - length);
}

/* A program may read the firmware's variables once it has asked for that. */
static void enable_privilege(void)
{
	TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1 };
	HANDLE token;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
		return;
	wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
	if (LookupPrivilegeValueA(NULL, "SeSystemEnvironmentPrivilege",
	                          &wanted.Privileges[0].Luid))
		AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
	CloseHandle(token);
}

int port_record(const char *root, uint8_t *record)
{
	uint8_t packet[PACKET_MAX];

	(void)root;
	enable_privilege();
	if (GetFirmwareEnvironmentVariableA(VARIABLE, VENDOR, record, POWER_ON_SIZE) ==
	    POWER_ON_SIZE)
		return 0;
	/* Windows does not let programs read 4F0h, where the NBP leaves it on a BIOS. */
	return kept_record(packet, read_packet(packet), record);
}

void port_uuid(const char *root, uint8_t uuid[16])
{
	enum { HEADER = 8 }; /* its bytes 1 and 2 are the version */
	const DWORD raw_smbios = 'R' << 24 | 'S' << 16 | 'M' << 8 | 'B';
	DWORD size = GetSystemFirmwareTable(raw_smbios, 0, NULL, 0);
	uint8_t *data = size > HEADER ? calloc(1, size) : NULL;

	(void)root;
	if (data && GetSystemFirmwareTable(raw_smbios, 0, data, size) == size)
		kept_uuid(data + HEADER, size - HEADER,
		                (unsigned int)data[1] << 8 | data[2], uuid);
	free(data);
}

static void add_mac(struct agent *agent, const IP_ADAPTER_ADDRESSES *adapter)
{
	if (agent->mac_count < AGENT_MACS && adapter->IfType == IF_TYPE_ETHERNET_CSMACD &&
	    adapter->PhysicalAddressLength == 6)
		memcpy(agent->macs[agent->mac_count++], adapter->PhysicalAddress, 6);
}

/* Cards that are connected come first: the machine was booted over one of them. */
void agent_read_macs(struct agent *agent, const char *root)
{
	IP_ADAPTER_ADDRESSES *all = malloc(ADAPTERS_SIZE);
	ULONG size = ADAPTERS_SIZE;

	(void)root;
	if (all && GetAdaptersAddresses(AF_UNSPEC, 0, NULL, all, &size) == 0) {
		for (const IP_ADAPTER_ADDRESSES *one = all; one; one = one->Next)
			if (one->OperStatus == IfOperStatusUp)
				add_mac(agent, one);
		for (const IP_ADAPTER_ADDRESSES *one = all; one; one = one->Next)
			if (one->OperStatus != IfOperStatusUp)
				add_mac(agent, one);
	}
	free(all);
}
