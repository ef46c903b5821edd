/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_PORT_H
#define EFI_PORT_H

#include <efi.h>

#include "efi/load_option.h"
#include "nbp/dhcp.h"
#include "nbp/port.h"

/*
 * The UEFI port: all that it knows, in one structure that has the platform in it, so that
 * the platform's functions find the rest; and what each of its files has for the others.
 *
 * Firmware is called through GNU-EFI's headers only; with GNU_EFI_USE_MS_ABI its calls are
 * plain C calls. "UEFI" below means the UEFI Specification 2.10.
 */

#define WATCHDOG_SECONDS 300 /* what a boot manager sets for each program */
#define DATAGRAM_MAX 1200    /* bytes: platform.h promises no larger ones to udp_send() */

struct efi;

/* A child of the firmware's UDP4 driver (UEFI 30.1). */
struct udp4 {
	EFI_SERVICE_BINDING *binding;
	EFI_HANDLE child;
	EFI_UDP4 *protocol; /* NULL: it is not open */
	EFI_UDP4_COMPLETION_TOKEN receive;
	EFI_UDP4_COMPLETION_TOKEN transmit;
	bool receiving; /* the firmware has the receive token */
	bool sending;   /* the firmware has the transmit token */
	uint16_t port;  /* ours; datagrams to it, and to the group's, are received */
	uint16_t group_port; /* the same where no group is joined */
	EFI_UDP4_SESSION_DATA session;
	EFI_UDP4_TRANSMIT_DATA packet;
	uint8_t buffer[DATAGRAM_MAX]; /* the datagram that is being sent */
};

/* The keyboard, for keys.c alone. */
struct keyboard {
	struct _EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *ex; /* NULL: there is only the plain protocol */
	bool open;
	bool exposed;    /* the firmware also reports shift keys alone */
	uint8_t toggles; /* the lock keys' state, which must not be changed */
	uint8_t shift;   /* SHIFT_ bits as last reported */
	int waiting[8];  /* keys that were read while looking for shift keys */
	unsigned int count;
};

/*
 * The NIC that we were loaded by. These are copies: the firmware's own go with its drivers
 * if a loader takes the NIC from them.
 */
struct nic {
	uint8_t path[DEVICE_PATH_MAX];
	EFI_IPv4_ADDRESS address, mask, router; /* zeros: there is none */
	bool own; /* the NBP got the address itself; the base code knows no router */
};

/* Milliseconds by the processor's counter. */
struct efi_clock {
	uint64_t start;  /* the counter at the NBP's first instruction */
	uint32_t per_ms; /* ticks in a millisecond; 0: clock_start() has not run */
};

/* The processor's faults, for fault.c. main.c sets image, image_size and leave. */
struct faults {
	struct cpu_arch *cpu; /* NULL: the firmware lets nobody handle them */
	uint32_t caught;      /* bit n: vector n */
	uintptr_t stack;      /* the stack pointer after a fault */
	void (*leave)(struct efi *efi); /* leaves the NBP once a fault is reported */
	const uint8_t *image; /* our own image in memory */
	uint64_t image_size;
};

/* What is used most comes first: instructions reach what is near in fewer bytes. */
struct efi {
	EFI_BOOT_SERVICES *boot;
	EFI_SYSTEM_TABLE *system;
	EFI_HANDLE image;
	EFI_PXE_BASE_CODE_PROTOCOL *pxe; /* NULL: not booted by PXE over IPv4 */
	EFI_HANDLE device;     /* the handle with the PXE base code */
	EFI_DEVICE_PATH *path; /* of device, in nic.path; NULL: there is none */
	EFI_HANDLE loader;     /* loaded and not started; NULL: none */
	EFI_TPL tpl;           /* the task priority level at entry */
	void *fetched;         /* pool memory of the last fetch; NULL: none */
	void *bootnext;        /* what local_clear_bootnext() deleted, pool memory; NULL: nothing */
	UINTN bootnext_size;
	uint16_t base_port;    /* our UDP port at the base code; 0: it is not open there */
	bool console_changed;  /* console_restore() has something to do */
	bool connected;        /* drivers have been connected to all PCI disk controllers */
	INT32 attribute;       /* the console's as we found it */
	struct efi_clock clock;
	struct platform platform;
	EFI_BLOCK_IO *disks[DISKS_MAX]; /* those of machine.disks */
	struct faults faults;
	struct keyboard keyboard;
	struct udp4 udp4;
	struct nic nic;
};

