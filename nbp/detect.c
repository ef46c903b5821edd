/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/detect.h"

#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/isd_load.h"
#include "nbp/proto/isd.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/smbios.h"

void detect_hardware(struct platform *p, struct request *request)
{
	const struct machine *machine = &p->machine;

	smbios_describe(machine->smbios, machine->smbios_version, request);
	p->describe_cpu(request);
	text_format(request->version, sizeof(request->version), "%s %s", p->name, VERSION);
	memcpy(request->firmware_version, machine->firmware_version,
	       sizeof(request->firmware_version));
	memcpy(request->identity.mac, machine->mac, sizeof(request->identity.mac));
	request->architecture = machine->architecture;
	request->firmware = (uint8_t)machine->firmware;
	request->memory_mib = machine->memory_mib;
	request->secure_boot = machine->secure_boot;
	request->tpm = machine->tpm;
	request->nic_vendor = machine->nic_vendor;
	request->nic_device = machine->nic_device;
	request->nic_type = machine->nic_type;
	memcpy(request->disks, machine->disks, sizeof(request->disks));
	request->disk_count = (uint8_t)machine->disk_count;
	log_line(p, "hardware: %s %s, %u MiB, %pM", request->manufacturer, request->product,
	         request->memory_mib, request->identity.mac);
}

int detect_identity(struct platform *p, struct request *request, char *name)
{
	struct isd isd;
	int rc = isd_load(p, &isd);

	name[0] = '\0';
	if (rc == ERR_NOT_FOUND)
		request->isd_state = ISD_ABSENT;
	if (rc)
		return rc;
	request->isd_state = ISD_VALID;
	request->isd_just_imaged = isd.just_imaged;
	request->isd_image_time = isd.image_time;
	request->isd_image_size = isd.image_size;
	memcpy(request->isd_device, isd.device, sizeof(request->isd_device));
	text_format(request->isd_image, sizeof(request->isd_image), "%s", isd.image);
	memcpy(name, isd.name, NAME_SIZE);
	log_line(p, "identity: %s, %pU", isd.name, isd.device);
	return 0;
}

/* Says why there is no server to ask. */
static const char *why_none(enum started_by by, const struct dhcp_lease *lease)
{
	static const char *const reasons[] = {
		[STARTED_BY_HTTP] = "started by HTTP, and got no IPv4 address",
		[STARTED_BY_IPV6] = "got no IPv4 address, and OpenPreboot does not work over IPv6",
		[STARTED_BY_DISK] = "not started by PXE, and got no IPv4 address",
	};

	if (by != STARTED_BY_PXE)
		return reasons[by];
	if (!lease->address[0])
		return "the firmware kept no DHCP lease";
	return "DHCP named neither it nor a boot server";
}

int detect_servers(struct platform *p, struct request *request, struct dhcp_lease *lease,
                   struct exchange *exchange)
{
	static const uint8_t none[16]; /* no UUID, no address */
	int rc = dhcp_read(&p->machine.dhcp, lease);

	if (lease->ignored_option)
		log_line(p, "DHCP option %u ignored: no server addresses",
		         lease->ignored_option);
	if (rc) {
		log_line(p, "no policy server: %s", why_none(p->machine.started_by, lease));
		return rc;
	}
	for (size_t i = 0; i < lease->policy_server_count; i++) {
		struct endpoint *server = &exchange->servers[i];

		memcpy(server->address, lease->policy_servers[i], sizeof(server->address));
		server->port = POLICY_PORT;
	}
	exchange->server_count = lease->policy_server_count;
	/* If only option 224 or 131 named a server, the loader is fetched from there, too. */
	if (memcmp(lease->boot_server, none, sizeof(lease->boot_server)) == 0)
		memcpy(lease->boot_server, lease->policy_servers[0], sizeof(lease->boot_server));
	/* If SMBIOS has no UUID, the firmware may have sent one by DHCP. */
	if (memcmp(request->identity.uuid, none, sizeof(none)) == 0)
		memcpy(request->identity.uuid, lease->uuid, sizeof(lease->uuid));
	return 0;
}
