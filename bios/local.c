/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/log.h"
#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* How the NBP ends other than with a loader: local boot, restart, power off. */

#define BOOT_CODE_SIZE 440u /* then the disk's signature and partition table */
#define BOOT_SIGNATURE 510u

void local_leave(struct bios *bios)
{
	if (bios->local_port)
		udp_close(&bios->platform);
	memory_close_a20(bios);
	console_close(&bios->console);
}

/* --- the first disk's boot sector ------------------------------------------ */

static bool has_boot_code(const uint8_t *sector)
{
	uint8_t any = 0;

	for (size_t i = 0; i < BOOT_CODE_SIZE; i++)
		any |= sector[i];
	return any && sector[BOOT_SIGNATURE] == 0x55 && sector[BOOT_SIGNATURE + 1] == 0xaa;
}

/* Returns the address of the plug and play structure (PnP BIOS 1.0a section 4.4), which a
 * BIOS passes to a boot sector, or zeros. */
static struct segoff find_pnp(void)
{
	for (uint32_t at = 0xf0000; at < 0x100000; at += 16)
		if (memcmp(physical(at), "$PnP", 4) == 0)
			return (struct segoff){ .segment = 0xf000, .offset = (uint16_t)at };
	return (struct segoff){ 0 };
}

/*
 * Puts realmode_caught() where nothing overwrites it: in a kilobyte right below the end of
 * base memory, or below the ROM's stack if that is lower. Base memory then ends below that
 * kilobyte, and INT 18h and INT 19h lead to it. Returns false if there is no memory for it.
 */
static bool catch_return(struct bios *bios)
{
	size_t size = (size_t)(realmode_caught_end - realmode_caught);
	uint32_t at = (memory_loader_end(bios) - size) & ~0x3ffu;
	struct segoff *vectors = physical(0);
	struct caught *caught = physical(at);

	if (at < memory_loader_start())
		return false;
	memcpy(caught, realmode_caught, size);
	caught->esp = realmode_esp;
	caught->ss = (uint16_t)realmode_ss;
	caught->base_memory = bda_read16(BDA_BASE_MEMORY);
	caught->int18 = vectors[0x18];
	caught->int19 = vectors[0x19];
	vectors[0x18] = (struct segoff){ sizeof(*caught), (uint16_t)(at >> 4) };
	vectors[0x19] = vectors[0x18];
	*(volatile uint16_t *)physical(BDA_BASE_MEMORY) = (uint16_t)(at >> 10);
	return true;
}

/* Comes back if the disk has nothing to boot. */
static void boot_mbr(struct bios *bios)
{
	struct platform *p = &bios->platform;
	struct segoff pnp = find_pnp();
	struct realmode r = {
		.edx = bios->drives[0].number, .es = pnp.segment, .edi = pnp.offset,
		.eflags = EFLAGS_NO_INTERRUPTS,
		.entry = { .offset = (uint16_t)(uint32_t)realmode_boot },
	};
	uint8_t *sector = physical(memory_loader_start());
	int rc = ERR_NOT_FOUND;

	if (p->machine.disk_count)
		rc = disk_read(p, 0, 0, 1, sector);
	if (rc || !has_boot_code(sector)) {
		log_line(p, "first disk: %s", rc ? error_text(rc) : "no boot code");
		return;
	}
	local_leave(bios);
	pxe_shut_down(bios);
	if (!catch_return(bios))
		return;
	/* The sector overwrites entry.asm, which is not needed any more. */
	memcpy(physical((uint32_t)load_address), sector, 512);
	realmode_call(&r);
}

/* --- INT 18h and the return to the ROM --------------------------------------- */

static void boot_int18(struct bios *bios)
{
	const struct entry_stack *entry = entry_stack();
	struct realmode r = {
		.eax = entry->eax, .ebx = entry->ebx, .ecx = entry->ecx, .edx = entry->edx,
		.esi = entry->esi, .edi = entry->edi, .ebp = entry->ebp,
		.ds = entry->ds, .es = entry->es,
	};

	local_leave(bios);
	pxe_shut_down(bios);
	realmode_interrupt(0x18, &r);
}

