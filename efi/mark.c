/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/efi_port.h"
#include "nbp/debug.h"
#include "nbp/proto/error.h"

/*
 * What is kept from one start of the NBP to the next, in variables of ours: until
 * the next reset that all is decided, and beyond it how often BootNext was set.
 */

/* Of no meaning to anybody else but our agent, which reads the first of them. */
static EFI_GUID mark_guid = { 0x6134f6a1, 0xf8d4, 0x4743,
	                      { 0x96, 0xc8, 0x04, 0x03, 0x61, 0x1a, 0x5e, 0xc3 } };
static CHAR16 power_on_name[] = L"OpenPrebootPowerOn";
static CHAR16 next_name[] = L"OpenPrebootNext";

/*
 * Not NON_VOLATILE, so that a reset wipes it. One that a system left with that
 * attribute would have the machine boot its disk for ever: it is not ours.
 */
int mark_recall(struct platform *p, uint8_t record[POWER_ON_SIZE])
{
	EFI_RUNTIME_SERVICES *runtime = efi_port(p)->system->RuntimeServices;
	UINTN size = POWER_ON_SIZE;
	UINT32 attributes = 0;

	if (EFI_ERROR(runtime->GetVariable(power_on_name, &mark_guid, &attributes, &size,
	                                   record)) ||
	    size != POWER_ON_SIZE || (attributes & EFI_VARIABLE_NON_VOLATILE))
		return ERR_NOT_FOUND;
	return 0;
}

/* The agent reads it at run time. */
void mark_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE])
{
	struct efi_port *port = efi_port(p);
	const UINT32 attributes = EFI_VARIABLE_RUNTIME_ACCESS;

	if (efi_set_variable(port, power_on_name, &mark_guid, attributes, record, POWER_ON_SIZE))
		return;
	/* One with other attributes is in the way. */
	efi_set_variable(port, power_on_name, &mark_guid, attributes, NULL, 0);
	if (!efi_set_variable(port, power_on_name, &mark_guid, attributes, record, POWER_ON_SIZE))
		debug(1, p, "the record of this power-on cannot be kept");
}

/* The count's low word is of this power-on; reading it costs no writing (UEFI 8.5). */
static uint32_t count_resets(struct efi_port *port)
{
	UINT64 count = 0;

	if (EFI_ERROR(port->boot->GetNextMonotonicCount(&count)))
		return 0;
	return (uint32_t)(count >> 32);
}

bool mark_boot_next(struct efi_port *port, uint16_t number)
{
	struct boot_mark now = { 0 };
	uint8_t bytes[BOOT_MARK_SIZE];
	EFI_TIME time;
	UINTN size;
	void *last;
	bool again;

	if (!EFI_ERROR(port->system->RuntimeServices->GetTime(&time, NULL)))
		now.when = boot_mark_time(time.Year, time.Month, time.Day,
		                          time.Hour * 3600u + time.Minute * 60u + time.Second);
	now.resets = count_resets(port);
	last = efi_variable(port, next_name, &mark_guid, &size);
	again = boot_mark_again(last, size, &now);
	efi_free(port, last);
	debug(1, &port->platform, "BootNext: option %u, %u. time in a row, %u resets, %u",
	      (uint32_t)number, now.count, now.resets, (uint32_t)again);
	if (!again)
		return false;
	boot_mark_write(&now, bytes);
	return efi_set_variable(port, next_name, &mark_guid, EFI_VARIABLE_NON_VOLATILE, bytes,
	                        sizeof(bytes)) &&
	       efi_set_variable(port, L"BootNext", &global_guid,
	                        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_RUNTIME_ACCESS, &number,
	                        sizeof(number));
}

void mark_clear(struct efi_port *port)
{
	port->mark = efi_variable(port, next_name, &mark_guid, &port->mark_size);
	efi_set_variable(port, next_name, &mark_guid, EFI_VARIABLE_NON_VOLATILE, NULL, 0);
}

void mark_restore(struct efi_port *port)
{
	if (port->mark != NULL)
		efi_set_variable(port, next_name, &mark_guid, EFI_VARIABLE_NON_VOLATILE,
		                 port->mark, port->mark_size);
	efi_free(port, port->mark);
}
