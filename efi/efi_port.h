/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EFI_EFI_PORT_H
#define EFI_EFI_PORT_H

#include <efi.h>

#include "efi/option.h"
#include "nbp/platform.h"
#include "nbp/x86.h"

/*
 * The UEFI port. Firmware is called through GNU-EFI's headers only; with
 * GNU_EFI_USE_MS_ABI its calls are plain C calls. "UEFI" below means the UEFI
 * Specification 2.10.
 */

#define WATCHDOG_SECONDS 300 /* what a boot manager sets for each program */
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

/* The keyboard; see keys.c. */
struct keyboard {
	struct _EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *ex; /* NULL: only the plain protocol */
	bool open;
	bool exposed;    /* the firmware also reports shift keys alone */
	uint8_t toggles; /* the lock keys' state, to leave it alone */
	uint8_t shift;   /* SHIFT_ bits as last told */
	int waiting[8];  /* keys read while looking for shift keys */
	unsigned int count;
};

/*
 * The NIC that we were loaded by. These are copies: what the firmware has goes
 * with its drivers, if a loader takes the NIC from them.
 */
struct nic {
	uint8_t path[DEVICE_PATH_MAX];
	EFI_IPv4_ADDRESS address, mask, router; /* zeros: none */
};

/* Who gets the processor's faults; see fault.c. */
struct faults {
	struct cpu_arch *cpu; /* NULL: the firmware lets nobody have them */
	uint32_t caught;      /* bit n: vector n */
	uintptr_t stack;      /* where the stack pointer is put after one */
	const uint8_t *image; /* where we are in memory */
	uint64_t image_size;
};

struct efi_port {
	struct platform platform; /* first, so that the core's pointer is ours */
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	EFI_TPL tpl; /* task priority level at entry */
	struct x86_clock clock;
	EFI_HANDLE device;                /* the handle with the PXE base code */
	EFI_DEVICE_PATH *path;            /* of device, in nic.path; NULL: none */
	EFI_PXE_BASE_CODE_PROTOCOL *pxe;  /* NULL: not booted by PXE over IPv4 */
	struct nic nic;
	struct udp4 udp4;
	uint16_t base_port; /* our port if UDP goes by the base code; 0: not open */
	EFI_HANDLE loader;  /* loaded, and not started; NULL: none */
	void *mark;         /* what mark_clear() forgot, pool memory; NULL: nothing */
	UINTN mark_size;
	void *fetched;      /* pool memory of the last fetch; NULL: none */
	struct keyboard keyboard;
	bool console_changed; /* console_restore() has something to do */
	INT32 attribute;      /* the console's as we found it */
	EFI_BLOCK_IO *disks[DISKS_MAX]; /* machine.disks' own; NULL: none */
	struct faults faults;
	bool connected;       /* all PCI disk controllers have had their drivers */
};

static inline struct efi_port *efi_port(struct platform *p)
{
	return (struct efi_port *)p;
}

/** GNU-EFI's start code calls it. It leaves by Exit(), never with success. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/** Puts all back as we found it: network, memory, keyboard, console, watchdog. */
void efi_close(struct efi_port *port);

/** Leaves the NBP for the boot manager's next option; does not return. */
void efi_leave(struct efi_port *port);

/* firmware.c */

/* Of protocols, and of the boot manager's variables, that several parts use. */
extern EFI_GUID block_guid, global_guid, loaded_image_guid, path_guid, pci_guid, snp_guid;

/** Returns the interface @guid of @handle, or NULL. It stays the firmware's. */
void *efi_protocol(struct efi_port *port, EFI_HANDLE handle, EFI_GUID *guid);

/**
 * Returns the handle that has protocol @guid and whose device path is the
 * nearest to @path from above, @path itself included, or NULL.
 */
EFI_HANDLE efi_parent_with(struct efi_port *port, EFI_DEVICE_PATH *path, EFI_GUID *guid);

/** Returns the current task priority level. */
EFI_TPL efi_tpl(struct efi_port *port);

/**
 * Lists the handles that have protocol @guid, at most 256. Returns their number;
 * the list is pool memory for the caller to free, or NULL.
 */
UINTN efi_handles(struct efi_port *port, EFI_GUID *guid, EFI_HANDLE **list);

/**
 * Reads the variable @name of @vendor into pool memory, which the caller frees.
 * Returns it, or NULL if there is none, or it is empty or larger than 64 KiB.
 */
void *efi_variable(struct efi_port *port, const CHAR16 *name, EFI_GUID *vendor, UINTN *size);

/** Sets a variable for use before and, by @attributes, after; of no size: deletes it. */
bool efi_set_variable(struct efi_port *port, const CHAR16 *name, EFI_GUID *vendor,
                      UINT32 attributes, const void *value, UINTN size);

/** Returns the 32-bit word at @offset of a PCI device's configuration; 0: it has none. */
uint32_t efi_pci_read(struct efi_port *port, EFI_HANDLE handle, uint32_t offset);

/** Returns the system's configuration table @guid (UEFI 4.6), or NULL. */
const void *efi_table(struct efi_port *port, const EFI_GUID *guid);

/** Has the firmware connect what leads to the device @path, and what is below it. */
void efi_connect(struct efi_port *port, EFI_DEVICE_PATH *path);

