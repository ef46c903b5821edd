/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/clock_rate.h"
#include "efi/port.h"
#include "nbp/proto/memory.h"

#define CALIBRATION_MS 1
#define CALIBRATIONS 4
#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_CRYSTAL 0x15
#define CPUID_FREQUENCY 0x16

/*
 * The smallest of several short measurements is taken: whatever comes between, as where a
 * busy host stops a virtual machine, makes one too long, and the clock slow.
 */
void clock_start(struct efi *efi, uint64_t start)
{
	uint32_t highest[4], crystal[4] = { 0 }, frequency[4] = { 0 };
	uint64_t min = UINT64_MAX;

	efi->clock.start = start;
	x86_cpuid(0, highest);
	if (highest[0] >= CPUID_CRYSTAL)
		x86_cpuid(CPUID_CRYSTAL, crystal);
	if (highest[0] >= CPUID_FREQUENCY)
		x86_cpuid(CPUID_FREQUENCY, frequency);
	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t ticks = x86_rdtsc();

		efi->boot->Stall(CALIBRATION_MS * 1000);
		ticks = x86_rdtsc() - ticks;
		if (ticks < min)
			min = ticks;
	}
	efi->clock.per_ms = clock_rate(min / CALIBRATION_MS, crystal, frequency);
}

uint32_t clock_now(struct platform *p)
{
	return x86_clock_ms(&efi_of(p)->clock);
}

void clock_idle(struct platform *p)
{
	efi_of(p)->boot->Stall(1000);
}

static size_t rdrand(uint8_t *out, size_t size)
{
	uint32_t regs[4];
	size_t count = 0;

	x86_cpuid(1, regs);
	if (!(regs[2] & CPUID_1_ECX_RDRAND))
		return 0;
	/* Intel's own bound is ten tries a word; a broken unit gives no word at all. */
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
 * EFI_RNG_PROTOCOL is not enough: many machines have none, and on some it gives the same
 * bytes at every boot. So bytes of all sources are taken, the best one's first.
 */
size_t clock_entropy(struct platform *p, void *buffer, size_t size)
{
	static EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
	struct efi *efi = efi_of(p);
	struct {
		uint64_t counter;
		EFI_TIME time;
	} weak;
	EFI_RNG_PROTOCOL *rng;
	uint8_t *out = buffer;
	size_t count = 0, share = size / 3;

	if (!EFI_ERROR(efi->boot->LocateProtocol(&rng_guid, NULL, (VOID **)&rng)) &&
	    !EFI_ERROR(rng->GetRNG(rng, NULL, share, out)))
		count += share;
	count += rdrand(out + count, share);
	memset(&weak, 0, sizeof(weak));
	efi->system->RuntimeServices->GetTime(&weak.time, NULL);
	weak.counter = x86_rdtsc();
	share = size - count < sizeof(weak) ? size - count : sizeof(weak);
	memcpy(out + count, &weak, share);
	return count + share;
}
