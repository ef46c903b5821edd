/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing the jobs that words name, in one transaction, and saying what became of each. */
#include "server/ctl/noun_job_change.h"

#include <stdio.h>
#include <stdlib.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/jobs.h"

static bool was_changed(const struct job_changes *all, uint64_t device)
{
	for (size_t i = 0; i < all->done_count; i++)
		if (all->done[i].device.id == device)
			return true;
	return false;
}

/* Applies the verb to one, unless it was named before, and keeps what came of it. */
static int change_one(struct ctl *ctl, struct job_changes *all, struct job_change *one)
{
	size_t count = all->done_count;
	int status;

	if (was_changed(all, one->device.id))
		return 0;
	status = all->apply(ctl, all, one);
	if (status == JOB_SKIPPED)
		all->skipped++;
	if (status)
		return status == JOB_SKIPPED ? 0 : status;
	/* The list grows at each power of two. */
	if ((count & (count - 1)) == 0) {
		void *more = realloc(all->done, sizeof(*all->done) * (count ? 2 * count : 1));

		if (!more)
			return ctl_error(EXIT_FAULT, "not enough memory");
		all->done = more;
	}
	all->done[all->done_count++] = *one;
	return 0;
}

/* Applies it to the newest job of a device, or to the device if it has none. */
static int change_device(struct ctl *ctl, const struct device *device, void *data)
{
	struct job_changes *all = data;
	struct job_change one = { .device = *device };
	int rc = job_newest(&ctl->store, device->id, &one.old);

	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (rc)
		one.old.number = 0;
	return change_one(ctl, all, &one);
}

int job_change_words(struct ctl *ctl, struct job_changes *all, int end)
{
	int status = 0;

	for (int i = 0; status == 0 && i < end; i++) {
		const char *word = ctl->words[i];
		struct job_change one = { .session = 0 };

		all->whole = ctl_is_set(word);
		if (!ctl_is_job_number(word)) {
			status = ctl_each_device(ctl, i, i + 1, change_device, all);
			continue;
		}
		status = ctl_find_job(ctl, word, &one.device, &one.old);
		if (status == 0)
			status = change_one(ctl, all, &one);
	}
	return status;
}

/* Prints one job as an object, and several as an array. */
static int print_json(struct ctl *ctl, const struct job_changes *all)
{
	bool one = ctl->word_count == 1 && !all->whole;
	json_t *array = json_array(), *object;

	for (size_t i = 0; i < all->done_count; i++) {
		object = ctl_json_job(ctl, &all->done[i].device, &all->done[i].new);
		if (!object) {
			json_decref(array);
			return ctl_store_error(ctl);
		}
		json_array_append_new(array, object);
	}
	if (one && all->done_count == 1) {
		ctl_print_json(json_incref(json_array_get(array, 0)));
		json_decref(array);
	} else {
		ctl_print_json(array);
	}
	return 0;
}

void job_change_warn(struct ctl *ctl, const struct job_changes *all)
{
	char text[32];

	if (!all->done_count)
		return;
	text_format(text, sizeof(text), "job %" PRIu64, all->done[0].new.number);
	ctl_warn_job(ctl, text, &all->done[0].new);
}

int job_change_finish(struct ctl *ctl, struct job_changes *all, int status,
                      void (*say)(const struct job_changes *all, const struct job_change *one,
                                  char *out, size_t size), const char *skipped)
{
	char text[300];

	if (status == 0 && !all->done_count)
		status = ctl_error(EXIT_FAULT, "nothing to do: %s", skipped);
	if (status == 0 && all->skipped)
		ctl_error(0, "%zu device%s skipped: %s", all->skipped, ctl_plural(all->skipped),
		          skipped);
	if (status == 0 && ctl->json)
		status = print_json(ctl, all);
	else if (status == 0)
		for (size_t i = 0; i < all->done_count; i++) {
			say(all, &all->done[i], text, sizeof(text));
			puts(text);
		}
	free(all->done);
	return status;
}
