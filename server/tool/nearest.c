/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/tool/nearest.h"

#include <string.h>

#define WORD_MAX 24 /* characters; no name is longer */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Counts the letters to add, drop, change or swap with the next one to make @b of @a. */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1], m = strlen(a), n = strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= m; i++) {
		for (size_t j = 0; j <= n; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = smaller(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
			                  smaller(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[m][n];
}

const char *nearest_name(const char *word, const char *(*name_at)(const void *data, size_t index),
                         const void *data)
{
	size_t nearest = strlen(word) < 5 ? 1 : 2;
	const char *name, *found = NULL;

	for (size_t i = 0; (name = name_at(data, i)) != NULL; i++) {
		size_t far = name[0] ? distance(word, name) : WORD_MAX;

		if (far > nearest)
			continue;
		found = far == nearest && found ? NULL : name;
		nearest = far;
	}
	return found;
}
