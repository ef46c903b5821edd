/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "tests/unit/vector.h"

static const char *const specifications[] = { "nbp/protocol.md", "nbp/image-safe-data.md" };

struct bytes {
	uint8_t *data;
	size_t length, size;
};

static void append(struct bytes *out, unsigned int byte, size_t times)
{
	assert_true(times <= out->size - out->length);
	memset(out->data + out->length, (int)byte, times);
	out->length += times;
}

static void read_line(const char *line, struct bytes *out)
{
	for (; *line && *line != '#'; line++) {
		unsigned int byte, times;

		if (*line == ' ' || *line == '\n')
			continue;
		if (sscanf(line, "%2x*%u", &byte, &times) == 2) {
			append(out, byte, times);
			line += strcspn(line, " \n#") - 1;
		} else {
			assert_int_equal(sscanf(line, "%2x", &byte), 1);
			append(out, byte, 1);
			line++;
		}
	}
}

size_t read_hex(const char *line, uint8_t *out, size_t size)
{
	struct bytes bytes = { out, 0, size };

	read_line(line, &bytes);
	return bytes.length;
}

/* Returns the length of the vector in the document at @path; 0 if it has none of that name. */
static size_t read_vector_of(const char *path, const char *name, uint8_t *out, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[512], heading[64];
	struct bytes bytes = { out, 0, size };
	int found = 0, inside = 0;

	assert_non_null(file);
	snprintf(heading, sizeof(heading), "Vector: %s\n", name);
	while (fgets(line, sizeof(line), file)) {
		if (!found)
			found = strstr(line, heading) != NULL;
		else if (!inside)
			inside = strcmp(line, "```hex\n") == 0;
		else if (strcmp(line, "```\n") == 0)
			break;
		else
			read_line(line, &bytes);
	}
	fclose(file);
	return bytes.length;
}

size_t read_vector(const char *name, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < sizeof(specifications) / sizeof(specifications[0]); i++) {
		size_t length = read_vector_of(specifications[i], name, out, size);

		if (length)
			return length;
	}
	fail_msg("no vector named %s in nbp/protocol.md or nbp/image-safe-data.md", name);
	return 0;
}
