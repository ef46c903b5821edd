/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"
#include "nbp/proto/memory.h"

#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_HZ 1193182u
#define SYSTEM_PORT_B 0x61 /* bit 0 gates PIT channel 2, 1 the speaker, 5 its output */
#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define RTC_STATUS_D 0x0d
#define DELAY_PORT 0x80    /* an access takes about a microsecond */

#define CALIBRATION_MS 1
#define CALIBRATIONS 4
/* A read of port 61h takes 0.1 us to 1 us. */
#define CALIBRATION_READS_MAX 400000
#define TICKS_PER_DAY 0x1800b0u
/* About a second; less in an emulator, but more than a tick even there. */
#define RESTS_WITHOUT_TICK 2000
/* A turn takes 20 cycles at least, and half a millisecond 5 million at most. */
#define PAUSES_MAX 1000000

/* Returns TSC ticks per millisecond, measured once by the PIT; 0 if it cannot be
 * measured. PXE ROMs use the PIT's channel 2 for delays, but never across calls. */
static uint32_t measure_tsc(void)
{
	const uint16_t count = PIT_HZ * CALIBRATION_MS / 1000;
	uint8_t saved = x86_in8(SYSTEM_PORT_B);
	uint32_t reads = 0;
	uint64_t ticks;

	x86_out8(SYSTEM_PORT_B, (saved & ~2) | 1);
	x86_out8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, mode 0: one shot */
	/* Before the PIT begins, so that the time is never too short. */
	ticks = x86_rdtsc();
	x86_out8(PIT_CHANNEL2, count & 0xff);
	x86_out8(PIT_CHANNEL2, count >> 8);
	while (!(x86_in8(SYSTEM_PORT_B) & 0x20) && reads < CALIBRATION_READS_MAX)
		reads++;
	ticks = x86_rdtsc() - ticks;
	x86_out8(SYSTEM_PORT_B, saved);
	/* Where the output is high from the start there is no timer. */
	if (reads < 10 || reads == CALIBRATION_READS_MAX || ticks >> 32)
		return 0;
	return (uint32_t)ticks / CALIBRATION_MS;
}

/* The smallest of several short measurements is taken: whatever comes between, as where
 * a busy host stops a virtual machine, makes one too long, and the clock slow. */
static uint32_t calibrate_tsc(void)
{
	uint32_t min = UINT32_MAX, once;

	for (int i = 0; i < CALIBRATIONS; i++) {
		once = measure_tsc();
		if (once && once < min)
			min = once;
	}
	return min == UINT32_MAX ? 0 : min;
}

static uint32_t bios_ticks(void)
{
	return *(volatile uint32_t *)physical(BDA_TICKS);
}

void clock_start(struct bios *bios)
{
	struct clock *clock = &bios->clock;

	clock->ticks = bios_ticks();
	clock->tsc.start = entry_tsc;
	if (entry_tsc)
		clock->tsc.per_ms = calibrate_tsc();
}

/* The BIOS counts its ticks in real mode only, so while a ROM waits or is polled. Where it
 * counts none at all, the rests since the last tick still bound every wait. */
static uint32_t clock_by_ticks(struct clock *clock)
{
	uint32_t ticks = bios_ticks(), ms;

	if (ticks != clock->ticks)
		clock->rests = 0;
	if (ticks < clock->ticks) /* midnight */
		clock->elapsed += ticks + TICKS_PER_DAY - clock->ticks;
	else
		clock->elapsed += ticks - clock->ticks;
	clock->ticks = ticks;
	ms = clock->elapsed * 14061 >> 8; /* 54.925 ms each */
	if (clock->rests > RESTS_WITHOUT_TICK)
		ms += clock->rests / 2;
	if (clock->latest < ms)
		clock->latest = ms;
	return clock->latest;
}

uint32_t clock_now(struct platform *p)
{
	struct clock *clock = &bios_of(p)->clock;

	return clock->tsc.per_ms ? x86_clock_ms(&clock->tsc) : clock_by_ticks(clock);
}

/* This takes half a millisecond. HLT would rest better, but until the next tick of 55 ms:
 * not every ROM's network card interrupts. */
void clock_idle(struct platform *p)
{
	struct clock *clock = &bios_of(p)->clock;
	uint64_t start;

	clock->rests++;
	if (clock->tsc.per_ms) {
		start = x86_rdtsc();
		for (size_t i = 0; i < PAUSES_MAX; i++) {
			if (x86_rdtsc() - start >= clock->tsc.per_ms / 2)
				return;
			x86_pause();
		}
		/* The counter stands still. From now on the BIOS's ticks give the time. */
		clock->latest = x86_clock_ms(&clock->tsc);
		clock->tsc.per_ms = 0;
	}
	for (size_t i = 0; i < 500; i++)
		x86_in8(DELAY_PORT);
}

static bool has_rdrand(void)
{
	uint32_t regs[4];

	cpuid_read(0, regs);
	if (regs[0] < 1)
		return false;
	cpuid_read(1, regs);
	return regs[2] & 1u << 30;
}

size_t clock_entropy(struct platform *p, void *buffer, size_t size)
{
	static const uint8_t rtc[] = { 0, 2, 4, 7, 8, 9 }; /* seconds to year */
	struct {
		uint16_t pit; /* first, as every PC has it: a caller may take two bytes only */
		uint8_t rtc[sizeof(rtc)];
		uint64_t tsc;
		uint32_t random[4];
		uint32_t ticks;
	} pool;

	(void)p;
	memset(&pool, 0, sizeof(pool));
	if (entry_tsc)
		pool.tsc = x86_rdtsc();
	if (has_rdrand()) /* its failure leaves zeros */
		for (size_t i = 0; i < 4; i++)
			__asm__ volatile("rdrand %0" : "=r"(pool.random[i]) : : "cc");
	pool.ticks = bios_ticks();
	x86_out8(PIT_COMMAND, 0); /* latch channel 0 */
	pool.pit = x86_in8(PIT_CHANNEL0);
	pool.pit |= x86_in8(PIT_CHANNEL0) << 8;
	for (size_t i = 0; i < sizeof(rtc); i++) {
		x86_out8(RTC_INDEX, rtc[i]);
		pool.rtc[i] = x86_in8(RTC_DATA);
	}
	/* The index cannot be read to be restored. BIOSes leave it so, with NMIs on. */
	x86_out8(RTC_INDEX, RTC_STATUS_D);
	if (size > sizeof(pool))
		size = sizeof(pool);
	memcpy(buffer, &pool, size);
	return size;
}
