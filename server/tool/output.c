/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/tool/output.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESCAPED_MAX 12 /* bytes that one byte or character becomes at most */

struct stream {
	int fd;
	FILE *plain, *before;   /* what writes to this structure; the stream that it replaces */
	uint8_t part[4];        /* of a character that is not whole yet */
	size_t part_length;
	char *kept;             /* bytes that are not written to fd yet */
	size_t length, size;
	bool failed;
};

/* One structure for the process, which has one stdout and one stderr, too. */
static struct {
	struct stream out, err;
	bool (*busy)(void *context);
	void *context;
	bool json;
} output = { .out.fd = STDOUT_FILENO, .err.fd = STDERR_FILENO };

/* --- characters ------------------------------------------------------------ */

/* How many bytes a character has, by its first; 0: none begins so. */
static size_t sequence_length(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 :
	       first < 0xf5 ? 4 : 0;
}

/*
 * Decodes a character of the @length bytes at @at. Returns how many bytes it has, 0 if they are
 * the beginning of one and more must come; *@code is UINT32_MAX where it is none.
 */
static size_t decode_character(const uint8_t *at, size_t length, uint32_t *code)
{
	size_t size = sequence_length(at[0]);

	*code = UINT32_MAX;
	if (size <= 1) {
		if (size)
			*code = at[0];
		return 1;
	}
	for (size_t i = 1; i < size; i++) {
		if (i == length)
			return 0;
		if ((at[i] & 0xc0) != 0x80)
			return 1;
	}
	*code = at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++)
		*code = *code << 6 | (at[i] & 0x3f);
	/* An overlong sequence, half a surrogate pair, a number above the last: no character. */
	if ((size == 3 && *code < 0x800) || (size == 4 && *code < 0x10000) ||
	    (*code >= 0xd800 && *code < 0xe000) || *code > 0x10ffff) {
		*code = UINT32_MAX;
		return 1;
	}
	return size;
}

/* Controls of terminals, and what turns the order of characters round. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == UINT32_MAX;
}

/* Writes a character of @size bytes, or what stands for it; at most ESCAPED_MAX bytes. */
static size_t escape_character(const uint8_t *at, size_t size, uint32_t code, bool json, char *out)
{
	size_t used = 0;

	if (!is_control(code)) {
		memcpy(out, at, size);
		return size;
	}
	if (json)
		return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\u%04x",
		                        code == UINT32_MAX ? 0xfffdu : (unsigned int)code);
	while (size--)
		used += (size_t)snprintf(out + used, 5, "\\x%02x", *at++);
	return used;
}

unsigned long output_escape(const char *text, char *out, unsigned long size)
{
	size_t left = strlen(text), used = 0;
	char one[ESCAPED_MAX + 5];

	while (left) {
		uint32_t code;
		size_t taken = decode_character((const uint8_t *)text, left, &code), length;

		taken = taken ? taken : 1;
		length = escape_character((const uint8_t *)text, taken, code, false, one);
		if (used + length + 1 > size)
			break;
		memcpy(out + used, one, length);
		used += length;
		text += taken;
		left -= taken;
	}
	if (size)
		out[used] = '\0';
	return used;
}

/* --- streams --------------------------------------------------------------- */

static void keep(struct stream *s, const char *bytes, size_t length)
{
	if (s->length + length > s->size) {
		size_t size = 2 * (s->size + length);
		char *more = realloc(s->kept, size);

		if (!more) {
			s->failed = true;
			return;
		}
		s->kept = more;
		s->size = size;
	}
	memcpy(s->kept + s->length, bytes, length);
	s->length += length;
}

static void write_kept(struct stream *s)
{
	for (size_t at = 0; at < s->length;) {
		ssize_t written = write(s->fd, s->kept + at, s->length - at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			s->failed = true;
			break;
		}
		at += (size_t)written;
	}
	s->length = 0;
}

/* Line ends and tabs are kept as they are: programs print them to lay out their text. */
static void keep_character(struct stream *s, const uint8_t *at, size_t size, uint32_t code)
{
	char one[ESCAPED_MAX + 5];
	bool json = output.json && s == &output.out;

	if (code == '\n' || code == '\t')
		keep(s, (const char *)at, 1);
	else
		keep(s, one, escape_character(at, size, code, json, one));
}

static void keep_part(struct stream *s)
{
	for (size_t i = 0; i < s->part_length; i++)
		keep_character(s, s->part + i, 1, UINT32_MAX);
	s->part_length = 0;
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t length)
{
	struct stream *s = cookie;
	const uint8_t *at = (const uint8_t *)bytes, *end = at + length;

	while (at < end) {
		uint32_t code;
		size_t size;

		if (s->part_length == 0 &&
		    (size = decode_character(at, (size_t)(end - at), &code)) != 0) {
			keep_character(s, at, size, code);
			at += size;
			continue;
		}
		/* Characters that come in pieces are put together first. */
		s->part[s->part_length++] = *at++;
		size = decode_character(s->part, s->part_length, &code);
		if (size == 0)
			continue;
		if (size < s->part_length) {
			/* The last byte does not belong to it. */
			s->part_length--;
			at--;
			keep_part(s);
			continue;
		}
		keep_character(s, s->part, size, code);
		s->part_length = 0;
	}
	if (!output.busy || !output.busy(output.context))
		write_kept(s);
	/* stdio reports a failure only once it is asked to write on. */
	return s->failed ? 0 : (ssize_t)length;
}

static void start_stream(struct stream *s, FILE **where, int mode)
{
	static const cookie_io_functions_t functions = { .write = stream_write };

	s->plain = fopencookie(s, "w", functions);
	if (!s->plain)
		return;
	setvbuf(s->plain, NULL, mode, mode == _IONBF ? 0 : BUFSIZ);
	fflush(*where);
	s->before = *where;
	*where = s->plain;
}

static void stop_stream(struct stream *s, FILE **where)
{
	if (!s->plain)
		return;
	fflush(s->plain);
	keep_part(s);
	write_kept(s);
	*where = s->before;
	fclose(s->plain);
	s->plain = NULL;
	free(s->kept);
	s->kept = NULL;
	s->size = 0;
}

void output_start(int which, bool (*busy)(void *context), void *context)
{
	static bool once;

	output.busy = busy;
	output.context = context;
	if (which & OUTPUT_STDOUT)
		start_stream(&output.out, &stdout, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	if (which & OUTPUT_STDERR)
		start_stream(&output.err, &stderr, _IONBF);
	if (!once)
		atexit(output_stop);
	once = true;
}

void output_json(void)
{
	output.json = true;
}

int output_flush(void)
{
	int rc = fflush(stdout) || ferror(stdout);

	if (output.err.plain)
		write_kept(&output.err);
	if (output.out.plain)
		write_kept(&output.out);
	return rc || output.out.failed ? -1 : 0;
}

void output_stop(void)
{
	stop_stream(&output.err, &stderr);
	stop_stream(&output.out, &stdout);
}

void output_vline(const char *name, const char *format, va_list args)
{
	char text[4096], line[4 * sizeof(text)];

	vsnprintf(text, sizeof(text), format, args);
	output_escape(text, line, sizeof(line));
	fprintf(stderr, "%s%s%s\n", name ? name : "", name ? ": " : "", line);
}

void output_line(const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vline(name, format, args);
	va_end(args);
}