/** Returns the port that @p is in. */
static inline struct efi *efi_of(struct platform *p)
{
	return (struct efi *)((uint8_t *)p - offsetof(struct efi, platform));
}

/* main.c */

/** start.S calls it. It leaves by Exit(), never with success. */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* firmware.c: what several files ask of the firmware */

/* The GUIDs of protocols and of the boot manager's variables that several files use. */
extern const EFI_GUID efi_block_guid, efi_global_guid, efi_loaded_image_guid, efi_path_guid,
	efi_pci_guid, efi_pxe_guid, efi_snp_guid, efi_volume_guid;

/** Returns the interface @guid of @handle, or NULL. It stays the firmware's. */
void *efi_protocol(struct efi *efi, EFI_HANDLE handle, const EFI_GUID *guid);

/** Returns the interface @guid of any handle that has it, or NULL. */
void *efi_locate(struct efi *efi, const EFI_GUID *guid);

/**
 * Returns the handle that has protocol @guid and whose device path is the nearest to *@path from
 * above, *@path itself included, or NULL. Moves *@path on to what follows the handle's path.
 */
EFI_HANDLE efi_nearest(struct efi *efi, EFI_DEVICE_PATH **path, const EFI_GUID *guid);

/** The same where nobody asks for what follows: the handle, or its interface @guid. */
EFI_HANDLE efi_parent_with(struct efi *efi, EFI_DEVICE_PATH *path, const EFI_GUID *guid);
void *efi_parent_protocol(struct efi *efi, EFI_DEVICE_PATH *path, const EFI_GUID *guid);

/** Says whether the path of @handle begins with the first @length bytes of @above. */
bool efi_is_below(struct efi *efi, EFI_HANDLE handle, const void *above, size_t length);

/** Returns the current task priority level. */
EFI_TPL efi_tpl(struct efi *efi);

/**
 * Lists the handles that have protocol @guid, at most 256. Returns their number;
 * the list is pool memory for the caller to free, or NULL.
 */
UINTN efi_handles(struct efi *efi, const EFI_GUID *guid, EFI_HANDLE **list);

/**
 * Reads the variable @name of @vendor into pool memory, which the caller frees.
 * Returns it, or NULL if there is none, or it is empty or larger than 64 KiB.
 */
void *efi_variable(struct efi *efi, const CHAR16 *name, const EFI_GUID *vendor, UINTN *size);

/**
 * Sets a variable that boot services can access; @attributes say who else can, and whether it
 * outlasts a reset. @size 0 deletes it. Returns whether it worked.
 */
bool efi_set_variable(struct efi *efi, const CHAR16 *name, const EFI_GUID *vendor,
                      UINT32 attributes, const void *value, UINTN size);

/** Returns the 32-bit word at @offset of a PCI device's configuration; 0: it has none. */
uint32_t efi_pci_read(struct efi *efi, EFI_HANDLE handle, uint32_t offset);

/** Returns the system's configuration table @guid (UEFI 4.6), or NULL. */
const void *efi_table(struct efi *efi, const EFI_GUID *guid);

/** Has the firmware connect the drivers of @handle, and of all that appears below it. */
void efi_connect_below(struct efi *efi, EFI_HANDLE handle);

/** Has the firmware connect the drivers of each device on @path, and of those below it. */
void efi_connect(struct efi *efi, EFI_DEVICE_PATH *path);

/** Frees pool memory; NULL does no harm. */
void efi_free(struct efi *efi, void *pool);

/** Turns a firmware's status into an ERR_ value. */
int efi_error(EFI_STATUS status);

/* clock.c */

/**
 * Starts the clock, which counts from the NBP's first instruction. Takes 4 ms.
 * @start: cpu_counter() at that instruction
 */
void clock_start(struct efi *efi, uint64_t start);

/* console.c */

/** Restores the console's colours and cursor; harmless if we changed none. */
void console_restore(struct efi *efi);

/* keys.c */

/** Has the firmware report only whole keys again, as the next program expects. */
void keys_restore(struct efi *efi);

/** Looks for the keyboard anew with the next key, after another program had it. */
void keys_find_again(struct efi *efi);

/* net.c */

