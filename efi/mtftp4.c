/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/tftp.h"

/*
 * TFTP by EFI_MTFTP4_PROTOCOL (UEFI 30.3), which GNU-EFI's headers lack. It takes the router's
 * address, which the base code knows only if it ran DHCP itself; and it knows multicast (RFC
 * 2090). There the firmware's own bounds do not do: each packet of a server that sends no data
 * starts them anew, and EDK2 and atftpd answer each other as long as another machine is served.
 */

#define TRIES 4
#define WAIT_SECONDS 2 /* for each */
#define TFTP_DATA 3    /* opcode, of RFC 1350 */

struct mtftp4_config {
	BOOLEAN use_default;
	EFI_IPv4_ADDRESS address, mask;
	UINT16 local_port; /* 0: any */
	EFI_IPv4_ADDRESS router, server;
	UINT16 server_port, tries, wait;
};

struct mtftp4_option {
	const char *name, *value;
};

struct mtftp4;

struct mtftp4_token {
	volatile EFI_STATUS status; /* EFI_NOT_READY until the file is read */
	EFI_EVENT event; /* NULL: the call comes back when the file is read */
	VOID *other_config;
	const char *name, *mode;
	UINT32 option_count;
	const struct mtftp4_option *options;
	UINT64 size; /* of the buffer, then of the file */
	VOID *buffer;
	VOID *context;
	EFI_STATUS(EFIAPI *check_packet)(struct mtftp4 *this, struct mtftp4_token *token,
	                                 UINT16 length, const UINT8 *packet);
	VOID *on_timeout, *packet_needed;
};

struct mtftp4 {
	VOID *get_mode;
	EFI_STATUS(EFIAPI *configure)(struct mtftp4 *this, struct mtftp4_config *config);
	VOID *get_info, *parse_options;
	EFI_STATUS(EFIAPI *read_file)(struct mtftp4 *this, struct mtftp4_token *token);
	VOID *write_file, *read_directory;
	EFI_STATUS(EFIAPI *poll)(struct mtftp4 *this);
};

/* A file that is read by multicast. */
struct reading {
	struct mtftp4_token token;  /* first: check_packet() gets it */
	struct efi *efi;
	uint32_t begun;             /* when it began, ms */
	volatile uint32_t progress; /* when a new block came last, ms */
};

static const EFI_GUID binding_guid = { 0x2fe800be, 0x8f01, 0x4aa6,
	                               { 0x94, 0x6b, 0xd7, 0x13, 0x88, 0xe1, 0x83, 0x3f } };
static const EFI_GUID mtftp4_guid = { 0x78247c57, 0x63db, 0x4708,
	                              { 0x99, 0xc2, 0xa8, 0xb4, 0xa9, 0xa6, 0x1f, 0x6b } };

static EFI_STATUS configure(struct efi *efi, struct mtftp4 *protocol, const uint8_t server[4])
{
	struct mtftp4_config config;

	memset(&config, 0, sizeof(config));
	config.address = efi->nic.address;
	config.mask = efi->nic.mask;
	config.router = efi->nic.router;
	memcpy(config.server.Addr, server, sizeof(config.server.Addr));
	config.tries = TRIES;
	config.wait = WAIT_SECONDS;
	return protocol->configure(protocol, &config);
}

static bool is_late(const struct reading *r)
{
	uint32_t now = clock_now(&r->efi->platform);

	/* A block may come right now, from a timer's event: progress is later than now then. */
	return now - r->begun > TFTP_TOTAL_MS || (int32_t)(now - r->progress) > TFTP_SILENCE_MS;
}

/* The firmware calls it for each new block, and for each OACK; on an error it tells the server. */
static EFI_STATUS EFIAPI check_packet(struct mtftp4 *this, struct mtftp4_token *token,
                                      UINT16 length, const UINT8 *packet)
{
	struct reading *r = (struct reading *)token;

	(void)this, (void)length;
	if (is_late(r))
		return EFI_ABORTED;
	if (packet[1] == TFTP_DATA)
		r->progress = clock_now(&r->efi->platform);
	return EFI_SUCCESS;
}

/* Reads a file while it watches the time; the firmware's own call might never come back. */
static EFI_STATUS read_in_time(struct reading *r, struct mtftp4 *protocol)
{
	EFI_BOOT_SERVICES *boot = r->efi->boot;
	EFI_STATUS status = boot->CreateEvent(0, TPL_CALLBACK, NULL, NULL, &r->token.event);

	if (EFI_ERROR(status))
		return status;
	r->begun = r->progress = clock_now(&r->efi->platform);
	r->token.check_packet = check_packet;
	status = protocol->read_file(protocol, &r->token);
	if (!EFI_ERROR(status)) {
		while (r->token.status == EFI_NOT_READY && !is_late(r))
			protocol->poll(protocol);
		status = r->token.status;
		protocol->configure(protocol, NULL); /* ends it, if it has not ended */
	}
	boot->CloseEvent(r->token.event);
	return status == EFI_NOT_READY || status == EFI_ABORTED ? EFI_TIMEOUT : status;
}

int mtftp4_read(struct efi *efi, const uint8_t server[4], const char *name, bool multicast,
                void *buffer, size_t capacity, size_t *length)
{
	static const struct mtftp4_option options[] = { { "blksize", "1432" }, { "multicast", "" } };
	EFI_SERVICE_BINDING *binding = efi_parent_protocol(efi, efi->path, &binding_guid);
	struct mtftp4 *protocol;
	struct reading reading;
	struct mtftp4_token *token = &reading.token;
	EFI_HANDLE child = NULL;
	EFI_STATUS status;

	if (!binding || EFI_ERROR(binding->CreateChild(binding, &child)))
		return ERR_UNSUPPORTED;
	protocol = efi_protocol(efi, child, &mtftp4_guid);
	memset(&reading, 0, sizeof(reading));
	reading.efi = efi;
	token->name = name;
	token->option_count = multicast ? 2 : 1;
	token->options = options;
	token->size = capacity;
	token->buffer = buffer;
	status = protocol ? configure(efi, protocol, server) : EFI_UNSUPPORTED;
	if (!EFI_ERROR(status))
		status = multicast ? read_in_time(&reading, protocol)
		                   : protocol->read_file(protocol, token);
	binding->DestroyChild(binding, child);
	debug(1, &efi->platform, "MTFTP4 %s: status %d, %u bytes", name, (int)status,
	      (uint32_t)token->size);
	*length = (size_t)token->size;
	/* A server's error is mostly of a file that it does not have, or of the option. */
	if (status == EFI_TFTP_ERROR)
		return multicast ? ERR_REFUSED : ERR_NOT_FOUND;
	return efi_error(status);
}
