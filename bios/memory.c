/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/smbios.h"

#define BASE_MEMORY_END 0xa0000u
#define MIB 0x100000u

uint32_t memory_base_end(void)
{
	uint32_t end = (uint32_t)bda_read16(BDA_BASE_MEMORY) << 10;

	return end < BASE_MEMORY_END ? end : BASE_MEMORY_END;
}

/* --- the memory for a loader ------------------------------------------------ */

#define LOADER_ALIGNMENT 0x1000u

uint32_t memory_loader_start(void)
{
	return ((uint32_t)bss_end + LOADER_ALIGNMENT - 1) & ~(LOADER_ALIGNMENT - 1);
}

uint32_t memory_loader_end(const struct bios *bios)
{
	uint32_t stack = (uint32_t)entry_stack(), end = bios->base_end;

	if (stack > memory_loader_start() && stack - (uint32_t)rom_stack_reserve < end)
		end = stack - (uint32_t)rom_stack_reserve;
	return end > memory_loader_start() ? end : memory_loader_start();
}

void *memory_bounce(const struct bios *bios)
{
	uint32_t at = (memory_loader_end(bios) - BOUNCE_SIZE) & ~(BOUNCE_SIZE - 1);

	return at >= memory_loader_start() + BOUNCE_SIZE ? physical(at) : NULL;
}

/* --- how much there is (ACPI 6.5 section 15.1) ---------------------------- */

#define SMAP 0x534d4150u
#define RANGES_MAX 128 /* against BIOSes whose list never ends */
#define RANGE_USABLE 1

struct range {
	uint64_t base, length;
	uint32_t type, attributes;
} __attribute__((packed));

static uint32_t size_by_e820(void)
{
	struct range range;
	struct realmode r;
	uint32_t next = 0, count = 0;
	uint64_t total = 0;

	do {
		memset(&range, 0, sizeof(range));
		r = (struct realmode){
			.eax = 0xe820, .ebx = next, .ecx = 20, .edx = SMAP,
			.es = segoff(&range).segment, .edi = segoff(&range).offset,
		};
		realmode_interrupt(0x15, &r);
		if ((r.eflags & EFLAGS_CF) || r.eax != SMAP)
			break;
		if (range.type == RANGE_USABLE)
			total += range.length;
		next = r.ebx;
	} while (next != 0 && ++count < RANGES_MAX);
	/* The sum is rounded up: the few hundred KiB that firmware keeps must not cost a MiB. */
	return (uint32_t)((total + MIB - 1) >> 20);
}

static uint32_t size_by_e801(void)
{
	struct realmode r = { .eax = 0xe801 };
	uint32_t low, high;

	realmode_interrupt(0x15, &r);
	if (r.eflags & EFLAGS_CF)
		return 0;
	/* Some BIOSes answer in AX and BX only, some in CX and DX only. */
	low = (uint16_t)r.ecx ? (uint16_t)r.ecx : (uint16_t)r.eax;  /* KiB to 16 MiB */
	high = (uint16_t)r.edx ? (uint16_t)r.edx : (uint16_t)r.ebx; /* 64 KiB above */
	if (low > 15 * 1024) /* nonsense: there is no more memory below 16 MiB */
		return 0;
	return low || high ? 1 + low / 1024 + high / 16 : 0;
}

static uint32_t size_by_88(void)
{
	struct realmode r = { .eax = 0x8800 };

	realmode_interrupt(0x15, &r);
	if ((r.eflags & EFLAGS_CF) || (uint16_t)r.eax == 0)
		return 0;
	return 1 + (uint16_t)r.eax / 1024;
}

uint32_t memory_size(void)
{
	uint32_t mib = size_by_e820();

	if (!mib)
		mib = size_by_e801();
	return mib ? mib : size_by_88();
}

/* --- the A20 gate ---------------------------------------------------------- */

#define PORT_92 0x92
#define PORT_92_A20 0x02
#define PORT_92_RESET 0x01
#define A20_TRIES 100

/* With the gate closed, an address and the one 1 MiB above it are the same memory. */
static bool a20_is_open(void)
{
	static volatile uint32_t probe;
	const volatile uint32_t *alias = physical((uint32_t)&probe + MIB);

	probe = 0x5a5aa5a5;
	if (*alias != probe)
		return true;
	probe = ~probe;
	return *alias != probe;
}

static void call_a20(uint32_t function)
{
	struct realmode r = { .eax = function };

	realmode_interrupt(0x15, &r);
}

static bool a20_open(struct bios *bios)
{
	if (a20_is_open())
		return true;
	call_a20(0x2401);
	if (a20_is_open()) {
		bios->a20 = A20_BIOS;
		return true;
	}
	/* Bit 0 resets the machine. */
	x86_out8(PORT_92, (x86_in8(PORT_92) | PORT_92_A20) & (uint8_t)~PORT_92_RESET);
	for (size_t i = 0; i < A20_TRIES; i++) {
		if (a20_is_open()) {
			bios->a20 = A20_PORT_92;
			return true;
		}
		clock_idle(&bios->platform);
	}
	return false;
}

void memory_close_a20(struct bios *bios)
{
	if (bios->a20 == A20_BIOS)
		call_a20(0x2400);
	else if (bios->a20 == A20_PORT_92)
		x86_out8(PORT_92, x86_in8(PORT_92) & (uint8_t)~(PORT_92_A20 | PORT_92_RESET));
	bios->a20 = A20_NOT_OURS;
}

/* --- SMBIOS (DSP0134 section 5.2.1) ---------------------------------------- */

#define SMBIOS_SCAN 0xf0000u
#define SMBIOS_SCAN_END 0x100000u
#define SMBIOS_LENGTH_MAX MIB /* real tables take a few KiB */

static bool is_readable(struct bios *bios, const struct smbios_entry *entry)
{
	if (entry->length == 0 || entry->length > SMBIOS_LENGTH_MAX || entry->address == 0 ||
	    entry->address > UINT32_MAX - SMBIOS_LENGTH_MAX)
		return false;
	return entry->address + entry->length <= MIB || a20_open(bios);
}

void memory_find_smbios(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;
	struct smbios_entry entry;
	uint32_t at;

	for (at = SMBIOS_SCAN; at < SMBIOS_SCAN_END; at += 16) {
		if (smbios_entry_read(physical(at), SMBIOS_SCAN_END - at, &entry) == 0 &&
		    is_readable(bios, &entry)) {
			machine->smbios = (struct span){
				physical((uint32_t)entry.address), entry.length,
			};
			machine->smbios_version = entry.version;
			debug(1, &bios->platform,
			      "SMBIOS: entry at %x, %u bytes at %x, A20 opener %d", at,
			      entry.length, (uint32_t)entry.address, (int)bios->a20);
			return;
		}
	}
}
