/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/nic.h"
#include "nbp/debug.h"
#include "nbp/log.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/smbios.h"

/*
 * An address for a machine whose firmware has none for us: the NBP came from a ROM, from a
 * medium, by HTTP or over IPv6. The drivers of the card, or of all cards, are connected, all
 * ask at once, and the first with what we need is it. base_code.c gives the base code what it got.
 * The base code's own Dhcp() is not used: EDK2's takes 4 s, and a minute where DHCP names no
 * boot file.
 */

#define NICS_MAX 8
#define DHCP_MS 14000      /* for all cards together; local boot is to begin within 20 s */
#define BETTER_MS 3000     /* how long a card without a boot server waits for another card */
#define LINK_MS 6000       /* a link can take this long to come up */
#define AGAIN_MS 1000      /* between the beginnings of two exchanges, of which the first has failed */

#define PCI_CLASS_NETWORK 2

/* One card that may get us an address. */
struct candidate {
	EFI_HANDLE handle;
	EFI_SIMPLE_NETWORK *snp; /* NULL: the firmware hides it */
	struct dhcp4 *dhcp;      /* pool memory; NULL: it has given up */
	bool bound;              /* it has an address */
	bool failed;             /* its exchange has ended without one, */
	uint32_t begun;          /* and began at this time, in ms since the first */
};

struct search {
	struct efi *efi;
	struct dhcp_client client;
	struct candidate nics[NICS_MAX];
	size_t count;
};

/* --- which cards -------------------------------------------------------------- */

/*
 * Returns how many bytes of our own path name the card that the NBP was started by, and 0 if it
 * was started by none, as from a medium.
 */
static size_t own_card(struct efi *efi, EFI_HANDLE *card)
{
	const EFI_DEVICE_PATH *path;

	*card = efi_parent_with(efi, efi->path, &efi_pci_guid);
	if (efi_pci_read(efi, *card, 8) >> 24 != PCI_CLASS_NETWORK)
		*card = NULL;
	path = efi_protocol(efi, *card, &efi_path_guid);
	return path ? device_path_nodes(path) : 0;
}

static void connect_cards(struct efi *efi, EFI_HANDLE only)
{
	EFI_HANDLE *handles;
	UINTN count = efi_handles(efi, &efi_pci_guid, &handles);

	for (UINTN i = 0; i < count; i++)
		if ((!only || handles[i] == only) &&
		    efi_pci_read(efi, handles[i], 8) >> 24 == PCI_CLASS_NETWORK)
			efi_connect_below(efi, handles[i]);
	efi_free(efi, handles);
}

static void list_cards(struct search *search, uint16_t vlan)
{
	struct efi *efi = search->efi;
	EFI_HANDLE card, *handles;
	size_t length = own_card(efi, &card);
	UINTN count;

	connect_cards(efi, card);
	count = efi_handles(efi, &efi_snp_guid, &handles);
	for (UINTN i = 0; i < count && search->count < NICS_MAX; i++) {
		struct candidate *nic = &search->nics[search->count];
		struct source source;

		device_path_read_source(efi_protocol(efi, handles[i], &efi_path_guid),
		                        DEVICE_PATH_MAX, &source);
		/* Base code and IP drivers pass SNP on to handles of their own. */
		if (!source.card || !efi_is_below(efi, handles[i], efi->path, length))
			continue;
		nic->handle = handles[i];
		if (vlan != 0)
			nic->handle = vlan_make(efi, handles[i], source.mac, vlan);
		nic->snp = efi_protocol(efi, handles[i], &efi_snp_guid);
		if (nic->handle && dhcp4_is_there(efi, nic->handle))
			search->count++;
	}
	efi_free(efi, handles);
}

/* --- asking on all of them ------------------------------------------------------ */

/* Fills in what a PXE client says of itself; the MAC is each card's own. */
static void describe_client(struct efi *efi, struct dhcp_client *client)
{
	const struct machine *machine = &efi->platform.machine;
	struct request request = { .architecture = 0 };

	memset(client, 0, sizeof(*client));
	client->architecture = machine->architecture;
	smbios_describe(machine->smbios, machine->smbios_version, &request);
	memcpy(client->uuid, request.identity.uuid, sizeof(client->uuid));
	clock_entropy(&efi->platform, &client->transaction, sizeof(client->transaction));
}

static void read_mac(const struct candidate *nic, uint8_t mac[6])
{
	memset(mac, 0, 6);
	if (nic->snp && nic->snp->Mode)
		memcpy(mac, nic->snp->Mode->CurrentAddress.Addr, 6);
}

static bool has_link(const struct candidate *nic)
{
	return !nic->snp || !nic->snp->Mode || !nic->snp->Mode->MediaPresentSupported ||
	       nic->snp->Mode->MediaPresent;
}

static void give_up(struct efi *efi, struct candidate *nic)
{
	if (nic->dhcp)
		dhcp4_close(nic->dhcp);
	efi_free(efi, nic->dhcp);
	nic->dhcp = NULL;
	nic->bound = false;
}

