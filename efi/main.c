/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/port.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/proto/memory.h"

#define DEBUGGER_WAIT_MS 20000
#define WATCHDOG_CODE 0x10000 /* lower codes are the firmware's own (UEFI 7.5) */

void efi_close(struct efi *efi)
{
	udp_close(&efi->platform);
	chain_close(efi);
	keys_restore(efi);
	console_restore(efi);
	efi->platform.watchdog(&efi->platform, 0);
}

/*
 * The boot manager goes on to the next Boot#### entry only after an error;
 * after EFI_SUCCESS EDK2 opens its menu and waits for a person.
 */
void efi_leave(struct efi *efi)
{
	efi_close(efi);
	fault_release(efi);
	efi->boot->Exit(efi->image, EFI_LOAD_ERROR, 0, NULL);
}

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

static void fill_platform(struct platform *p)
{
	p->name = "nvlnbpx64.efi";
	p->now = clock_now;
	p->idle = clock_idle;
	p->cpuid = x86_cpuid;
	p->entropy = clock_entropy;
	p->write = console_write;
	p->clear = console_clear;
	p->move = console_move;
	p->colours = console_colours;
	p->key = keys_read;
	p->forget_keys = keys_forget;
	p->shift = keys_shift;
	p->disk_read = disk_read;
	p->udp_open = udp_open;
	p->udp_send = udp_send;
	p->udp_receive = udp_receive;
	p->udp_close = udp_close;
	p->fetch = chain_fetch;
	p->prepare = chain_prepare;
	p->chain = chain_start;
	p->boot_local = local_boot;
	p->recall = local_recall;
	p->remember = local_remember;
	p->reboot = local_reboot;
	p->power_off = local_power_off;
	p->watchdog = set_watchdog;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	uint64_t start = x86_rdtsc();
	struct efi efi;
	EFI_LOADED_IMAGE *loaded;
	const void *stack;

	memset(&efi, 0, sizeof(efi));
	efi.image = image;
	efi.system = system;
	efi.boot = system->BootServices;
	efi.tpl = efi_tpl(&efi);
	fill_platform(&efi.platform);
	clock_start(&efi, start);

	loaded = efi_protocol(&efi, image, &efi_loaded_image_guid);
	if (loaded) {
		efi.faults.image = loaded->ImageBase;
		efi.faults.image_size = loaded->ImageSize;
		wait_for_debugger(&efi, loaded);
		efi.device = loaded->DeviceHandle;
	}
	__asm__ volatile("mov %%rsp, %0" : "=r"(stack));
	fault_catch(&efi, stack);
	net_find(&efi);
	machine_read(&efi);
	disk_find(&efi);
	/* Keys typed before were for the firmware: F12, say, to boot from the network. */
	keys_forget(&efi.platform);
	flow_run(&efi.platform);
	efi_leave(&efi);
	return EFI_LOAD_ERROR;
}
