/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/nic.h"
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/proto/memory.h"

#define DEBUGGER_WAIT_MS 20000
#define WATCHDOG_CODE 0x10000 /* lower codes are the firmware's own (UEFI 7.5) */

/* The watchdog may still be armed as the boot manager left it: for five minutes from our start. */
static void set_watchdog(struct platform *p, uint32_t seconds)
{
	efi_of(p)->boot->SetWatchdogTimer(seconds, WATCHDOG_CODE, 0, NULL);
}

/*
 * Firmware loads us to another address at each boot, so a person needs time to give that to a
 * debugger. The wait ends when the debugger sets debugger_here, or after DEBUGGER_WAIT_MS.
 */
static volatile bool debugger_here;

static void wait_for_debugger(struct efi *efi, const EFI_LOADED_IMAGE *loaded)
{
	uint64_t base = (uintptr_t)loaded->ImageBase;

	debug(1, &efi->platform, "image base 0x%x%08x", (uint32_t)(base >> 32), (uint32_t)base);
	debug(2, &efi->platform, "waiting %u s for a debugger", DEBUGGER_WAIT_MS / 1000u);
	for (int i = 0; DEBUG_LEVEL >= 2 && i < DEBUGGER_WAIT_MS && !debugger_here; i++)
		efi->boot->Stall(1000);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	uint64_t start = cpu_counter();
	struct efi efi;
	EFI_LOADED_IMAGE *loaded;

	memset(&efi, 0, sizeof(efi));
	efi.image = image;
	efi.system = system;
	efi.boot = system->BootServices;
	efi.tpl = efi_tpl(&efi);
	port_fill(&efi.platform);
	efi.platform.name = cpu_names.nbp;
	efi.platform.describe_cpu = cpu_describe;
	efi.platform.connect = nic_connect;
	efi.platform.watchdog = set_watchdog;
	clock_start(&efi, start);

	loaded = efi_protocol(&efi, image, &efi_loaded_image_guid);
	if (loaded) {
		efi.faults.image = loaded->ImageBase;
		efi.faults.image_size = loaded->ImageSize;
		wait_for_debugger(&efi, loaded);
		efi.device = loaded->DeviceHandle;
	}
	efi.faults.leave = efi_leave;
	fault_catch(&efi);
	net_find(&efi);
	machine_read(&efi);
	disk_find(&efi);
	/* Keys typed before were for the firmware: F12, say, to boot from the network. */
	keys_forget(&efi.platform);
	flow_run(&efi.platform);
	efi_leave(&efi);
	return EFI_LOAD_ERROR;
}