static void begin(struct search *search, enum dhcp_rank enough)
{
	struct efi *efi = search->efi;

	for (size_t i = 0; i < search->count; i++) {
		struct candidate *nic = &search->nics[i];
		VOID *pool;

		if (EFI_ERROR(efi->boot->AllocatePool(EfiLoaderData, sizeof(*nic->dhcp), &pool)))
			continue;
		nic->dhcp = pool;
		read_mac(nic, search->client.mac);
		log_line(&efi->platform, "DHCP on %pM%s", search->client.mac,
		         has_link(nic) ? "" : ", which has no link");
		if (dhcp4_open(efi, nic->handle, &search->client, enough, nic->dhcp) != 0)
			give_up(efi, nic);
	}
}

/* Returns how much @nic's answers are worth; a proxyDHCP server's count, too. */
static enum dhcp_rank worth(const struct candidate *nic)
{
	if (!nic->dhcp || !nic->bound)
		return DHCP_USELESS;
	return nic->dhcp->proxy.length != 0 ? DHCP_HAS_POLICY : nic->dhcp->rank;
}

/* Looks once at all cards. Returns how many may still get an address, or a better one. */
static size_t poll_cards(struct search *search, uint32_t age)
{
	size_t waiting = 0;

	for (size_t i = 0; i < search->count; i++) {
		struct candidate *nic = &search->nics[i];
		int rc;

		if (!nic->dhcp || nic->bound)
			continue;
		rc = dhcp4_poll(nic->dhcp);
		nic->bound = rc == 0;
		if (rc != 0 && rc != ERR_AGAIN)
			nic->failed = true;
		if (nic->failed && age - nic->begun >= AGAIN_MS) {
			nic->begun = age;
			nic->failed = false;
			if (dhcp4_again(nic->dhcp, &search->client) != 0)
				give_up(search->efi, nic);
		}
		if (nic->dhcp && !nic->bound && (age < LINK_MS || has_link(nic)))
			waiting++;
	}
	return waiting;
}

static struct candidate *best(struct search *search)
{
	struct candidate *found = NULL;

	for (size_t i = 0; i < search->count; i++) {
		struct candidate *nic = &search->nics[i];

		if (worth(nic) > (found ? worth(found) : DHCP_USELESS))
			found = nic;
	}
	return found;
}

/* Asks on all cards. Returns the one with the best answer, or NULL. */
static struct candidate *ask(struct search *search, enum dhcp_rank enough)
{
	struct platform *p = &search->efi->platform;
	uint32_t begun = p->now(p), bound = 0;
	struct candidate *found = NULL;
	size_t waiting;

	begin(search, enough);
	do {
		uint32_t age = p->now(p) - begun;

		waiting = poll_cards(search, age);
		found = best(search);
		if (!found)
			bound = age;
		else if (worth(found) >= enough || age - bound >= BETTER_MS)
			break;
		p->idle(p);
	} while (waiting != 0 && p->now(p) - begun < DHCP_MS);
	if (found)
		log_line(p, "DHCP: an answer after %u ms", p->now(p) - begun);
	else
		log_line(p, "DHCP: no answer in %u ms on %u card%s", p->now(p) - begun,
		         (uint32_t)search->count, search->count == 1 ? "" : "s");
	return found;
}

/* Waits until a card has a link, for a static address. Returns it, or any card if none has. */
static struct candidate *await_link(struct search *search)
{
	struct platform *p = &search->efi->platform;
	uint32_t begun = p->now(p);
	size_t i = 0;

	while (!has_link(&search->nics[i]) && p->now(p) - begun < LINK_MS) {
		p->idle(p);
		i = i + 1 < search->count ? i + 1 : 0;
	}
	return &search->nics[i];
}

/* --- the way in ------------------------------------------------------------------ */

/* Gets @search's machine on the network. */
static int connect(struct search *search, const struct site *site)
{
	struct efi *efi = search->efi;
	struct candidate *nic;
	/* With servers of the site's own, any address will do. */
	enum dhcp_rank enough = site->server_count != 0 ? DHCP_HAS_ADDRESS : DHCP_HAS_BOOT;

	list_cards(search, site->vlan);
	if (search->count == 0) {
		log_line(&efi->platform, site->vlan ? "no network card that can do VLANs"
		                                    : "no network card with DHCP for IPv4");
		return ERR_NOT_FOUND;
	}
	describe_client(efi, &search->client);
	nic = site->address[0] != 0 ? await_link(search) : ask(search, enough);
	if (!nic)
		return ERR_TIMEOUT;
	read_mac(nic, search->client.mac);
	return base_code_give(efi, nic->handle, &search->client, nic->dhcp, site);
}

void nic_connect(struct platform *p)
{
	static const EFI_IPv4_ADDRESS none;
	struct efi *efi = efi_of(p);
	struct search search = { .efi = efi };
	struct site site;
	int rc;

	if (efi->pxe && memcmp(&efi->nic.address, &none, sizeof(none)) != 0)
		return;
	site_file_read(efi, &site);
	rc = connect(&search, &site);
	for (size_t i = 0; i < search.count; i++)
		give_up(efi, &search.nics[i]);
	if (rc != 0)
		return;
	net_find(efi);
	efi->nic.own = true;
	p->machine.network_ready = p->now(p);
}
