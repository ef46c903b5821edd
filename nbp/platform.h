/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PLATFORM_H
#define NBP_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/proto/message.h"
#include "nbp/proto/power_on.h"
#include "nbp/proto/span.h"

/*
 * The one interface between the portable core and a firmware. A port fills one
 * struct platform and calls flow_run(); unit tests fill it with fakes. All
 * functions take the platform itself first, so that a port can embed it in a
 * larger structure of its own.
 *
 * Unless a comment says otherwise a function returns 0 or an ERR_ value of
 * error.h, may be called any number of times, and comes back within
 * milliseconds: nothing in the NBP may wait without a bound.
 */

/* An IPv4 address and UDP port. */
struct endpoint {
	uint8_t address[4]; /* in network byte order, as written */
	uint16_t port;      /* in host byte order */
};

/*
 * The packets of the firmware's own DHCP exchange, each a whole BOOTP packet
 * from its op field on (RFC 2131 section 2). A packet that the firmware has not
 * kept is empty.
 */
struct dhcp_packets {
	struct span discover; /* the client's request */
	struct span ack;      /* the DHCP server's answer */
	struct span reply;    /* the boot server's (PXE 2.1 section 2.2) */
};

/* From where the firmware started this program. */
enum started_by {
	STARTED_BY_PXE = 0, /* over IPv4; also where the firmware does not say */
	STARTED_BY_HTTP,    /* over IPv4 */
	STARTED_BY_IPV6,    /* PXE or HTTP over IPv6 */
	STARTED_BY_DISK,    /* a disk, or any other file system */
};

/* What only the port can know of the machine; the core derives the rest. */
struct machine {
	enum firmware_kind firmware;
	enum loader_kind loader;   /* which programs it can run */
	uint16_t architecture;     /* DHCP option 93: 0 BIOS; UEFI: 6 IA32, 7 x64, 11 ARM64 */
	uint8_t mac[6];            /* of the booting NIC; zeros: unknown */
	uint16_t nic_vendor, nic_device; /* its PCI ids; 0: unknown */
	uint8_t nic_type;          /* its ARP hardware type, 1 Ethernet; 0: unknown */
	uint32_t memory_mib;       /* usable memory; 0: unknown */
	struct span smbios;        /* the structure table, not the entry point */
	uint16_t smbios_version;   /* major << 8 | minor */
	char firmware_version[64]; /* vendor and revision; empty on BIOS, where SMBIOS has it */
	uint8_t secure_boot;       /* enum tristate: in force? */
	uint8_t tpm;               /* enum tristate: present? */
	struct disk disks[DISKS_MAX]; /* fixed disks; [0] is the boot disk */
	size_t disk_count;
	struct dhcp_packets dhcp;
	uint32_t network_ready;    /* when connect() came back, by now(); 0: it was ready before */
	enum started_by started_by;
	char boot_file[128];       /* the path from which this program was fetched at the boot
	                            * server; empty: the boot file of DHCP */
};

/* A program fetched by TFTP, in memory that the port owns. */
struct image {
	void *data;
	size_t length; /* bytes */
};

/* What the loader is to find in the DHCP packets (RFC 5071 section 4, RFC 2131 section 2). */
struct handover {
	const char *config_file; /* option 209; "": none */
	const char *path_prefix; /* option 210; "": none */
	const uint8_t *server;   /* siaddr of all packets; NULL: leave it as it is */
	const uint8_t *record;   /* option 225, of POWER_ON_SIZE bytes; NULL: none */
};

/* The eight colours of ANSI X3.64, of ConOut and of VGA, each also bright. */
enum colour {
	COLOUR_BLACK,
	COLOUR_BLUE,
	COLOUR_GREEN,
	COLOUR_CYAN,
	COLOUR_RED,
	COLOUR_MAGENTA,
	COLOUR_BROWN,
	COLOUR_WHITE,
	COLOUR_BRIGHT = 8, /* is added to one of the above; for text only */
};

/* Functions come first, as they are used most: instructions reach what is near in fewer bytes. */
struct platform {
	/**
	 * Gets the machine an address where the firmware has started the NBP without one, and
	 * fills in what it found of the NIC, its packets and network_ready. May take 20 s. NULL
	 * on a port whose firmware always has an address.
	 */
	void (*connect)(struct platform *p);
	/** Milliseconds since the NBP's first instruction; never goes back. */
	uint32_t (*now)(struct platform *p);
	/** Rests for at most a millisecond or two, between polls. */
	void (*idle)(struct platform *p);
	/** Fills @request with what the processor says of itself: the members cpu, cpu_vendor,
	 *  cpu_family and cpu_64bit. */
	void (*describe_cpu)(struct request *request);
	/** Fills @buffer with up to @size unpredictable bytes; returns how many. The core
	 *  mixes them, so a poor source does no harm. */
	size_t (*entropy)(struct platform *p, void *buffer, size_t size);