void local_boot(struct platform *p, enum local_boot method)
{
	struct bios *bios = bios_of(p);
	struct realmode r = {
		.eflags = EFLAGS_NO_INTERRUPTS,
		.entry = { .offset = (uint16_t)(uint32_t)realmode_return },
	};

	/* For the BIOS the first disk is the stick that we were started from. */
	if (bios->medium)
		method = LOCAL_BOOT_MBR;
	/* The NBP that we would return to may have no ROM left to return to. */
	if (method == LOCAL_BOOT_DEFAULT && bios->pxe.nested)
		method = LOCAL_BOOT_INT18;
	if (method == LOCAL_BOOT_MBR)
		boot_mbr(bios);
	if (method == LOCAL_BOOT_MBR || method == LOCAL_BOOT_INT18)
		boot_int18(bios);
	local_leave(bios);
	realmode_call(&r);
	__builtin_unreachable();
}

/* --- the record for later programs of this power-on -------------------------- */

/*
 * POST clears the 16 bytes of the record, or should: a record that stayed would have the
 * machine boot its disk for ever. All POSTs set up the interrupt vectors anew, so a vector
 * that is free for programs holds the record's CRC-32; without that there is no record.
 */
#define VECTOR_FREE 0x66

static uint32_t *record_sum(void)
{
	return (uint32_t *)physical(0) + VECTOR_FREE;
}

int local_recall(struct platform *p, uint8_t record[POWER_ON_SIZE])
{
	(void)p;
	memcpy(record, physical(BDA_SHARED), POWER_ON_SIZE);
	return *record_sum() == crc32(record, POWER_ON_SIZE) ? 0 : ERR_NOT_FOUND;
}

void local_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE])
{
	(void)p;
	memcpy(physical(BDA_SHARED), record, POWER_ON_SIZE);
	*record_sum() = crc32(record, POWER_ON_SIZE);
}

/* --- reset and power -------------------------------------------------------- */

#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_BUSY 0x02
#define KEYBOARD_RESET 0xfe
#define RESET_CONTROL 0xcf9    /* in Intel's chip sets, and others' */
#define RESET_HARD 0x02
#define RESET_NOW 0x04
#define DELAY_PORT 0x80        /* an access takes about a microsecond */

static void delay_us(uint32_t us)
{
	while (us--)
		x86_in8(DELAY_PORT);
}

void local_reset(void)
{
	static const uint8_t no_idt[6];

	*(volatile uint16_t *)physical(BDA_RESET) = 0; /* the BIOS does all of its self-test */
	for (size_t i = 0; i < 10000 && (x86_in8(KEYBOARD_COMMAND) & KEYBOARD_BUSY); i++)
		;
	x86_out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	delay_us(50000);
	x86_out8(RESET_CONTROL, RESET_HARD);
	x86_out8(RESET_CONTROL, RESET_HARD | RESET_NOW);
	delay_us(50000);
	/* There is no handler for the fault, nor for the double fault: the processor shuts
	 * down, which resets the machine. */
	__asm__ volatile("lidt %0\n\tint3" : : "m"(no_idt));
	__builtin_unreachable();
}

void local_reboot(struct platform *p)
{
	local_leave(bios_of(p));
	pxe_shut_down(bios_of(p));
	local_reset();
}

static void call_apm(uint32_t eax, uint32_t ebx, uint32_t ecx)
{
	struct realmode r = { .eax = eax, .ebx = ebx, .ecx = ecx };

	realmode_interrupt(0x15, &r);
}

/* Advanced Power Management BIOS 1.2, chapter 4. */
#define APM_CONNECT 0x5301     /* for calls from real mode */
#define APM_SET_STATE 0x5307
#define APM_VERSION 0x530e
#define APM_ALL_DEVICES 1
#define APM_OFF 3

/* Restarts the machine where the BIOS cannot switch it off. */
void local_power_off(struct platform *p)
{
	local_leave(bios_of(p));
	pxe_shut_down(bios_of(p));
	call_apm(APM_CONNECT, 0, 0);
	call_apm(APM_VERSION, 0, 0x0102);
	call_apm(APM_SET_STATE, APM_ALL_DEVICES, APM_OFF);
	local_reset();
}
