/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_PORT_H
#define EFI_PORT_H

#include <efi.h>

#include "platform.h"
#include "x86.h"

/*
 * The UEFI port. Firmware is called through GNU-EFI's headers only; with
 * GNU_EFI_USE_MS_ABI its calls are plain C calls. "UEFI" below means the UEFI
 * Specification 2.10.
 */

#define DATAGRAM_MAX 1200 /* what platform.h promises to udp_send */

/* A child of the firmware's UDP4 driver (UEFI 30.1). */
struct udp4 {
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE child;
	EFI_UDP4 *protocol; /* NULL: not open */
	EFI_UDP4_COMPLETION_TOKEN receive;
	EFI_UDP4_COMPLETION_TOKEN transmit;
	bool receiving; /* the firmware holds the receive token */
	bool sending;   /* the firmware holds the transmit token */
	EFI_UDP4_SESSION_DATA session;
	EFI_UDP4_TRANSMIT_DATA packet;
	uint8_t buffer[DATAGRAM_MAX]; /* what is on its way out */
};

struct efi_port {
	struct platform platform; /* first, so that the core's pointer is ours */
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	EFI_TPL tpl; /* task priority level at entry */
	struct x86_clock clock;
	EFI_HANDLE device;                /* the handle with the PXE base code */
	EFI_DEVICE_PATH *path;            /* of device; NULL: none */
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;  /* NULL: not booted by PXE over IPv4 */
	struct udp4 udp4;
	uint16_t base_port; /* our port if UDP goes by the base code; 0: not open */
	void *fetched;      /* pool memory of the last fetch; NULL: none */
};

static inline struct efi_port *efi_port(struct platform *p)
{
	return (struct efi_port *)p;
}

/** GNU-EFI's start code calls it. It leaves by Exit(), never with success. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/** Returns the interface @guid of @handle, or NULL. It stays the firmware's. */
void *efi_protocol(struct efi_port *port, EFI_HANDLE handle, EFI_GUID *guid);

/**
 * Returns the handle that has protocol @guid and whose device path is the
 * nearest to @path from above, @path itself included, or NULL.
 */
EFI_HANDLE efi_parent_with(struct efi_port *port, EFI_DEVICE_PATH *path, EFI_GUID *guid);

/** Returns the current task priority level. */
EFI_TPL efi_tpl(struct efi_port *port);

/** Turns a firmware's status into an ERR_ value. */
int efi_error(EFI_STATUS status);

/* machine.c */

/** Fills platform.machine but for its DHCP packets, which must be there. */
void machine_read(struct efi_port *port);

/* net.c */

/**
 * Finds the PXE base code that this image was loaded by and lists its DHCP
 * packets in platform.machine.dhcp. Without one the port's pxe stays NULL.
 */
void pxe_find(struct efi_port *port);

/* As struct platform says; by UDP4 where the firmware has it, else base code. */
int net_udp_open(struct platform *p, uint16_t local_port);
int net_udp_send(struct platform *p, const struct endpoint *to, const void *data,
                 size_t length);
int net_udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                    size_t *length);
void net_udp_close(struct platform *p);

/* udp4.c: the same by EFI_UDP4_PROTOCOL */

/**
 * Opens port->udp4 on @local_port, with the address that the base code has.
 * Returns 0, ERR_UNSUPPORTED if this NIC has no UDP4, or another error if it
 * has one that does not work; then nothing is left open.
 */
int udp4_open(struct efi_port *port, uint16_t local_port);
int udp4_send(struct efi_port *port, const struct endpoint *to, const void *data,
              size_t length);
int udp4_receive(struct efi_port *port, struct endpoint *from, void *buffer, size_t capacity,
                 size_t *length);
void udp4_close(struct efi_port *port);

/* tftp.c */

/** As struct platform says. */
int tftp_fetch(struct platform *p, const uint8_t server[4], const char *name,
               struct image *image);

/** Frees what the last fetch brought; harmless if there is nothing. */
void tftp_release(struct efi_port *port);

/* console.c */

/** As struct platform says. */
void console_write(struct platform *p, const char *text, size_t length);

/* chain.c */

/** As struct platform says. */
int chain_image(struct platform *p, const struct image *image,
                const struct handover *handover);

#endif
