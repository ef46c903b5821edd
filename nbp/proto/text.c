/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/text.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

static const char digits[] = "0123456789abcdef";

static void put_text(struct wire *out, const char *text)
{
	while (*text)
		wire_write_u8(out, (uint8_t)*text++);
}

/* Writes @value in @base, padded with @fill to @width characters. */
static void put_number(struct wire *out, uint32_t value, unsigned int base, unsigned int width,
                       char fill)
{
	char reversed[10]; /* 2^32 has ten decimal digits */
	unsigned int length = 0;

	do {
		reversed[length++] = digits[value % base];
		value /= base;
	} while (value);
	for (; width > length; width--)
		wire_write_u8(out, (uint8_t)fill);
	while (length)
		wire_write_u8(out, (uint8_t)reversed[--length]);
}

/*
 * Writes a 64-bit number in decimal. It divides by hand, 16 bits at a time, since a
 * 32-bit program has no 64-bit division without the compiler's library.
 */
static void put_u64(struct wire *out, uint64_t value)
{
	char reversed[20];
	unsigned int length = 0;

	do {
		uint32_t rest = 0;

		for (int shift = 48; shift >= 0; shift -= 16) {
			uint32_t part = rest << 16 | (uint32_t)(value >> shift & 0xffff);

			value &= ~((uint64_t)0xffff << shift);
			value |= (uint64_t)(part / 10) << shift;
			rest = part % 10;
		}
		reversed[length++] = digits[rest];
	} while (value);
	while (length)
		wire_write_u8(out, (uint8_t)reversed[--length]);
}

/* Writes @count bytes in hexadecimal, with @separator before the bytes in @mask. */
static void put_hex(struct wire *out, const uint8_t *bytes, size_t count, char separator,
                    uint32_t mask)
{
	for (size_t i = 0; i < count; i++) {
		if (mask >> i & 1)
			wire_write_u8(out, (uint8_t)separator);
		put_number(out, bytes[i], 16, 2, '0');
	}
}

static void put_ipv4(struct wire *out, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			wire_write_u8(out, '.');
		put_number(out, address[i], 10, 0, ' ');
	}
}

static void put_signed(struct wire *out, int32_t value, unsigned int width)
{
	uint32_t magnitude = (uint32_t)value;

	if (value < 0) {
		wire_write_u8(out, '-');
		magnitude = 0 - magnitude;
	}
	put_number(out, magnitude, 10, width, ' ');
}

/* Writes what %p points to, by the letter after it. Returns the last character read; NULL: it is
 * none of ours. */
static const char *put_bytes(struct wire *out, const char *format, const uint8_t *bytes)
{
	switch (*format) {
	case 'M': put_hex(out, bytes, 6, ':', 0x3e); break;
	case 'U': put_hex(out, bytes, 16, '-', 0x550); break;
	case 'I': put_ipv4(out, bytes); return format + 1; /* "I4" */
	default: return NULL;
	}
	return format;
}

/*
 * The cursor cuts the text at @size: the first character that does not fit sets its
 * error, and nothing more is written.
 */
size_t text_vformat(char *buffer, size_t size, const char *format, va_list args)
{
	struct wire out = wire_writer(buffer, size ? size - 1 : 0);

	for (; *format; format++) {
		unsigned int width = 0;
		char fill = ' ';

		if (*format != '%') {
			wire_write_u8(&out, (uint8_t)*format);
			continue;
		}
		if (*++format == '0')
			fill = '0';
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + (unsigned int)(*format - '0');
		switch (*format) {
		case 's': put_text(&out, va_arg(args, const char *)); break;
		case 'u': put_number(&out, va_arg(args, uint32_t), 10, width, fill); break;
		case 'x': put_number(&out, va_arg(args, uint32_t), 16, width, fill); break;
		case 'd': put_signed(&out, va_arg(args, int32_t), width); break;
		case 'l': /* PRIu64 */
			format += sizeof(PRIu64) - 2;
			put_u64(&out, va_arg(args, uint64_t));
			break;
		case 'p':
			format = put_bytes(&out, format + 1, va_arg(args, const uint8_t *));
			if (!format)
				goto end;
			break;
		case '%': wire_write_u8(&out, '%'); break;
		default: goto end; /* not one of ours: its argument's size is unknown */
		}
	}
end:
	if (size)
		buffer[out.position] = '\0';
	return out.position;
}

size_t text_format(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = text_vformat(buffer, size, format, args);
	va_end(args);
	return length;
}