	/** Writes ASCII to screen and serial port; "\n" ends a line. */
	void (*write)(struct platform *p, const char *text, size_t length);

	/** Clears screen and terminal in the colours last set, puts the cursor at 0, 0. */
	void (*clear)(struct platform *p);
	/** Puts the cursor of screen and terminal at @row, @column, from 0, within 25x80. */
	void (*move)(struct platform *p, unsigned int row, unsigned int column);
	/** Sets the colours of what is written from now on: enum colour. */
	void (*colours)(struct platform *p, uint8_t text, uint8_t background);
	/** Takes one key press from keyboard or terminal; returns KEY_NONE if there is none. */
	int (*key)(struct platform *p);
	/** Wipes keys typed until now, passwords among them, from the firmware's buffers. */
	void (*forget_keys)(struct platform *p);
	/** Returns the shift keys that are down now, as SHIFT_ bits; 0 if that is unknown. */
	uint8_t (*shift)(struct platform *p);

	/**
	 * Reads @count sectors of machine.disks[@disk], from @lba on, into @buffer; at
	 * most 64 KiB. Returns 0, ERR_NOT_FOUND (no such disk or
	 * sector) or ERR_IO.
	 */
	int (*disk_read)(struct platform *p, size_t disk, uint64_t lba, uint32_t count,
	                 void *buffer);

	/** Opens the one UDP socket there is on @local_port. */
	int (*udp_open)(struct platform *p, uint16_t local_port);
	/** Sends one datagram of at most 1,200 bytes, which may be lost. */
	int (*udp_send)(struct platform *p, const struct endpoint *to, const void *data,
	                size_t length);
	/**
	 * Receives one datagram, without waiting for it; returns ERR_AGAIN if there is
	 * none, which is the usual case. A datagram larger than @capacity is dropped.
	 * The caller checks @from, since firmwares differ in what they filter. A call of
	 * the firmware may block nevertheless: see receive_wait.
	 */
	int (*udp_receive)(struct platform *p, struct endpoint *from, void *buffer,
	                   size_t capacity, size_t *length);
	/** Closes the socket; TFTP may be used only then (PXE 2.1 section 3.4). */
	void (*udp_close)(struct platform *p);

	/**
	 * Fetches a file by TFTP (RFC 1350) to where chain() can start it; an image
	 * fetched before is lost. Returns 0, ERR_NOT_FOUND (the server has no such file),
	 * ERR_SPACE (it does not fit) or another error. It may take seconds.
	 * @multicast: asks for the file with the option of RFC 2090 first, if the port can
	 */
	int (*fetch)(struct platform *p, const uint8_t server[4], const char *name,
	             bool multicast, struct image *image);
	/**
	 * Does everything with the fetched @image that the firmware may refuse: has it
	 * check the program, and puts the options into its DHCP packets.
	 */
	int (*prepare)(struct platform *p, const struct image *image,
	               const struct handover *handover);
	/**
	 * Gives the machine to @image, after prepare() with the same arguments. Returns
	 * only on failure, or if the program returned.
	 */
	int (*chain)(struct platform *p, const struct image *image,
	             const struct handover *handover);
	/**
	 * Boots the local disk. Does not return on real firmware; if it does, flow_run()
	 * returns too, and the port must leave in its own way.
	 */
	void (*boot_local)(struct platform *p, enum local_boot method);
	/**
	 * Reads the record that remember() kept last since the reset, also in another NBP,
	 * or other bytes if there was none. ERR_NOT_FOUND: there certainly was none.
	 */
	int (*recall)(struct platform *p, uint8_t record[POWER_ON_SIZE]);
	/** Keeps @record where other programs find it and a reset wipes it. */
	void (*remember)(struct platform *p, const uint8_t record[POWER_ON_SIZE]);
	/** Restarts the machine, or switches it off. Returns only on failure. */
	void (*reboot)(struct platform *p);
	void (*power_off)(struct platform *p);
	/**
	 * Has the firmware reset the machine unless this is called again within
	 * @seconds; 0 disarms. Does nothing where the firmware has no watchdog.
	 */
	void (*watchdog)(struct platform *p, uint32_t seconds);

	const char *name;       /* the NBP's file name, "nvlnbp.sys" */
	uint32_t receive_wait;  /* the longest udp_receive() may take, ms; 0: at once */
	struct machine machine; /* complete before flow_run() is called, or by connect() */
};

#endif
