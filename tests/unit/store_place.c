/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/store_place.h"

#include <dirent.h>
#include <unistd.h>

const struct store_options create = { .create = true, .busy_timeout_ms = 100 };

int place_set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->folder, "/tmp/preboot-store-XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	/* With what a URI would take for its own. */
	snprintf(place->path, sizeof(place->path), "%s/a?b#%%41.db", place->folder);
	*state = place;
	return 0;
}

size_t count_files(const struct place *place, bool remove)
{
	DIR *folder = opendir(place->folder);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (remove)
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	return count;
}

int place_tear_down(void **state)
{
	struct place *place = *state;

	count_files(place, true);
	rmdir(place->folder);
	free(place);
	return 0;
}
