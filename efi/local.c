/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * The ways to the local disk. To exit with an error, so that the boot manager
 * goes on, is the plainest; but some firmware stops, or asks the network again.
 */

#define DEFAULT_PROGRAM "\\EFI\\BOOT\\BOOTX64.EFI" /* UEFI 3.5.1.1, for x64 */

static const CHAR16 current_name[] = L"BootCurrent";

/* A program to be looked for on the volumes at a place. */
struct program {
	struct span place; /* nodes that a volume's path begins with; empty: any */
	struct span file;  /* its name, in nodes */
	struct span data;  /* what it is to find as its load options */
};

/* Runs the program on one volume. Returns whether it ran and meant to come back. */
static bool run_on(struct efi_port *port, const struct program *program, struct span volume)
{
	uint8_t path[DEVICE_PATH_MAX];
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE image;

	if (device_path_join(path, sizeof(path), volume, program->file) == 0 ||
	    image_load(port, (EFI_DEVICE_PATH *)path, NULL, 0, &image) != 0)
		return false;
	loaded = efi_protocol(port, image, &loaded_image_guid);
	if (loaded != NULL && program->data.length != 0) {
		loaded->LoadOptions = (VOID *)(uintptr_t)program->data.data;
		loaded->LoadOptionsSize = (UINT32)program->data.length;
	}
	return !EFI_ERROR(image_start(port, image));
}

static bool run(struct efi_port *port, const struct program *program)
{
	static EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_HANDLE *handles;
	UINTN count = efi_handles(port, &volume_guid, &handles);
	bool done = false;

	for (UINTN i = 0; i < count && !done; i++) {
		struct device_path facts;
		struct span volume;

		if (disk_fixed(port, handles[i], &facts) == NULL)
			continue;
		volume.data = efi_protocol(port, handles[i], &path_guid);
		volume.length = facts.size - DEVICE_PATH_END;
		if (volume.length >= program->place.length &&
		    memcmp(volume.data, program->place.data, program->place.length) == 0)
			done = run_on(port, program, volume);
	}
	efi_free(port, handles);
	return done;
}

/*
 * Runs the program of an option found at @place. One without a file's name is
 * a whole disk's, mostly made by the firmware, whose own mark is all its data.
 */
static bool run_option(const struct boot_order *order, struct span place, struct span standard)
{
	const struct load_option *option = &order->option;
	size_t file = option->facts.file, end = option->facts.size - DEVICE_PATH_END;
	struct program program = { .place = place, .file = standard };
	struct efi_port *port = order->port;
	uint16_t number = order->number;
	void *current;
	UINTN size;
	bool done;

	if (file < end) {
		program.file = (struct span){ option->path.data + file, end - file };
		program.data = option->data;
	}
	debug(1, &port->platform, "boot option %u", (uint32_t)order->number);
	/* A boot manager tells the program so which option it is of (UEFI 3.1.2). */
	current = efi_variable(port, current_name, &global_guid, &size);
	efi_set_variable(port, current_name, &global_guid, EFI_VARIABLE_RUNTIME_ACCESS, &number,
	                 sizeof(number));
	done = run(port, &program);
	if (current != NULL)
		efi_set_variable(port, current_name, &global_guid, EFI_VARIABLE_RUNTIME_ACCESS,
		                 current, size);
	efi_free(port, current);
	return done;
}

/* Comes back if nothing did start, or what did came back. */
static void boot_entry(struct efi_port *port)
{
	uint8_t place[DEVICE_PATH_MAX], standard[DEVICE_PATH_END + 2 * sizeof(DEFAULT_PROGRAM) + 4];
	struct boot_order order = { .port = port };
	struct program program = { .file.data = standard };
	bool done = false;

	program.file.length = device_path_of_file(standard, sizeof(standard), DEFAULT_PROGRAM) -
	                      DEVICE_PATH_END;
	while (!done && order_next(&order)) {
		int length = order_place(&order, true, place);

		if (length >= 0)
			done = run_option(&order, (struct span){ place, (size_t)length },
			                  program.file);
	}
	order_end(&order);
	if (done)
		return;
	disk_connect_all(port);
	program.place.data = place; /* of length 0 */
	run(port, &program);
}

/* Comes back if no option leads to a disk, or the disk did not boot the last time. */
static void boot_next(struct efi_port *port)
{
	uint8_t place[DEVICE_PATH_MAX];
	struct boot_order order = { .port = port };

	while (order_next(&order)) {
		if (order_place(&order, true, place) < 0)
			continue;
		if (mark_boot_next(port, order.number))
			port->system->RuntimeServices->ResetSystem(EfiResetWarm, EFI_SUCCESS, 0,
			                                           NULL);
		break;
	}
	order_end(&order);
}

void local_boot(struct platform *p, enum local_boot method)
{
	struct efi_port *port = efi_port(p);

	efi_close(port);
	p->watchdog(p, WATCHDOG_SECONDS); /* connecting drivers may hang */
	if (method == LOCAL_BOOT_ENTRY)
		boot_entry(port);
	else if (method == LOCAL_BOOT_BOOTNEXT)
		boot_next(port);
	efi_leave(port);
}
