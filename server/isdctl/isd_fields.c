/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/isd_fields.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

enum kind { FLAG, NETWORK, GUID, TEXT, ADDRESS, ADDRESSES, TIME, NUMBER, KEY };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset, size;
} fields[] = {
#define FIELD(name, kind, member) \
	{ name, kind, offsetof(struct isd, member), sizeof(((struct isd *)0)->member) }
	FIELD("just-imaged", FLAG, just_imaged),
	FIELD("device-id", GUID, device),
	FIELD("name", TEXT, name),
	FIELD("network", NETWORK, network),
	FIELD("address", ADDRESS, address),
	FIELD("mask", ADDRESS, mask),
	FIELD("gateway", ADDRESS, gateway),
	FIELD("dns-suffix", TEXT, dns_suffix),
	FIELD("dns", ADDRESSES, dns),
	FIELD("image", TEXT, image),
	FIELD("image-time", TIME, image_time),
	FIELD("image-size", NUMBER, image_size),
	FIELD("key", KEY, key),
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* What a kind of field accepts; how long a text may be differs from field to field. */
static const char *const accepted[] = {
	[FLAG] = "yes or no",
	[NETWORK] = "dhcp or static",
	[GUID] = "a GUID, or \"random\"",
	[ADDRESS] = "an IPv4 address",
	[ADDRESSES] = "at most four IPv4 addresses, separated by commas",
	[TIME] = "a time as 2026-11-21T17:05:09Z, a Unix time, or \"now\"",
	[NUMBER] = "a number of bytes",
	[KEY] = "64 hexadecimal digits, or \"random\"",
};

const char *isd_field_name(size_t index)
{
	return index < FIELD_COUNT ? fields[index].name : NULL;
}

int isd_field_find(const char *name, size_t length)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
			return (int)i;
	return -1;
}

bool isd_field_secret(size_t index)
{
	return fields[index].kind == KEY;
}

/* --- writing --------------------------------------------------------------- */

static void format_time(uint64_t when, char out[ISD_FIELD_TEXT])
{
	time_t t = (time_t)when;
	struct tm utc;

	if (!gmtime_r(&t, &utc) || !strftime(out, ISD_FIELD_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc))
		text_format(out, ISD_FIELD_TEXT, "%" PRIu64, when);
}

static bool absent(const uint8_t *at, size_t size)
{
	while (size--)
		if (*at++)
			return false;
	return true;
}

void isd_field_format(const struct isd *isd, size_t index, char out[ISD_FIELD_TEXT])
{
	const uint8_t *at = (const uint8_t *)isd + fields[index].offset;
	size_t used = 0;

	out[0] = '\0';
	/* Zeros may be an address of the list, and an absent flag means "no". */
	if (fields[index].kind != ADDRESSES && fields[index].kind != FLAG &&
	    absent(at, fields[index].size))
		return;
	switch (fields[index].kind) {
	case FLAG: text_format(out, ISD_FIELD_TEXT, "%s", *at ? "yes" : "no"); break;
	case NETWORK:
		text_format(out, ISD_FIELD_TEXT, "%s", *at == ISD_NETWORK_DHCP ? "dhcp" :
		            *at == ISD_NETWORK_STATIC ? "static" : "unknown");
		break;
	case GUID: text_format(out, ISD_FIELD_TEXT, "%pU", at); break;
	case TEXT: text_format(out, ISD_FIELD_TEXT, "%s", (const char *)at); break;
	case ADDRESS: text_format(out, ISD_FIELD_TEXT, "%pI4", at); break;
	case ADDRESSES:
		for (size_t i = 0; i < isd->dns_count; i++)
			used += text_format(out + used, ISD_FIELD_TEXT - used, "%s%pI4",
			                    i ? "," : "", isd->dns[i]);
		break;
	case TIME: format_time(isd->image_time, out); break;
	case NUMBER: text_format(out, ISD_FIELD_TEXT, "%" PRIu64, isd->image_size); break;
	case KEY:
		for (size_t i = 0; i < ISD_KEY_SIZE; i++)
			used += text_format(out + used, ISD_FIELD_TEXT - used, "%02x",
			                    (uint32_t)at[i]);
		break;
	}
}