void text_clean(char *out, size_t size, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	size_t count = 0;

	if (size == 0)
		return;
	while (length && *from == ' ') {
		from++;
		length--;
	}
	for (; length && *from && count < size - 1; from++, length--)
		out[count++] = *from >= 0x20 && *from < 0x7f ? (char)*from : '?';
	while (count && out[count - 1] == ' ')
		count--;
	out[count] = '\0';
}

int text_ok(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return 0;
	return 1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Reads exactly @count bytes of hexadecimal from @text of @length characters.
 * @separator (0: none) must stand before the bytes in @mask, and nowhere else.
 */
static int read_hex(const char *text, size_t length, uint8_t *out, size_t count, char separator,
                    uint32_t mask)
{
	struct wire in = wire_reader(text, length);
	uint8_t bytes[16];

	for (size_t i = 0; i < count; i++) {
		int high, low;

		if (separator && mask >> i & 1 && wire_read_u8(&in) != (uint8_t)separator)
			return ERR_MALFORMED;
		high = hex_digit((char)wire_read_u8(&in));
		low = hex_digit((char)wire_read_u8(&in));
		if (high < 0 || low < 0)
			return ERR_MALFORMED;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (in.error || wire_left(&in))
		return ERR_MALFORMED;
	memcpy(out, bytes, count);
	return 0;
}

/* Reads bytes with colons between them and without leading zeros: 52:54:0:12:34:8. */
static int read_short_mac(const char *text, uint8_t mac[6])
{
	uint8_t bytes[6];

	for (int i = 0; i < 6; i++) {
		int high = hex_digit(*text), low;

		if (high < 0)
			return ERR_MALFORMED;
		low = hex_digit(*++text);
		bytes[i] = (uint8_t)(low < 0 ? high : high << 4 | low);
		text += low >= 0;
		if (*text++ != (i < 5 ? ':' : '\0'))
			return ERR_MALFORMED;
	}
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
}

int text_parse_mac(const char *text, uint8_t mac[6])
{
	static const struct {
		size_t length;
		char separator;
		uint32_t mask;
	} spellings[] = {
		{ 17, ':', 0x3e }, { 17, '-', 0x3e }, { 17, ' ', 0x3e }, { 14, '.', 0x14 },
		{ 14, '-', 0x14 }, { 12, 0, 0 },
	};
	size_t length = strlen(text);

	if (length == 14 && text[0] == '0' && (text[1] | 0x20) == 'x')
		return read_hex(text + 2, 12, mac, 6, 0, 0);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (spellings[i].length == length &&
		    read_hex(text, length, mac, 6, spellings[i].separator, spellings[i].mask) == 0)
			return 0;
	return read_short_mac(text, mac);
}

int text_parse_uuid(const char *text, uint8_t uuid[16])
{
	static const char urn[] = "urn:uuid:";
	size_t length = strlen(text);

	if (length > sizeof(urn) - 1 && memcmp(text, urn, sizeof(urn) - 1) == 0) {
		text += sizeof(urn) - 1;
		length -= sizeof(urn) - 1;
	} else if (length > 2 && text[0] == '{' && text[length - 1] == '}') {
		text++;
		length -= 2;
	}
	if (length == 32)
		return read_hex(text, length, uuid, 16, 0, 0);
	return read_hex(text, length, uuid, 16, '-', 0x550);
}

int text_parse_ipv4(const char *text, uint8_t address[4])
{
	uint8_t bytes[4];

	for (int i = 0; i < 4; i++) {
		unsigned int value = 0, length = 0;

		if (i && *text++ != '.')
			return ERR_MALFORMED;
		for (; *text >= '0' && *text <= '9' && length < 4; text++, length++)
			value = value * 10 + (unsigned int)(*text - '0');
		if (length == 0 || length > 3 || value > 255)
			return ERR_MALFORMED;
		bytes[i] = (uint8_t)value;
	}
	if (*text)
		return ERR_MALFORMED;
	memcpy(address, bytes, sizeof(bytes));
	return 0;
}

int text_parse_number(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return ERR_MALFORMED;
	for (; *text; text++) {
		uint32_t digit = (uint32_t)(uint8_t)*text - '0';

		if (digit > 9 || value > UINT64_MAX / 10 || value * 10 > UINT64_MAX - digit)
			return ERR_MALFORMED;
		value = value * 10 + digit;
	}
	if (value > max)
		return ERR_MALFORMED;
	*number = value;
	return 0;
}
