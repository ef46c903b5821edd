/* SPDX-License-Identifier: BSD-2-Clause */
/* What machines report of the facts that filters compare. */
#include "server/filter/filter_facts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"

size_t fact_digits(const struct fact *fact)
{
	return fact->size ? 2u * fact->size : 8;
}

int fact_address(const char *text, bool network, struct fact_address *address)
{
	const char *slash = network ? strchr(text, '/') : NULL;
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN], *end;
	unsigned long bits;

	if (length >= sizeof(host))
		return ERR_MALFORMED;
	memcpy(host, text, length);
	host[length] = '\0';
	memset(address, 0, sizeof(*address));
	address->bits = 128;
	if (inet_pton(AF_INET, host, address->bytes + 12) == 1)
		memset(address->bytes + 10, 0xff, 2);
	else if (inet_pton(AF_INET6, host, address->bytes) != 1)
		return ERR_MALFORMED;
	if (!slash)
		return 0;
	if (slash[1] < '0' || slash[1] > '9')
		return ERR_MALFORMED;
	bits = strtoul(slash + 1, &end, 10);
	if (*end || bits > (strchr(host, ':') ? 128u : 32u))
		return ERR_MALFORMED;
	address->bits = (uint8_t)(strchr(host, ':') ? bits : 96 + bits);
	return 0;
}

/* --- what a request reports ------------------------------------------------- */

static uint64_t disk_bytes(const struct disk *disk)
{
	uint64_t bytes;

	return __builtin_mul_overflow(disk->sectors, disk->sector_size, &bytes) ? UINT64_MAX
		: bytes;
}

static uint64_t read_disks(const struct fact *fact, const struct request *r)
{
	uint64_t largest = 0;

	if (r->disk_count == 0)
		return 0;
	switch (fact->offset) {
	case OTHER_DISKS: return r->disk_count;
	case OTHER_DISK_BYTES: return disk_bytes(&r->disks[0]);
	case OTHER_DISK_KIND: return r->disks[0].kind;
	case OTHER_SECTORS: return r->disks[0].sectors;
	}
	for (size_t i = 0; i < r->disk_count && i < DISKS_MAX; i++)
		if (disk_bytes(&r->disks[i]) > largest)
			largest = disk_bytes(&r->disks[i]);
	return largest;
}

static uint64_t read_number(const struct fact *fact, const struct request *r)
{
	const uint8_t *at = (const uint8_t *)r + fact->offset;
	uint64_t number;

	switch (fact->size) {
	case 0: return read_disks(fact, r);
	case 1: number = *at; break;
	case 2: number = *(const uint16_t *)at; break;
	case 4: number = *(const uint32_t *)at; break;
	default: number = *(const uint64_t *)at;
	}
	if (fact->offset == offsetof(struct request, installed_mib) && number == 0)
		number = r->memory_mib;
	return fact->kind == FACT_MEMORY ? number << 20 : number;
}

/* What is absent is zero; with a choice, unless that is one of its values. */
static bool number_is_known(const struct fact *fact, const struct request *r, uint64_t number)
{
	if (fact->offset == offsetof(struct request, isd_just_imaged))
		return r->isd_state == ISD_VALID;
	for (const struct fact_choice *c = fact->choices; c && c->name; c++)
		if (c->number == 0)
			return true;
	return number != 0 || (fact->size == 0 && fact->offset == OTHER_DISKS);
}

static void read_digits(const struct fact *fact, const struct request *r, struct fact_value *value)
{
	const uint8_t *at = (const uint8_t *)r + fact->offset;
	char *out = value->digits;

	if (fact->size == 0 || fact->size == 2) {
		bool vendor = fact->offset == offsetof(struct request, nic_vendor);

		value->known = r->nic_vendor != 0;
		if (fact->size == 0)
			text_format(out, DIGITS_MAX + 1, "%04x%04x", (uint32_t)r->nic_vendor,
			            (uint32_t)r->nic_device);
		else
			text_format(out, DIGITS_MAX + 1, "%04x",
			            (uint32_t)(vendor ? r->nic_vendor : r->nic_device));
		return;
	}
	value->known = !all_zero(at, fact->size);
	for (size_t i = 0; i < fact->size; i++)
		out += text_format(out, 3, "%02x", (uint32_t)at[i]);
}

static void read_text(const struct fact *fact, const struct subject *subject,
                      struct fact_value *value)
{
	const struct request *r = subject->request;

	if (fact->size == 0)
		value->text = subject->name ? subject->name : "";
	else if (r)
		value->text = (const char *)r + fact->offset;
	/* That there is no name, or no last image, is known; other texts are just missing. */
	value->known = value->text[0] || fact->size == 0 ||
	              (r && fact->offset == offsetof(struct request, isd_image) &&
	               r->isd_state != ISD_NOT_READ);
}

void fact_read(const struct fact *fact, const struct subject *subject, struct fact_value *value)
{
	const struct request *r = subject->request;

	value->known = false;
	value->number = 0;
	value->text = value->digits;
	value->digits[0] = '\0';
	if (fact->kind == FACT_TEXT) {
		read_text(fact, subject, value);
	} else if (fact->kind == FACT_ADDRESS) {
		value->text = subject->address ? subject->address : "";
		value->known = fact_address(value->text, false, &value->address) == 0;
	} else if (r && fact->kind == FACT_DIGITS) {
		read_digits(fact, r, value);
	} else if (r) {
		value->number = read_number(fact, r);
		value->known = number_is_known(fact, r, value->number);
	}
}

/* --- for people -------------------------------------------------------------- */

static const char *choice_name(const struct fact *fact, uint64_t number)
{
	for (const struct fact_choice *c = fact->choices; c->name; c++)
		if (c->number == number)
			return c->name;
	return NULL;
}

/* Digits as they are usually written: 52:54:00:12:34:56, 8086:100e, or a UUID's groups. */
static void show_digits(const char *digits, char *out, size_t size)
{
	const char *d = digits;

	switch (strlen(digits)) {
	case 8:
		snprintf(out, size, "it is %.4s:%s", d, d + 4);
		break;
	case 12:
		snprintf(out, size, "it is %.2s:%.2s:%.2s:%.2s:%.2s:%s", d, d + 2, d + 4, d + 6,
		         d + 8, d + 10);
		break;
	case 32:
		snprintf(out, size, "it is %.8s-%.4s-%.4s-%.4s-%s", d, d + 8, d + 12, d + 16,
		         d + 20);
		break;
	default:
		snprintf(out, size, "it is %s", d);
	}
}

void fact_show(const struct fact *fact, const struct fact_value *value, char *out, size_t size)
{
	const char *name = fact->kind == FACT_CHOICE ? choice_name(fact, value->number) : NULL;
	const char *text = value->text;

	if (!value->known)
		snprintf(out, size, "unknown");
	else if (name)
		snprintf(out, size, "it is %s", name);
	else if (fact->kind == FACT_NUMBER || fact->kind == FACT_CHOICE)
		snprintf(out, size, "it is %llu", (unsigned long long)value->number);
	else if (fact->kind == FACT_MEMORY || fact->kind == FACT_SIZE)
		snprintf(out, size, "it is %llu MiB", (unsigned long long)value->number >> 20);
	else if (fact->kind == FACT_TEXT && !text[0])
		snprintf(out, size, "there is none");
	else if (fact->kind == FACT_TEXT)
		snprintf(out, size, "it is \"%s\"", text);
	else if (fact->kind == FACT_DIGITS)
		show_digits(text, out, size);
	else
		snprintf(out, size, "it is %s", text);
}
