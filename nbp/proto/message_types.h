/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_MESSAGE_TYPES_H
#define NBP_PROTO_MESSAGE_TYPES_H

#include <stdint.h>

/*
 * The messages of the policy protocol as structures. An absent field is zero or the empty
 * string. Strings are NUL-terminated printable ASCII; file names hold only
 * [A-Za-z0-9._/-] and no "..". message.c checks both on encoding and on decoding.
 */

#define POLICY_PORT      13331
#define MESSAGE_VERSION  1
#define MESSAGE_MAX      1200 /* the largest datagram, and the size of a question */
#define MESSAGE_HEADER   28   /* bytes before the first field */
#define NONCE_SIZE       16
#define TOKEN_SIZE       8

#define NAME_SIZE        64   /* device names, with the NUL */
#define TEXT_SIZE        64   /* manufacturer, product, serial, ...: longer texts are cut */
#define FILE_SIZE        128  /* file names and path prefixes, with the NUL */
#define REASON_SIZE      128
#define DISKS_MAX        8
#define DETAILS_SIZE     1024 /* all "key=value" strings of a job, with NULs */

enum message_type {
	MESSAGE_REQUEST = 1, /* NBP, a question: what is this machine to do? */
	MESSAGE_ANSWER = 2,  /* server, to a request */
	MESSAGE_EVENT = 3,   /* NBP: a step was reached; it is not answered */
	MESSAGE_QUERY = 4,   /* agent, a question: what is my job? */
	MESSAGE_DETAILS = 5, /* server, to a query */
	MESSAGE_REPORT = 6,  /* NBP or agent, a question: the job's new state */
	MESSAGE_RECEIPT = 7, /* server, to a report, once it is durable */
};

enum firmware_kind {
	FIRMWARE_BIOS = 1,
	FIRMWARE_UEFI = 2,
};

/* Processors by DHCP option 93, where UEFI's NBPs differ: x64 is all others. */
#define ARCHITECTURE_IA32 6
#define ARCHITECTURE_X64 7
#define ARCHITECTURE_ARM64 11

/* Machines by the programs that they can run: a job has a loader for each. */
enum loader_kind {
	LOADER_BIOS,
	LOADER_UEFI, /* on x64 */
	LOADER_UEFI_IA32,
	LOADER_UEFI_ARM64,
	LOADERS,     /* how many there are */
};

/* How a disk is attached. */
enum disk_kind {
	DISK_UNKNOWN = 0,
	DISK_ATA = 1, /* or SATA */
	DISK_SCSI = 2,
	DISK_USB = 3,
	DISK_NVME = 4,
	DISK_VIRTIO = 5,
	DISK_SD = 6,
};

/* A fact that is true, false or unknown. */
enum tristate {
	STATE_UNKNOWN = 0,
	STATE_NO = 1,
	STATE_YES = 2,
};

/*
 * How the machine is to boot its own disk. Each method fails on some machines. A
 * method that fails or returns is followed by the next: on BIOS mbr, int18, return;
 * on UEFI bootnext or entry, then exit. A method of the other firmware counts as the
 * default.
 */
enum local_boot {
	LOCAL_BOOT_DEFAULT = 0,  /* BIOS: return; UEFI: exit */
	LOCAL_BOOT_RETURN = 1,   /* BIOS: far return to the ROM, AX = 0 */
	LOCAL_BOOT_INT18 = 2,    /* BIOS: INT 18h */
	LOCAL_BOOT_MBR = 3,      /* BIOS: the first disk's boot sector, catching INT 18h and 19h */
	LOCAL_BOOT_EXIT = 4,     /* UEFI: exit with an error status */
	LOCAL_BOOT_ENTRY = 5,    /* UEFI: first disk entry of BootOrder, else BOOTX64.EFI */
	LOCAL_BOOT_BOOTNEXT = 6, /* UEFI: set BootNext to that entry, reset */
};

/* One disk. */
struct disk {
	uint64_t sectors;     /* 0: unknown */
	uint32_t sector_size; /* bytes, 512 to 4096; 0: unknown */
	uint8_t kind;         /* enum disk_kind */
};

