/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzzer's entry point over a corpus, without libFuzzer: fuzz_NAME
 * [FILE|FOLDER...], by default tests/fuzz/corpus/NAME. Prints TAP: one test a
 * folder or file, and each input's name before it is tried, so that the last one
 * printed is the one that failed.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1 << 20)

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *whole = malloc(INPUT_MAX), *input;
	size_t size;

	printf("# %s\n", path);
	fflush(stdout);
	if (!file) {
		perror(path);
		free(whole);
		return -1;
	}
	size = fread(whole, 1, INPUT_MAX, file);
	fclose(file);
	/* Of exactly its size, so that a step past the end is seen. */
	input = malloc(size);
	memcpy(input, whole, size);
	free(whole);
	LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many inputs there were, or -1. */
static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, by_name), rc = 0;

	if (count < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
			abort();
		if (replay_file(path) != 0)
			rc = -1;
		free(path);
		free(entries[i]);
	}
	free(entries);
	return rc ? rc : count;
}

static int replay(int number, const char *path)
{
	struct stat status;
	bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
	int count = folder ? replay_folder(path) : replay_file(path) == 0 ? 1 : -1;

	if (count > 0)
		printf("ok %d - %s, inputs: %d\n", number, path, count);
	else
		printf("not ok %d - %s: nothing to try, or not readable\n", number, path);
	return count > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *name = strchr(basename(argv[0]), '_');
	int failed = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (argc < 2 && name) {
		char *corpus;

		if (asprintf(&corpus, "tests/fuzz/corpus/%s", name + 1) < 0)
			abort();
		failed = replay(1, corpus);
		free(corpus);
	}
	for (int i = 1; i < argc; i++)
		failed |= replay(i, argv[i]);
	printf("1..%d\n", argc > 1 ? argc - 1 : 1);
	return failed;
}
