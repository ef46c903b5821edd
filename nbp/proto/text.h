/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_TEXT_H
#define NBP_PROTO_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* <inttypes.h> has this one, which no freestanding program may rely on. */
#ifndef PRIu64
#if __SIZEOF_LONG__ == 8
#define PRIu64 "lu"
#else
#define PRIu64 "llu"
#endif
#endif

/* The compiler checks arguments, from number @first on, against the format, which is number @at. */
#define TEXT_FORMAT(at, first) __attribute__((format(printf, at, first)))

/**
 * Formats into @buffer of @size bytes, always NUL-terminated, cut to fit.
 * It knows only: %s, %u and %x (uint32_t), %d (int), "%" PRIu64, %pI4 (const uint8_t[4],
 * an IPv4 address), %pM (const uint8_t[6], a MAC address), %pU (const uint8_t[16], a
 * UUID), %%; %u, %d and %x take a width, padded with blanks, or with zeros if the
 * width begins with 0. The extensions of %p are written as in Linux's printk().
 * Returns the length written, without the NUL.
 */
size_t text_format(char *buffer, size_t size, const char *format, ...) TEXT_FORMAT(3, 4);
size_t text_vformat(char *buffer, size_t size, const char *format, va_list args) TEXT_FORMAT(3, 0);

/**
 * Copies @length bytes of foreign text to @out of @size bytes: stops at a NUL,
 * writes '?' for bytes that are not printable ASCII, drops blanks at both ends,
 * cuts to fit. @out is always NUL-terminated.
 */
void text_clean(char *out, size_t size, const void *bytes, size_t length);

/** Says whether @text is printable ASCII throughout; the empty string is. */
int text_ok(const char *text);

/**
 * Reads a MAC address in any usual spelling: 52:54:00:12:34:56,
 * 52-54-00-12-34-56, 52 54 00 12 34 56, 52:54:0:12:34:56, 5254.0012.3456,
 * 5254-0012-3456, 525400123456 or 0x525400123456, either case.
 * Returns 0 or ERR_MALFORMED; then @mac is unchanged.
 */
int text_parse_mac(const char *text, uint8_t mac[6]);

/**
 * Reads a UUID: 8-4-4-4-12 hexadecimal digits or 32 of them, either case,
 * optionally in braces or after "urn:uuid:".
 * Returns 0 or ERR_MALFORMED; then @uuid is unchanged.
 */
int text_parse_uuid(const char *text, uint8_t uuid[16]);

/** Reads a dotted IPv4 address. Returns 0 or ERR_MALFORMED. */
int text_parse_ipv4(const char *text, uint8_t address[4]);

/**
 * Reads a number of decimal digits alone, up to @max.
 * Returns 0 or ERR_MALFORMED; then @number is unchanged.
 */
int text_parse_number(const char *text, uint64_t max, uint64_t *number);

#endif