/* The sender of a message, beside the device id in its image-safe data. */
struct identity {
	uint8_t mac[6];   /* zeros: unknown */
	uint8_t uuid[16]; /* in the order in which it is printed (RFC 9562); zeros: unknown */
};

/*
 * The machine as the NBP found it. Texts are SMBIOS's (DMTF DSP0134 section 7),
 * cleaned and cut to fit. message_fields.c has the order in which fields are left out
 * if all of them do not fit one datagram.
 */
struct request {
	struct identity identity;
	uint16_t architecture;        /* DHCP option 93's values */
	uint8_t firmware;             /* enum firmware_kind */
	char version[TEXT_SIZE];      /* of the NBP, "nvlnbp.sys 0.1.0" */

	/* image-safe data of the boot disk */
	uint8_t isd_state;            /* enum isd_state */
	uint8_t isd_device[16];       /* device id */
	uint8_t isd_just_imaged;
	char isd_image[TEXT_SIZE];    /* the last image's name */
	uint64_t isd_image_time;      /* Unix time */
	uint64_t isd_image_size;      /* bytes */

	char manufacturer[TEXT_SIZE]; /* system, type 1 */
	char product[TEXT_SIZE];
	char serial[TEXT_SIZE];
	char system_version[TEXT_SIZE];
	char sku[TEXT_SIZE];
	char family[TEXT_SIZE];
	char board_manufacturer[TEXT_SIZE]; /* base board, type 2 */
	char board_product[TEXT_SIZE];
	char board_serial[TEXT_SIZE];
	uint8_t chassis_type;         /* type 3 */
	char asset_tag[TEXT_SIZE];
	char bios_vendor[TEXT_SIZE];  /* type 0 */
	char bios_version[TEXT_SIZE];
	char bios_date[TEXT_SIZE];
	char firmware_version[TEXT_SIZE];
	uint8_t secure_boot;          /* enum tristate */
	uint8_t tpm;                  /* enum tristate */

	char cpu[TEXT_SIZE];          /* the brand string */
	char cpu_vendor[TEXT_SIZE];
	uint16_t cpu_family;          /* CPUID's display family; ARM64: MIDR_EL1's part */
	uint16_t cpu_cores;           /* cores of all processors */
	uint8_t cpu_64bit;            /* 1: can run 64-bit code */
	uint32_t memory_mib;          /* usable, by the firmware's memory map */
	uint32_t installed_mib;       /* by SMBIOS, types 16 and 17 */

	uint16_t nic_vendor, nic_device; /* PCI */
	uint8_t nic_type;             /* ARP hardware type */
	uint8_t disk_count;           /* used in disks */
	struct disk disks[DISKS_MAX];
};

enum isd_state {
	ISD_NOT_READ = 0, /* there is no disk, or it could not be read */
	ISD_ABSENT = 1,   /* the disk has none */
	ISD_VALID = 2,
};

enum decision_kind {
	DECISION_LOCAL = 1, /* no job: boot the local disk */
	DECISION_JOB = 2,   /* start the loader */
};

enum menu_mode {
	MENU_NEVER = 0,
	MENU_ALWAYS = 1,
	MENU_HOT_KEY = 2,
};

/* A key is a printable ASCII character or one of these. */
enum key {
	KEY_NONE = 0,
	KEY_BACKSPACE = 0x08,
	KEY_ENTER = 0x0d,
	KEY_ESCAPE = 0x1b,
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
};

/* Shift keys that are down, either key of a pair. */
#define SHIFT_SHIFT 0x01
#define SHIFT_CTRL  0x02
#define SHIFT_ALT   0x04
#define SHIFT_KNOWN 0x80 /* the firmware reports the shift state at all */

/* A hot key is MENU_KEY_CHORD and SHIFT_ bits, or the ASCII character of a plain key. */
#define MENU_KEY_CHORD   0x80
#define MENU_KEY_DEFAULT 0 /* Ctrl+Alt */

