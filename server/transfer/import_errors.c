/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/import_errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 4096

/* Returns the pair of a kind: how many are kept, and where the last one is. */
static json_t *kind_pair(struct import_errors *errors, const char *kind)
{
	json_t *pair;

	if (!errors->kinds)
		errors->kinds = json_object();
	pair = json_object_get(errors->kinds, kind);
	if (pair)
		return pair;
	pair = json_pack("[i, i]", 0, 0);
	json_object_set_new_nocheck(errors->kinds, kind, pair);
	return pair;
}

bool import_errors_count(struct import_errors *errors, bool warning, const char *kind, size_t alike)
{
	json_t *pair = kind_pair(errors, kind);
	size_t kept = (size_t)json_integer_value(json_array_get(pair, 0));

	if (warning)
		errors->warnings++;
	else
		errors->errors++;
	if (kept >= alike) {
		errors->list[json_integer_value(json_array_get(pair, 1))].more++;
		return false;
	}
	if (errors->max && errors->count == errors->max) {
		errors->dropped++;
		return false;
	}
	/* The list grows at each power of two. */
	if ((errors->count & (errors->count - 1)) == 0) {
		size_t size = errors->count ? 2 * errors->count : 1;
		struct import_error *more = realloc(errors->list, sizeof(*more) * size);

		if (!more) {
			errors->dropped++;
			return false;
		}
		errors->list = more;
	}
	json_array_set_new(pair, 0, json_integer((json_int_t)kept + 1));
	json_array_set_new(pair, 1, json_integer((json_int_t)errors->count));
	errors->list[errors->count] = (struct import_error){
		.warning = warning, .number = errors->count,
	};
	errors->count++;
	return true;
}

void import_errors_keep(struct import_errors *errors, size_t line, size_t column,
                        const char *format, va_list args)
{
	struct import_error *error = &errors->list[errors->count - 1];
	char text[TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	error->line = line;
	error->column = column;
	error->text = strdup(text);
}

static int compare_errors(const void *left, const void *right)
{
	const struct import_error *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

void import_errors_sort(struct import_errors *errors)
{
	if (errors->count)
		qsort(errors->list, errors->count, sizeof(errors->list[0]), compare_errors);
}

void import_errors_free(struct import_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->list[i].text);
	free(errors->list);
	json_decref(errors->kinds);
	memset(errors, 0, sizeof(*errors));
}