/**
 * Finds the PXE base code that this image was loaded by and lists its DHCP packets in
 * machine.dhcp. Without a base code efi->pxe stays NULL. Fills in what device path, packets
 * and firmware say of the NIC and of how we were loaded: machine.mac, nic_vendor, nic_device,
 * nic_type, boot_file and started_by.
 */
void net_find(struct efi *efi);

/** Makes @device the one with the network, for UDP with the address of @lease. */
void net_take(struct efi *efi, EFI_HANDLE device, const struct dhcp_lease *lease);

/** Stops the base code if we have started it, so that the firmware may start it itself. */
void net_release(struct efi *efi);

/**
 * Finds the base code and the packets once more, after another program had the network.
 * Where the base code is gone or has no address any more, efi->pxe is NULL and there are no
 * DHCP packets; UDP then goes by UDP4 alone, if that is there.
 */
void net_find_again(struct efi *efi);

/* udp.c; udp_open() and the like are in nbp/port.h */

/**
 * Receives what is sent to @port of the multicast group @group, too, until udp_close().
 * Returns 0, ERR_UNSUPPORTED (UDP4 is not what is open) or another error.
 */
int udp_join(struct platform *p, const uint8_t group[4], uint16_t port);

/* machine.c */

/** Fills platform.machine in but for what net_find() and disk_find() do. */
void machine_read(struct efi *efi);

/* block.c */

/**
 * Returns the Block I/O of @handle if that is a fixed local disk with data in it, or a partition
 * of one, and no boot medium of nbp/medium.h; else NULL. @path, if not NULL, receives its path.
 */
EFI_BLOCK_IO *block_fixed(struct efi *efi, EFI_HANDLE handle, struct device_path *path);

/** Has the firmware connect the drivers of all PCI disk controllers, once. */
void block_connect_all(struct efi *efi);

/* disk.c */

/**
 * Lists the fixed local disks in machine.disks and efi->disks, that of the first disk option
 * of BootOrder first. Has drivers connected if there is none.
 */
void disk_find(struct efi *efi);

/* order.c */

/* A walk through BootOrder. It starts as zeros but for efi. */
struct boot_order {
	struct efi *efi;
	uint16_t *numbers; /* pool memory */
	UINTN count, next;
	uint16_t number;   /* of the option that order_next() found */
	void *variable;    /* that option's, pool memory */
	struct load_option option;
};

/** Moves on to the next option that load_option_is_disk(); false: there is no more. */
bool order_next(struct boot_order *order);

/** Ends a walk, at any time. */
void order_end(struct boot_order *order);

/**
 * Finds where the walk's option leads: writes the path of its disk or partition into @out of
 * DEVICE_PATH_MAX bytes. Where @connect is set, it has drivers connected for that. Returns the
 * length without the end node, 0 for an option that names only a file, or ERR_NOT_FOUND if no
 * such local disk is there.
 */
int order_place(struct boot_order *order, bool connect, uint8_t *out);

/* local.c */

/** Deletes the record of BootNexts in a row: the machine goes on with a loader. */
void local_clear_bootnext(struct efi *efi);

/** Restores that record: the loader came back, and might do so after each BootNext. */
void local_restore_bootnext(struct efi *efi);

/* image.c */

/**
 * Loads a program from memory, or from @path if @data is NULL. Returns 0 or an
 * error; then nothing stays loaded.
 */
int image_load(struct efi *efi, EFI_DEVICE_PATH *path, void *data, size_t size,
               EFI_HANDLE *image);

/** Frees the file that chain_fetch() fetched last; harmless if there is none. */
void image_free(struct efi *efi);

/** Calls image_free(), and unloads the loader of chain_prepare(); harmless if there is none. */
void image_close(struct efi *efi);

/**
 * Runs a loaded program, with the firmware's own fault handlers and watchdog.
 * Returns its status, if it comes back; by then it is unloaded.
 */
EFI_STATUS image_start(struct efi *efi, EFI_HANDLE image);

/* fault.c */

/**
 * From now on a processor fault is reported on the console and boots the disk, on the stack
 * below the function that called this first. It may be called again after fault_release().
 */
void fault_catch(struct efi *efi);

/** Returns the faults to the firmware; harmless if they are not caught. */
void fault_release(struct efi *efi);

/* leave.c */

/** Restores all as we found it: network, memory, keyboard, console, watchdog. */
void efi_close(struct efi *efi);

/** Leaves the NBP for the boot manager's next option; does not return. */
void efi_leave(struct efi *efi);

#endif
