/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_text.h"

#include "nbp/proto/memory.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct span menu_text_trim(struct span span)
{
	while (span.length && is_blank(*span.data)) {
		span.data++;
		span.length--;
	}
	while (span.length && is_blank(span.data[span.length - 1]))
		span.length--;
	return span;
}

struct span menu_text_line(const char *text, size_t length, size_t offset)
{
	struct span line = { (const uint8_t *)text + offset, 0 };

	while (offset + line.length < length && line.data[line.length] != '\n')
		line.length++;
	return menu_text_trim(line);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool menu_text_same(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool menu_text_is(struct span span, const char *word)
{
	return menu_text_same(span, (struct span){ (const uint8_t *)word, strlen(word) });
}

int menu_text_find(struct span span, const char *words)
{
	for (int i = 0; *words; i++) {
		if (menu_text_is(span, words))
			return i;
		words += strlen(words) + 1;
	}
	return -1;
}

/* Says whether @field is "password HASH"; if so, @hash receives the hash. */
static bool is_password(struct span field, struct span *hash)
{
	struct span word = { field.data, sizeof("password") - 1 };

	if (field.length <= word.length || !is_blank(field.data[word.length]) ||
	    !menu_text_is(word, "password"))
		return false;
	field.data += word.length;
	field.length -= word.length;
	*hash = menu_text_trim(field);
	return true;
}

void menu_text_split(struct span line, struct menu_text_fields *fields)
{
	memset(fields, 0, sizeof(*fields));
	for (size_t i = 0; i < MENU_TEXT_FIELDS_MAX; i++)
		fields->at[i].data = line.data + line.length;
	for (size_t end = 0;; line.data += end + 1, line.length -= end + 1) {
		struct span field;
		bool quoted = false;

		for (end = 0; end < line.length && (quoted || line.data[end] != ';'); end++)
			quoted ^= line.data[end] == '"';
		field = menu_text_trim((struct span){ line.data, end });
		if (quoted || fields->count == MENU_TEXT_FIELDS_MAX)
			fields->surplus = field.data;
		if (fields->surplus)
			return;
		if (end == line.length && fields->count > 1 &&
		    is_password(field, &fields->password))
			return;
		if (field.length > 1 && *field.data == '"' && field.data[field.length - 1] == '"') {
			field.data++;
			field.length -= 2;
		}
		fields->at[fields->count++] = field;
		if (end == line.length)
			return;
	}
}
