/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/cpu.h"
#include "efi/port.h"
#include "nbp/proto/memory.h"

#define CALIBRATION_MS 1
#define CALIBRATIONS 4

/*
 * The smallest of several short measurements is taken: whatever comes between, as where a
 * busy host stops a virtual machine, makes one too long, and the clock slow.
 */
void clock_start(struct efi *efi, uint64_t start)
{
	uint64_t min = UINT64_MAX;

	efi->clock.start = start;
	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t ticks = cpu_counter();

		efi->boot->Stall(CALIBRATION_MS * 1000);
		ticks = cpu_counter() - ticks;
		if (ticks < min)
			min = ticks;
	}
	efi->clock.per_ms = cpu_counter_rate(min / CALIBRATION_MS);
}

uint32_t clock_now(struct platform *p)
{
	const struct efi_clock *clock = &efi_of(p)->clock;

	if (clock->per_ms == 0)
		return 0;
	return (uint32_t)((cpu_counter() - clock->start) / clock->per_ms);
}

void clock_idle(struct platform *p)
{
	efi_of(p)->boot->Stall(1000);
}

/*
 * EFI_RNG_PROTOCOL is not enough: many machines have none, and on some it gives the same
 * bytes at every boot. So bytes of all sources are taken, the best one's first.
 */
size_t clock_entropy(struct platform *p, void *buffer, size_t size)
{
	static const EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
	struct efi *efi = efi_of(p);
	struct {
		uint64_t counter;
		EFI_TIME time;
	} weak;
	EFI_RNG_PROTOCOL *rng = efi_locate(efi, &rng_guid);
	uint8_t *out = buffer;
	size_t count = 0, share = size / 3;

	if (rng && !EFI_ERROR(rng->GetRNG(rng, NULL, share, out)))
		count += share;
	count += cpu_random(out + count, share);
	memset(&weak, 0, sizeof(weak));
	efi->system->RuntimeServices->GetTime(&weak.time, NULL);
	weak.counter = cpu_counter();
	share = size - count < sizeof(weak) ? size - count : sizeof(weak);
	memcpy(out + count, &weak, share);
	return count + share;
}
