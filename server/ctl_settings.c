/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ctl_verbs.h"
#include "error.h"
#include "settings.h"

/* --- show ------------------------------------------------------------------ */

static const char *const levels[] = {
	[LEVEL_DEFAULT] = "default", [LEVEL_ZONE] = "zone", [LEVEL_FOLDER] = "folder",
	[LEVEL_DEVICE] = "device",
};

static struct setting_owner owner_of(const struct device *device)
{
	struct setting_owner owner = { device->id ? LEVEL_DEVICE : LEVEL_ZONE, device->id };

	return owner;
}

static int show(struct ctl *ctl, const struct device *device)
{
	struct table table = { .columns = 3 };
	struct setting_owner owner = owner_of(device), from;
	json_t *object = json_object();
	char value[SETTING_TEXT];

	table_add(&table, "SETTING", "VALUE", "FROM");
	for (size_t i = 0; setting_key(i); i++) {
		if (setting_read(&ctl->store, &owner, i, value, &from))
			return ctl_store_error(ctl);
		table_add(&table, setting_key(i), value, levels[from.level]);
		json_object_set_new(object, setting_key(i),
		                    json_pack("{s:s, s:s}", "value", value, "from",
		                              levels[from.level]));
	}
	if (ctl->json)
		ctl_print_json(json_incref(object));
	else
		table_print(&table);
	json_decref(object);
	return 0;
}

int ctl_settings_show(struct ctl *ctl)
{
	struct device device = { 0 };
	int status = ctl->word_count ? ctl_find_device(ctl, ctl->words[0], &device) : 0;

	return status ? status : show(ctl, &device);
}

/* --- set and unset --------------------------------------------------------- */

static int find_setting(const char *word, size_t length, size_t *index)
{
	char key[64];
	int found = -1;

	if (length < sizeof(key)) {
		snprintf(key, sizeof(key), "%.*s", (int)length, word);
		found = setting_find(key);
	}
	if (found < 0)
		return ctl_error(EXIT_USAGE, "%.*s: no such setting; \"prebootctl settings show\" "
		                 "lists them", (int)length, word);
	*index = (size_t)found;
	return 0;
}

static int set_one(struct ctl *ctl, const struct device *device, const char *word)
{
	const char *equals = strchr(word, '=');
	struct setting_owner owner = owner_of(device);
	struct settings unused;
	size_t index;
	int status;

	if (!equals)
		return ctl_error(EXIT_USAGE, "%s: expected KEY=VALUE", word);
	status = find_setting(word, (size_t)(equals - word), &index);
	if (status)
		return status;
	if (setting_parse(index, equals + 1, &unused))
		return ctl_error(EXIT_USAGE, "%s: expected %s", word, setting_takes(index));
	if (!setting_at(index, owner.level))
		return ctl_error(EXIT_USAGE, "%s: can only be set for the whole zone, without a "
		                 "device", setting_key(index));
	if (setting_write(&ctl->store, &owner, index, equals + 1))
		return ctl_store_error(ctl);
	return 0;
}

static int unset_one(struct ctl *ctl, const struct device *device, const char *word)
{
	struct setting_owner owner = owner_of(device);
	size_t index;
	int rc, status = find_setting(word, strlen(word), &index);

	if (status)
		return status;
	rc = setting_write(&ctl->store, &owner, index, NULL);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not set for %s", word,
		                 device->id ? device->name : "the zone");
	return rc ? ctl_store_error(ctl) : 0;
}

/* Does all of it or nothing. @first: the first word after the device, if there is one */
static int change(struct ctl *ctl, struct device *device, int first,
                  int (*one)(struct ctl *ctl, const struct device *device, const char *word))
{
	int status = first ? ctl_find_device(ctl, ctl->words[0], device) : 0;

	if (status == 0 && first == ctl->word_count)
		status = ctl_error(EXIT_USAGE, "%s: what of it? \"prebootctl settings set --help\" "
		                   "lists the settings", ctl->words[0]);
	for (int i = first; status == 0 && i < ctl->word_count; i++)
		status = one(ctl, device, ctl->words[i]);
	if (status == 0 && store_commit(&ctl->store))
		status = ctl_store_error(ctl);
	return status;
}

static int change_all(struct ctl *ctl, int first,
                      int (*one)(struct ctl *ctl, const struct device *device,
                                 const char *word))
{
	struct device device = { 0 };
	int status;

	if (store_begin(&ctl->store))
		return ctl_store_error(ctl);
	status = change(ctl, &device, first, one);
	store_rollback(&ctl->store);
	if (status == 0 && ctl->json)
		status = show(ctl, &device);
	return status;
}

int ctl_settings_set(struct ctl *ctl)
{
	return change_all(ctl, strchr(ctl->words[0], '=') ? 0 : 1, set_one);
}

int ctl_settings_unset(struct ctl *ctl)
{
	return change_all(ctl, setting_find(ctl->words[0]) >= 0 ? 0 : 1, unset_one);
}