/* --- reading --------------------------------------------------------------- */

static int parse_word(const char *text, const char *one, const char *two, uint8_t *out)
{
	if (strcmp(text, one) == 0)
		*out = 1;
	else if (strcmp(text, two) == 0)
		*out = 2;
	else
		return ERR_MALFORMED;
	return 0;
}

static int parse_time(const char *text, uint64_t *out)
{
	struct tm utc = { 0 };
	const char *end;

	if (strcmp(text, "now") == 0) {
		*out = (uint64_t)time(NULL);
		return 0;
	}
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (!end || *end)
		return text_parse_number(text, UINT64_MAX, out);
	*out = (uint64_t)timegm(&utc);
	return 0;
}

static int parse_addresses(struct isd *isd, const char *text)
{
	char copy[ISD_DNS_MAX * 20], *rest = copy, *word;

	if (strlen(text) >= sizeof(copy))
		return ERR_MALFORMED;
	strcpy(copy, text);
	while ((word = strsep(&rest, ",")) != NULL)
		if (isd->dns_count == ISD_DNS_MAX ||
		    text_parse_ipv4(word, isd->dns[isd->dns_count++]))
			return ERR_MALFORMED;
	return 0;
}

static int parse_key(const char *text, uint8_t *out, size_t size)
{
	if (strlen(text) != 2 * size || strspn(text, "0123456789abcdefABCDEF") != 2 * size)
		return ERR_MALFORMED;
	for (size_t i = 0; i < size; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return 0;
}

/* Fills @out with random bytes; a GUID is marked as made of such (RFC 9562 section 5.4). */
static int parse_random(uint8_t *out, size_t size, bool guid)
{
	if (getrandom(out, size, 0) != (ssize_t)size)
		return ERR_IO;
	if (guid) {
		out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
		out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
	}
	return 0;
}

static int parse_field(struct isd *isd, size_t index, const char *text)
{
	uint8_t *at = (uint8_t *)isd + fields[index].offset;
	size_t size = fields[index].size;
	bool random = strcmp(text, "random") == 0;
	int rc;

	memset(at, 0, size);
	if (fields[index].kind == ADDRESSES)
		isd->dns_count = 0;
	if (text[0] == '\0')
		return 0;
	switch (fields[index].kind) {
	case FLAG:
		rc = parse_word(text, "yes", "no", at);
		*at = *at == 1;
		return rc;
	case NETWORK: return parse_word(text, "dhcp", "static", at);
	case GUID: return random ? parse_random(at, size, true) : text_parse_uuid(text, at);
	case TEXT:
		if (strlen(text) >= size || !text_ok(text))
			return ERR_MALFORMED;
		memcpy(at, text, strlen(text));
		return 0;
	case ADDRESS: return text_parse_ipv4(text, at);
	case ADDRESSES: return parse_addresses(isd, text);
	case TIME: return parse_time(text, &isd->image_time);
	case NUMBER: return text_parse_number(text, UINT64_MAX, &isd->image_size);
	default: return random ? parse_random(at, size, false) : parse_key(text, at, size);
	}
}

int isd_field_parse(struct isd *isd, size_t index, const char *text,
                    char expected[ISD_FIELD_TEXT])
{
	struct isd new = *isd;
	int rc = parse_field(&new, index, text);

	if (fields[index].kind == TEXT)
		text_format(expected, ISD_FIELD_TEXT, "at most %u printable ASCII characters",
		            (uint32_t)fields[index].size - 1);
	else
		text_format(expected, ISD_FIELD_TEXT, "%s", accepted[fields[index].kind]);
	if (rc)
		return rc;
	*isd = new;
	return 0;
}