/** Frees pool memory; NULL does no harm. */
void efi_free(struct efi_port *port, void *pool);

/** Turns a firmware's status into an ERR_ value. */
int efi_error(EFI_STATUS status);

/* machine.c */

/** Fills platform.machine but for what pxe_find() filled in before. */
void machine_read(struct efi_port *port);

/* net.c */

/**
 * Finds the PXE base code that this image was loaded by and lists its DHCP
 * packets in platform.machine.dhcp. Without one the port's pxe stays NULL.
 * Fills in what the path of the device tells: machine.mac, boot_file, started_by.
 */
void pxe_find(struct efi_port *port);

/**
 * Looks for all that pxe_find() found once more, after another program had the
 * network. Where the base code is gone or has no address any more, pxe is NULL
 * and the DHCP packets are none; UDP then goes by UDP4 alone, if that is there.
 */
void pxe_find_again(struct efi_port *port);

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

/* console.c: all as struct platform says */

void console_write(struct platform *p, const char *text, size_t length);
void console_clear(struct platform *p);
void console_move(struct platform *p, unsigned int row, unsigned int column);
void console_colours(struct platform *p, uint8_t text, uint8_t background);

/** Gives the console its colours and cursor back; harmless if we changed none. */
void console_restore(struct efi_port *port);

/* keys.c: as struct platform says */

int keys_read(struct platform *p);
uint8_t keys_shift(struct platform *p);
void keys_forget(struct platform *p);

/** Has the firmware report only whole keys again, as the next program expects. */
void keys_restore(struct efi_port *port);

/** Looks for the keyboard anew with the next key, after another program had it. */
void keys_find_again(struct efi_port *port);

/* hardware.c */

/** Fills in what platform.machine says of NIC, firmware, Secure Boot and TPM. */
void hardware_read(struct efi_port *port);

/* disk.c */

/**
 * Lists the fixed local disks in platform.machine and port->disks, that of the
 * first disk option of BootOrder first. Has drivers connected if there is none.
 */
void disks_find(struct efi_port *port);

/** As struct platform says. */
int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer);

/**
 * Returns the Block I/O of @handle if that is a fixed local disk with a medium,
 * or a partition of one; else NULL. @path, if not NULL, receives its path.
 */
EFI_BLOCK_IO *disk_fixed(struct efi_port *port, EFI_HANDLE handle, struct device_path *path);

/** Has the firmware connect the drivers of all PCI disk controllers, once. */
void disk_connect_all(struct efi_port *port);

/* order.c */

/* A walk through BootOrder; start it zeroed but for its port. */
struct boot_order {
	struct efi_port *port;
	uint16_t *numbers; /* pool memory */
	UINTN count, next;
	uint16_t number;   /* of the option order_next() found */
	void *variable;    /* its pool memory */
	struct load_option option;
};

/** Moves on to the next option that load_option_is_disk(); false: no more. */
bool order_next(struct boot_order *order);

/** Ends a walk before or after its end. */
void order_end(struct boot_order *order);

/**
 * Finds where the walk's option leads: writes the path of its disk or partition
 * into @out of DEVICE_PATH_MAX bytes. Where @connect is set, it has drivers
 * connected for that. Returns the length without the end node, 0 for an option
 * that names only a file, or ERR_NOT_FOUND if no such local disk is there.
 */
int order_place(struct boot_order *order, bool connect, uint8_t *out);

/* local.c */

/** As struct platform says. */
void local_boot(struct platform *p, enum local_boot method);

/* mark.c */

/* As struct platform says. */
int mark_recall(struct platform *p, uint8_t record[POWER_ON_SIZE]);
void mark_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE]);

/**
 * Has the next boot take option @number. Returns false where it does not, also
 * because that was done before and the disk did not boot.
 */
bool mark_boot_next(struct efi_port *port, uint16_t number);

/** Forgets how often mark_boot_next() was called: the machine goes on otherwise. */
void mark_clear(struct efi_port *port);

/** Takes that back: it came back, or a loader that does would have BootNext loop. */
void mark_restore(struct efi_port *port);

/* image.c */

/**
 * Loads a program from memory, or from @path if @data is NULL. Returns 0 or an
 * error; then nothing stays loaded.
 */
int image_load(struct efi_port *port, EFI_DEVICE_PATH *path, void *data, size_t size,
               EFI_HANDLE *image);

/**
 * Runs a loaded program, with the firmware's own fault handlers and watchdog.
 * Returns its status, if it comes back; by then it is unloaded.
 */
EFI_STATUS image_start(struct efi_port *port, EFI_HANDLE image);

/* fault.c */

/**
 * Has processor faults from now on end in a report on the console and local boot.
 * Called again after fault_release(), it may be given no @stack.
 * @stack: an address on the stack below which nothing will be needed then
 */
void fault_catch(struct efi_port *port, const void *stack);

/** Gives the faults back to the firmware; harmless if they are not caught. */
void fault_release(struct efi_port *port);

/* chain.c */

/* As struct platform says. */
int chain_prepare(struct platform *p, const struct image *image,
                  const struct handover *handover);
int chain_image(struct platform *p, const struct image *image,
                const struct handover *handover);

/** Unloads what chain_prepare() loaded and nobody started; harmless if there is nothing. */
void chain_forget(struct efi_port *port);

#endif
