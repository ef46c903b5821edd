/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/bootnext.h"
#include "efi/cpu.h"
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/*
 * How the NBP ends other than with a loader: local boot, restart, power off; and the variables
 * that it keeps for the next NBP. To exit with an error, so that the boot manager goes on, is
 * the simplest local boot; but some firmware stops there, or asks the network again.
 */

static const CHAR16 current_name[] = L"BootCurrent";

/* Our own variables, of which the agent reads the first. */
static const EFI_GUID own_guid = { 0x6134f6a1, 0xf8d4, 0x4743,
	                            { 0x96, 0xc8, 0x04, 0x03, 0x61, 0x1a, 0x5e, 0xc3 } };
static const CHAR16 power_on_name[] = L"OpenPrebootPowerOn";
static const CHAR16 next_name[] = L"OpenPrebootNext";

/* --- the options of BootOrder ------------------------------------------------- */

/* A program that is looked for on volumes. */
struct program {
	struct span place; /* the nodes that a volume's path begins with; empty: any volume's */
	struct span file;  /* its name, in nodes */
	struct span data;  /* its load options */
};

/* Runs the program of one volume. Returns whether it ran and came back with success. */
static bool run_on_volume(struct efi *efi, const struct program *program, struct span volume)
{
	uint8_t path[DEVICE_PATH_MAX];
	EFI_LOADED_IMAGE *loaded;
	EFI_HANDLE image;

	if (device_path_join(path, sizeof(path), volume, program->file) == 0 ||
	    image_load(efi, (EFI_DEVICE_PATH *)path, NULL, 0, &image) != 0)
		return false;
	loaded = efi_protocol(efi, image, &efi_loaded_image_guid);
	if (loaded && program->data.length != 0) {
		loaded->LoadOptions = (VOID *)(uintptr_t)program->data.data;
		loaded->LoadOptionsSize = (UINT32)program->data.length;
	}
	return !EFI_ERROR(image_start(efi, image));
}

/* Runs the program of each volume in turn, until one comes back with success. */
static bool run_program(struct efi *efi, const struct program *program)
{
	EFI_HANDLE *handles;
	UINTN count = efi_handles(efi, &efi_volume_guid, &handles);
	bool done = false;

	for (UINTN i = 0; i < count && !done; i++) {
		struct device_path facts;
		struct span volume;

		if (!block_fixed(efi, handles[i], &facts))
			continue;
		volume.data = efi_protocol(efi, handles[i], &efi_path_guid);
		volume.length = facts.size - DEVICE_PATH_END;
		if (volume.length >= program->place.length &&
		    memcmp(volume.data, program->place.data, program->place.length) == 0)
			done = run_on_volume(efi, program, volume);
	}
	efi_free(efi, handles);
	return done;
}

/* Sets the variable that says which option the running program is of (UEFI 3.1.2). */
static void set_current(struct efi *efi, const void *number, UINTN size)
{
	efi_set_variable(efi, current_name, &efi_global_guid, EFI_VARIABLE_RUNTIME_ACCESS, number,
	                 size);
}

/*
 * Runs the program of an option found at @place. An option without a file's name is a whole
 * disk's, mostly made by the firmware; its data are only the firmware's own mark, and its
 * program is @standard.
 */
static bool run_option(const struct boot_order *order, struct span place, struct span standard)
{
	const struct load_option *option = &order->option;
	size_t file = option->facts.file, end = option->facts.size - DEVICE_PATH_END;
	struct program program = { .place = place, .file = standard };
	struct efi *efi = order->efi;
	uint16_t number = order->number;
	void *current;
	UINTN size;
	bool done;

	if (file < end) {
		program.file = (struct span){ option->path.data + file, end - file };
		program.data = option->data;
	}
	debug(1, &efi->platform, "boot option %u", (uint32_t)order->number);
	current = efi_variable(efi, current_name, &efi_global_guid, &size);
	set_current(efi, &number, sizeof(number));
	done = run_program(efi, &program);
	if (current)
		set_current(efi, current, size);
	efi_free(efi, current);
	return done;
}

/* Comes back if no program started, or if those that did came back. */
static void boot_by_entry(struct efi *efi)
{
	uint8_t place[DEVICE_PATH_MAX], standard[DEVICE_PATH_END + 2 * CPU_PROGRAM_SIZE + 4];
	struct boot_order order = { .efi = efi };
	struct program program = { .file.data = standard };
	bool done = false;

	program.file.length = device_path_of_file(standard, sizeof(standard), cpu_names.program) -
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
	block_connect_all(efi);
	program.place.data = place; /* of length 0 */
	run_program(efi, &program);
}

/* --- BootNext ---------------------------------------------------------------- */

/* The count's high word counts resets; reading the count writes no variable (UEFI 8.5). */
static uint32_t count_resets(struct efi *efi)
{
	UINT64 count = 0;

	if (EFI_ERROR(efi->boot->GetNextMonotonicCount(&count)))
		return 0;
	return (uint32_t)(count >> 32);
}

/* Keeps the record of BootNexts in a row; one of 0 bytes deletes it. */
static bool keep_bootnext(struct efi *efi, const void *record, UINTN size)
{
	return efi_set_variable(efi, next_name, &own_guid, EFI_VARIABLE_NON_VOLATILE, record, size);
}

/*
 * Has the boot manager take option @number next. Returns false where it does not, also because
 * that was done before and the disk did not boot.
 */