struct answer {
	uint8_t decision;        /* enum decision_kind; never absent */
	char device[NAME_SIZE];  /* the device's name; empty: an unknown machine */
	uint8_t local_boot;      /* enum local_boot */
	uint8_t menu_mode;       /* enum menu_mode */
	uint8_t hot_key;         /* see MENU_KEY_CHORD */
	uint16_t hot_key_wait;   /* ms to wait for it if the firmware reports no shift state */
	char menu_file[FILE_SIZE]; /* empty: pxemenu.txt */
	uint16_t valid_for;      /* seconds for which the answer is valid; 0: the whole boot */
	uint8_t tftp_multicast;  /* 1: to ask for loader and menu with RFC 2090's option */
	/* only with DECISION_JOB: */
	uint64_t job;            /* never 0 */
	uint8_t attempt;         /* 1 for the first offer of this job */
	char loader[FILE_SIZE];
	char config[FILE_SIZE];  /* empty: the loader gets none */
	char prefix[FILE_SIZE];  /* may be empty */
	uint8_t token[TOKEN_SIZE]; /* never all zero; proves that the job was offered */
	uint8_t completes;       /* enum completes */
};

/* Who reports the job done. */
enum completes {
	COMPLETES_ELSEWHERE = 0, /* the agent, or the server itself */
	COMPLETES_HANDOVER = 1,  /* the NBP, right before it hands over */
};

/* Steps of a boot, as events report them. */
enum event_code {
	EVENT_STARTED = 1,  /* the NBP runs */
	EVENT_HARDWARE = 2, /* the hardware was read; reason: the product */
	EVENT_IDENTITY = 3, /* image-safe data were read; reason: the name in them, or why not */
	EVENT_ASKED = 4,    /* reason: the first server */
	EVENT_ANSWERED = 5, /* reason: the decision */
	EVENT_MENU = 6,     /* the menu shows */
	EVENT_CHOSEN = 7,   /* reason: the entry */
	EVENT_LOADED = 8,   /* the loader is in memory; reason names it */
	EVENT_HANDOVER = 9, /* the loader gets the machine now */
	EVENT_LOCAL = 10,   /* the local disk boots; reason says why */
	EVENT_ERROR = 11,   /* something failed; reason says what */
};

struct event {
	struct identity identity;
	uint8_t code;            /* enum event_code */
	uint32_t milliseconds;   /* since the NBP's start; at least 1 */
	uint64_t job;            /* 0: none */
	char reason[REASON_SIZE];
};

/* The agent's question for the details of the job that its machine has accepted. */
struct query {
	struct identity identity;
	uint8_t token[TOKEN_SIZE]; /* of the answer; zeros: unknown, and it gets no details */
};

struct details {
	uint8_t decision;        /* enum decision_kind; never absent */
	/* only with DECISION_JOB, except the device's name: */
	uint64_t job;            /* never 0 */
	uint8_t attempt;
	char device[NAME_SIZE];
	char config[FILE_SIZE];
	uint16_t details_length; /* bytes used in details, with the NULs */
	char details[DETAILS_SIZE]; /* "key=value" strings, each with its NUL */
};

/* The state of a job as agent or NBP report it. */
enum report_state {
	REPORT_BEGUN = 1,
	REPORT_DONE = 2,
	REPORT_FAILED = 3,
	REPORT_ACCEPTED = 4, /* the NBP goes on with the job, which makes it an attempt */
};

struct report {
	struct identity identity;
	uint64_t job;
	uint8_t token[TOKEN_SIZE]; /* of the answer */
	uint8_t state;            /* enum report_state */
	char reason[REASON_SIZE]; /* of a failure; may be empty */
};

struct receipt {
	uint64_t job;
	uint8_t state;            /* that the server has stored; 0: it refused the report */
	char reason[REASON_SIZE]; /* of a refusal */
};

struct message {
	uint8_t type;              /* enum message_type; it says which member of u is used */
	uint8_t nonce[NONCE_SIZE]; /* an answer has that of its question */
	uint32_t sequence;         /* of the transmission; an answer has that of its question */
	union {
		struct request request;
		struct answer answer;
		struct event event;
		struct query query;
		struct details details;
		struct report report;
		struct receipt receipt;
	} u;
};

#endif
