/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * TFTP by EFI_MTFTP4_PROTOCOL (UEFI 30.3), which GNU-EFI's headers lack. It takes the router's
 * address, which the base code knows only if it ran DHCP itself.
 */

#define TRIES 4
#define WAIT_SECONDS 2 /* for each */

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

struct mtftp4_token {
	EFI_STATUS status;
	EFI_EVENT event; /* NULL: the call comes back when the file is read */
	VOID *other_config;
	const char *name, *mode;
	UINT32 option_count;
	const struct mtftp4_option *options;
	UINT64 size; /* of the buffer, then of the file */
	VOID *buffer;
	VOID *context, *check_packet, *on_timeout, *packet_needed;
};

struct mtftp4 {
	VOID *get_mode;
	EFI_STATUS(EFIAPI *configure)(struct mtftp4 *this, struct mtftp4_config *config);
	VOID *get_info, *parse_options;
	EFI_STATUS(EFIAPI *read_file)(struct mtftp4 *this, struct mtftp4_token *token);
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

int mtftp4_read(struct efi *efi, const uint8_t server[4], const char *name, void *buffer,
                size_t capacity, size_t *length)
{
	static const struct mtftp4_option options[] = { { "blksize", "1432" } };
	EFI_SERVICE_BINDING *binding = efi_parent_protocol(efi, efi->path, &binding_guid);
	struct mtftp4 *protocol;
	struct mtftp4_token token;
	EFI_HANDLE child = NULL;
	EFI_STATUS status;

	if (!binding || EFI_ERROR(binding->CreateChild(binding, &child)))
		return ERR_UNSUPPORTED;
	protocol = efi_protocol(efi, child, &mtftp4_guid);
	memset(&token, 0, sizeof(token));
	token.name = name;
	token.option_count = sizeof(options) / sizeof(options[0]);
	token.options = options;
	token.size = capacity;
	token.buffer = buffer;
	status = protocol ? configure(efi, protocol, server) : EFI_UNSUPPORTED;
	if (!EFI_ERROR(status))
		status = protocol->read_file(protocol, &token);
	binding->DestroyChild(binding, child);
	debug(1, &efi->platform, "MTFTP4 %s: status %d, %u bytes", name, (int)status,
	      (uint32_t)token.size);
	*length = (size_t)token.size;
	/* A server's error is mostly of a file that it does not have. */
	return status == EFI_TFTP_ERROR ? ERR_NOT_FOUND : efi_error(status);
}
