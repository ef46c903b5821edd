/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/port.h"

/* TCG PC Client Implementation for Conventional BIOS, TCG_StatusCheck. */
#define TCG_STATUS_CHECK 0xbb00
#define TCG_SIGNATURE 0x41504354 /* "TCPA" */

static enum tristate find_tpm(void)
{
	struct realmode r = { .eax = TCG_STATUS_CHECK };

	realmode_interrupt(0x1a, &r);
	return r.eax == 0 && r.ebx == TCG_SIGNATURE ? STATE_YES : STATE_NO;
}

void machine_read(struct bios *bios)
{
	struct machine *machine = &bios->platform.machine;

	machine->firmware = FIRMWARE_BIOS;
	machine->architecture = 0;
	machine->secure_boot = STATE_NO; /* only UEFI has it */
	machine->tpm = find_tpm();
	machine->memory_mib = memory_size();
	memory_find_smbios(bios);
}
