/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "efi/rate.h"
#include "nbp/debug.h"
#include "nbp/flow.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

#define CALIBRATION_MS 1
#define CALIBRATIONS 4
#define DEBUGGER_WAIT_MS 20000
#define WATCHDOG_CODE 0x10000 /* those below are the firmware's own (UEFI 7.5) */
#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_CRYSTAL 0x15
#define CPUID_FREQUENCY 0x16

static uint32_t clock_now(struct platform *p)
{
	return x86_clock_ms(&efi_port(p)->clock);
}

/*
 * Of several short measurements the smallest: whatever comes between, as where a
 * busy host stops a virtual machine, makes one too long, and the clock slow.
 */
static void clock_calibrate(struct efi_port *port)
{
	uint32_t highest[4], crystal[4] = { 0 }, frequency[4] = { 0 };
	uint64_t least = UINT64_MAX;

	x86_cpuid(0, highest);
	if (highest[0] >= CPUID_CRYSTAL)
		x86_cpuid(CPUID_CRYSTAL, crystal);
	if (highest[0] >= CPUID_FREQUENCY)
		x86_cpuid(CPUID_FREQUENCY, frequency);
	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t ticks = x86_rdtsc();

		port->boot->Stall(CALIBRATION_MS * 1000);
		ticks = x86_rdtsc() - ticks;
		if (ticks < least)
			least = ticks;
	}
	port->clock.per_ms = rate_per_ms(least / CALIBRATION_MS, crystal, frequency);
}

static void idle(struct platform *p)
{
	efi_port(p)->boot->Stall(1000);
}

static size_t rdrand(uint8_t *out, size_t size)
{
	uint32_t regs[4];
	size_t count = 0;

	x86_cpuid(1, regs);
	if (!(regs[2] & CPUID_1_ECX_RDRAND))
		return 0;
	/* Ten tries a word are Intel's own bound; a broken unit gives none. */
	for (int tries = 0; tries < 20 && count + sizeof(uint64_t) <= size; tries++) {
		uint64_t word;
		uint8_t good;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(word), "=qm"(good) : : "cc");
		if (!good)
			continue;
		memcpy(out + count, &word, sizeof(word));
		count += sizeof(word);
	}
	return count;
}

/*
 * EFI_RNG_PROTOCOL is not enough: many machines have none, and on some it gives
 * the same bytes at every boot. So all there is goes in, best first.
 */
static size_t entropy(struct platform *p, void *buffer, size_t size)
{
	static EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
	struct efi_port *port = efi_port(p);
	struct {
		uint64_t counter;
		EFI_TIME time;
	} weak;
	EFI_RNG_PROTOCOL *rng;
	uint8_t *out = buffer;
	size_t count = 0, share = size / 3;

	if (!EFI_ERROR(port->boot->LocateProtocol(&rng_guid, NULL, (VOID **)&rng)) &&
	    !EFI_ERROR(rng->GetRNG(rng, NULL, share, out)))
		count += share;
	count += rdrand(out + count, share);
	memset(&weak, 0, sizeof(weak));
	port->system->RuntimeServices->GetTime(&weak.time, NULL);
	weak.counter = x86_rdtsc();
	share = size - count < sizeof(weak) ? size - count : sizeof(weak);
	memcpy(out + count, &weak, share);
	return count + share;
}

void efi_close(struct efi_port *port)
{
	net_udp_close(&port->platform);
	tftp_release(port);
	chain_forget(port);
	keys_restore(port);
	console_restore(port);
	port->platform.watchdog(&port->platform, 0);
}

/*
 * The boot manager goes on to the next Boot#### entry only after an error;
 * after EFI_SUCCESS EDK2 opens its menu and waits for a person.
 */
void efi_leave(struct efi_port *port)
{
	efi_close(port);
	fault_release(port);
	port->boot->Exit(port->image, EFI_LOAD_ERROR, 0, NULL);
}

static void reboot(struct platform *p)
{
	efi_port(p)->system->RuntimeServices->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

static void power_off(struct platform *p)
{
	efi_port(p)->system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
}

/* It may be armed as BDS left it: for five minutes from our start. */
static void watchdog(struct platform *p, uint32_t seconds)
{
	efi_port(p)->boot->SetWatchdogTimer(seconds, WATCHDOG_CODE, 0, NULL);
}

/*
 * Where firmware loads us differs from boot to boot, so a debugger needs a pause
 * to be told; it goes on by setting debugger_here, or when the time is over.
 */
static volatile bool debugger_here;

static void tell_debugger(struct efi_port *port, const EFI_LOADED_IMAGE *loaded)
{
	uint64_t base = (uintptr_t)loaded->ImageBase;

	debug(1, &port->platform, "image base 0x%x%08x", (uint32_t)(base >> 32), (uint32_t)base);
	debug(2, &port->platform, "waiting %u s for a debugger", DEBUGGER_WAIT_MS / 1000u);
	for (int i = 0; DEBUG_LEVEL >= 2 && i < DEBUGGER_WAIT_MS && !debugger_here; i++)
		port->boot->Stall(1000);
}

static void fill_platform(struct platform *p)
{
	p->name = "nvlnbpx64.efi";
	p->now = clock_now;
	p->idle = idle;
	p->cpuid = x86_cpuid;
	p->entropy = entropy;
	p->write = console_write;
	p->udp_open = net_udp_open;
	p->udp_send = net_udp_send;
	p->udp_receive = net_udp_receive;
	p->udp_close = net_udp_close;
	p->fetch = tftp_fetch;
	p->prepare = chain_prepare;
	p->chain = chain_image;
	p->clear = console_clear;
	p->move = console_move;
	p->colours = console_colours;
	p->key = keys_read;
	p->shift = keys_shift;
	p->forget_keys = keys_forget;
	p->disk_read = disk_read;
	p->boot_local = local_boot;
	p->recall = mark_recall;
	p->remember = mark_remember;
	p->reboot = reboot;
	p->power_off = power_off;
	p->watchdog = watchdog;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	uint64_t start = x86_rdtsc();
	struct efi_port port;
	EFI_LOADED_IMAGE *loaded;
	const void *stack;

	memset(&port, 0, sizeof(port));
	port.clock.start = start;
	port.image = image;
	port.system = system;
	port.boot = system->BootServices;
	port.tpl = efi_tpl(&port);
	fill_platform(&port.platform);
	clock_calibrate(&port);

	loaded = efi_protocol(&port, image, &loaded_image_guid);
	if (loaded != NULL) {
		port.faults.image = loaded->ImageBase;
		port.faults.image_size = loaded->ImageSize;
		tell_debugger(&port, loaded);
		port.device = loaded->DeviceHandle;
	}
	__asm__ volatile("mov %%rsp, %0" : "=r"(stack));
	fault_catch(&port, stack);
	pxe_find(&port);
	machine_read(&port);
	hardware_read(&port);
	disks_find(&port);
	/* What was typed before was for the firmware: who asked for us by F12, say. */
	keys_forget(&port.platform);
	flow_run(&port.platform);
	efi_leave(&port);
	return EFI_LOAD_ERROR;
}