static bool set_bootnext(struct efi *efi, uint16_t number)
{
	struct bootnext now = { 0 };
	uint8_t bytes[BOOTNEXT_SIZE];
	EFI_TIME time;
	UINTN size;
	void *last;
	bool allowed;

	if (!EFI_ERROR(efi->system->RuntimeServices->GetTime(&time, NULL)))
		now.when = bootnext_time(time.Year, time.Month, time.Day,
		                         time.Hour * 3600u + time.Minute * 60u + time.Second);
	now.resets = count_resets(efi);
	last = efi_variable(efi, next_name, &own_guid, &size);
	allowed = bootnext_allowed(last, size, &now);
	efi_free(efi, last);
	debug(1, &efi->platform, "BootNext: option %u, %u. time in a row, %u resets, allowed %u",
	      (uint32_t)number, now.count, now.resets, (uint32_t)allowed);
	if (!allowed)
		return false;
	bootnext_write(&now, bytes);
	return keep_bootnext(efi, bytes, sizeof(bytes)) &&
	       efi_set_variable(efi, L"BootNext", &efi_global_guid,
	                        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_RUNTIME_ACCESS, &number,
	                        sizeof(number));
}

void local_clear_bootnext(struct efi *efi)
{
	efi->bootnext = efi_variable(efi, next_name, &own_guid, &efi->bootnext_size);
	keep_bootnext(efi, NULL, 0);
}

void local_restore_bootnext(struct efi *efi)
{
	if (efi->bootnext)
		keep_bootnext(efi, efi->bootnext, efi->bootnext_size);
	efi_free(efi, efi->bootnext);
}

/* Comes back if no option leads to a disk, or if the disk did not boot the last time. */
static void boot_by_bootnext(struct efi *efi)
{
	uint8_t place[DEVICE_PATH_MAX];
	struct boot_order order = { .efi = efi };

	while (order_next(&order)) {
		if (order_place(&order, true, place) < 0)
			continue;
		if (set_bootnext(efi, order.number))
			efi->system->RuntimeServices->ResetSystem(EfiResetWarm, EFI_SUCCESS, 0,
			                                          NULL);
		break;
	}
	order_end(&order);
}

/* Says whether we were started from a CD, a stick or the like, not from the machine's own disk. */
static bool is_on_medium(struct efi *efi)
{
	EFI_LOADED_IMAGE *loaded = efi_protocol(efi, efi->image, &efi_loaded_image_guid);
	struct source source;

	if (!loaded || !efi_protocol(efi, loaded->DeviceHandle, &efi_block_guid))
		return false;
	/* iPXE's NIC has a Block I/O of its own, for the files that it has fetched. */
	device_path_read_source(efi_protocol(efi, loaded->DeviceHandle, &efi_path_guid),
	                        DEVICE_PATH_MAX, &source);
	return !source.network && !block_fixed(efi, loaded->DeviceHandle, NULL);
}

void local_boot(struct platform *p, enum local_boot method)
{
	struct efi *efi = efi_of(p);

	/* Whoever chose the medium in the firmware's boot menu would be shown that menu again. */
	if (method == LOCAL_BOOT_DEFAULT && is_on_medium(efi))
		method = LOCAL_BOOT_ENTRY;
	efi_close(efi);
	p->watchdog(p, WATCHDOG_SECONDS); /* connecting drivers may hang */
	if (method == LOCAL_BOOT_ENTRY)
		boot_by_entry(efi);
	else if (method == LOCAL_BOOT_BOOTNEXT)
		boot_by_bootnext(efi);
	efi_leave(efi);
}

/* --- what a later program of this power-on finds ------------------------------ */

/*
 * The variable is not NON_VOLATILE, so that a reset wipes it. One that a system left with that
 * attribute would have the machine boot its disk for ever, so it does not count.
 */
int local_recall(struct platform *p, uint8_t record[POWER_ON_SIZE])
{
	EFI_RUNTIME_SERVICES *runtime = efi_of(p)->system->RuntimeServices;
	UINTN size = POWER_ON_SIZE;
	UINT32 attributes = 0;

	if (EFI_ERROR(runtime->GetVariable((CHAR16 *)(uintptr_t)power_on_name,
	                                   (EFI_GUID *)(uintptr_t)&own_guid, &attributes,
	                                   &size, record)) ||
	    size != POWER_ON_SIZE || (attributes & EFI_VARIABLE_NON_VOLATILE))
		return ERR_NOT_FOUND;
	return 0;
}

/* Keeps @size bytes of @record. The variable has RUNTIME_ACCESS, as the agent reads it. */
static bool keep_power_on(struct efi *efi, const uint8_t *record, UINTN size)
{
	return efi_set_variable(efi, power_on_name, &own_guid, EFI_VARIABLE_RUNTIME_ACCESS, record,
	                        size);
}

void local_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE])
{
	struct efi *efi = efi_of(p);

	if (keep_power_on(efi, record, POWER_ON_SIZE))
		return;
	/* An older variable of this name with other attributes is in the way: it is deleted. */
	keep_power_on(efi, NULL, 0);
	if (!keep_power_on(efi, record, POWER_ON_SIZE))
		debug(1, p, "the record of this power-on cannot be kept");
}

/* --- reset and power --------------------------------------------------------- */

void local_reboot(struct platform *p)
{
	efi_of(p)->system->RuntimeServices->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

void local_power_off(struct platform *p)
{
	efi_of(p)->system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
}
