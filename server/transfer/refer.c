/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/refer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/assignments.h"

/* What can be referred to by one name. */
static const struct {
	enum data_kind kind;
	const char *word;
	enum store_table table;
} things[] = {
	{ DATA_FOLDER, "folder", TABLE_FOLDER },
	{ DATA_GROUP, "group", TABLE_GROUP },
	{ DATA_DEVICE, "device", TABLE_DEVICE },
	{ DATA_BUNDLE, "bundle", TABLE_BUNDLE },
	{ DATA_SOURCE, "rule", TABLE_RULE },
	{ DATA_SOURCE, "multicast", TABLE_SESSION },
};
#define THINGS (sizeof(things) / sizeof(things[0]))

bool data_refers(enum data_kind kind)
{
	return kind >= DATA_FOLDER || kind == DATA_PATH;
}

static int find_thing(struct store *store, size_t thing, const char *name, int64_t *id,
                char message[DATA_MESSAGE])
{
	int rc = table_find(store, things[thing].table, name, id);

	if (rc)
		snprintf(message, DATA_MESSAGE, "there is no %s %.130s", things[thing].word, name);
	return rc == ERR_NOT_FOUND ? ERR_MALFORMED : rc;
}

static int find_kind(struct store *store, enum data_kind kind, const char *name, int64_t *id,
                     char message[DATA_MESSAGE])
{
	for (size_t i = 0; i < THINGS; i++)
		if (things[i].kind == kind)
			return find_thing(store, i, name, id, message);
	return ERR_MALFORMED;
}

static int find_owner(struct store *store, const char *text, struct data_reference *reference,
                      char message[DATA_MESSAGE])
{
	enum data_kind kind = DATA_DEVICE;

	reference->text = "device";
	if (strcmp(text, "/") == 0) {
		reference->text = "global";
		return 0;
	}
	if (text[0] == '/') {
		reference->text = "folder";
		kind = DATA_FOLDER;
	} else if (strncmp(text, "group:", 6) == 0) {
		reference->text = "group";
		kind = DATA_GROUP;
		text += 6;
	}
	return find_kind(store, kind, text, &reference->id, message);
}

/* Finds the assignment of a bundle to the owner that @reference has, in place of that. */
static int find_assigned(struct store *store, int64_t bundle, struct data_reference *reference)
{
	struct assignment_filter filter = {
		.bundle = (uint64_t)bundle, .owner = (uint64_t)reference->id,
	};
	struct assignment_row row;
	int rc = level_parse(reference->text, &filter.level);

	if (rc == 0)
		rc = assignment_find(store, &filter, &row);
	if (rc == 0)
		reference->id = (int64_t)row.assignment.id;
	return rc;
}

/* "BUNDLE to OWNER" */
static int find_assignment(struct store *store, const char *text,
                           struct data_reference *reference, char message[DATA_MESSAGE])
{
	const char *owner = strstr(text, " to ");
	char name[NAME_SIZE];
	int64_t bundle;
	int rc = ERR_NOT_FOUND;

	if (owner && owner < text + sizeof(name)) {
		text_format(name, (size_t)(owner - text) + 1, "%s", text);
		rc = find_kind(store, DATA_BUNDLE, name, &bundle, message);
		if (rc == 0)
			rc = find_owner(store, owner + 4, reference, message);
		if (rc == 0)
			rc = find_assigned(store, bundle, reference);
	}
	if (rc != ERR_NOT_FOUND)
		return rc;
	snprintf(message, DATA_MESSAGE, "there is no assignment %.200s", text);
	return ERR_MALFORMED;
}

static int find_source(struct store *store, const char *text, struct data_reference *reference,
                       char message[DATA_MESSAGE])
{
	static const char *const words[] = { "hand", "rule", "multicast", "assignment" };
	int rc;

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(text, words[i]) == 0) {
			reference->text = words[i];
			return 0;
		}
	}
	if (strncmp(text, "assignment ", 11) == 0) {
		rc = find_assignment(store, text + 11, reference, message);
		reference->text = words[3];
		return rc;
	}
	for (size_t i = 0; i < THINGS; i++) {
		size_t length = strlen(things[i].word);

		if (things[i].kind != DATA_SOURCE || strncmp(text, things[i].word, length) != 0 ||
		    text[length] != ' ')
			continue;
		reference->text = things[i].word;
		return find_thing(store, i, text + length + 1, &reference->id, message);
	}
	snprintf(message, DATA_MESSAGE, "expected \"hand\", \"rule NAME\", \"multicast NAME\" or "
	         "\"assignment BUNDLE to OWNER\"");
	return ERR_MALFORMED;
}

static int find_parent(struct store *store, const char *text, struct data_reference *reference,
                       char message[DATA_MESSAGE])
{
	const char *last = strrchr(text, '/');
	char *parent;
	int rc;

	text_format(reference->name, sizeof(reference->name), "%s", last + 1);
	if (last == text)
		return 0;
	parent = strndup(text, (size_t)(last - text));
	if (!parent)
		return ERR_SPACE;
	rc = find_kind(store, DATA_FOLDER, parent, &reference->id, message);
	free(parent);
	return rc;
}

int data_refer(struct store *store, enum data_kind kind, const char *text,
               struct data_reference *reference, char message[DATA_MESSAGE])
{
	memset(reference, 0, sizeof(*reference));
	reference->parameters = kind == DATA_PATH || kind == DATA_OWNER || kind == DATA_SOURCE
	                        ? 2 : 1;
	switch (kind) {
	case DATA_PATH: return find_parent(store, text, reference, message);
	case DATA_OWNER: return find_owner(store, text, reference, message);
	case DATA_SOURCE: return find_source(store, text, reference, message);
	default: return find_kind(store, kind, text, &reference->id, message);
	}
}
