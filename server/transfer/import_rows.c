/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/import_rows.h"

#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/store/folders.h"
#include "server/transfer/refer.h"

/* What the schema forbids, as people say it. */
static int report_refusal(struct import_run *run, const struct place *place)
{
	static const struct {
		const char *column, *key, *message;
	} clashes[] = {
		{ "'folder_name'", "path", "there is such a folder already" },
		{ "mac.mac", NULL, "another device has this MAC address" },
		{ "device.uuid", "uuid", "another device has this UUID" },
		{ "device.isd", "isd", "another device has this device id" },
		{ "device.claim_uuid", "bound_uuid", "another device is bound to this UUID" },
		{ "device.claim_mac", "bound_mac", "another device is bound to this MAC" },
		{ "witness.uuid, ", NULL, "it is there already" },
		{ "witness.uuid", "uuid", "\"uuids\" does not have this UUID" },
		{ "card.", "mac", "the device has this card already" },
		{ "job.device", "device", "the device has an open job already" },
		{ "job.id", "job", "another job has this number" },
		{ "assignment.", "to", "the bundle is assigned to it already" },
		{ "member.", NULL, "the device is in this group already" },
		{ "multicast_member.", "device", "it is a member already" },
		{ "offer.job", NULL, "another offer has this attempt or nonce" },
		{ ".name", "name", "another one has this name" },
	};
	const char *what = strstr(run->store->message, "failed: ");

	for (size_t i = 0; what && i < sizeof(clashes) / sizeof(clashes[0]); i++) {
		struct place inner = { .up = place, .key = clashes[i].key };

		if (strstr(what, clashes[i].column))
			return import_fail(run, inner.key ? &inner : place, clashes[i].message);
	}
	return import_fail(run, place, what ? what : run->store->message);
}

static int bind_value(struct store_rows *row, int parameter, const struct data_value *value)
{
	switch (value->type) {
	case DATA_INTEGER: return store_bind_number(row, parameter, value->number);
	case DATA_STRING: return store_bind_text(row, parameter, value->text);
	case DATA_BYTES: return store_bind_bytes(row, parameter, value->bytes, value->length);
	default: return store_bind_null(row, parameter);
	}
}

static int bind_reference(struct store_rows *row, int parameter, enum data_kind kind,
                          const struct data_reference *r)
{
	int rc = 0;

	if (kind == DATA_PATH) {
		rc = r->id ? store_bind_number(row, parameter, r->id)
		           : store_bind_null(row, parameter);
		return rc ? rc : store_bind_text(row, parameter + 1, r->name);
	}
	if (r->parameters == 2)
		rc = store_bind_text(row, parameter++, r->text);
	return rc ? rc : store_bind_number(row, parameter, r->id);
}

/* Checks one field and binds it; *@index goes on. Errors are reported. */
static int bind_field(struct import_run *run, const struct data_field *field, const json_t *json,
                     const char *setting, const struct place *place, struct store_rows *statement,
                     int *index)
{
	struct data_reference reference;
	struct data_value value;
	char message[DATA_MESSAGE];

	if (data_check(field, json, setting, &value, message))
		return import_fail(run, place, message);
	if (value.type == DATA_STRING && data_refers(field->kind)) {
		int rc = data_refer(run->store, field->kind, value.text, &reference, message);

		if (rc)
			return rc == ERR_MALFORMED ? import_fail(run, place, message) : rc;
		rc = bind_reference(statement, *index, field->kind, &reference);
		*index += reference.parameters;
		return rc;
	}
	return bind_value(statement, (*index)++, &value);
}

static int insert_row(struct import_run *run, struct store_rows *statement,
                      const struct place *place)
{
	int rc = store_step(statement);

	return rc == ERR_REFUSED ? report_refusal(run, place) : rc;
}

/* The one value of a list of values, or a setting's key and value. */
static int import_pair(struct import_run *run, const struct data_table *table, const char *key,
                    const json_t *json, int64_t around, const struct place *place)
{
	struct store_rows *statement;
	/* A key of before is stored as today's. */
	int setting = key ? setting_find(key) : -1;
	json_t *text = key ? json_string(setting >= 0 ? setting_key((size_t)setting) : key) : NULL;
	int index = 2, rc = table_insert(run->store, table->table, around, &statement);

	if (rc == 0 && key)
		rc = bind_field(run, &table->fields[0], text, NULL, place, statement, &index);
	if (rc == 0 && key && !setting_at((size_t)setting, table->level))
		rc = import_fail(run, place, DATA_NOT_HERE);
	if (rc == 0)
		rc = bind_field(run, &table->fields[key ? 1 : 0], json, key, place, statement,
		                &index);
	if (rc == 0)
		rc = insert_row(run, statement, place);
	json_decref(text);
	return rc;
}

/* Returns the key of a field as @row has it. */
static const char *key_of(const struct data_field *field, const json_t *row)
{
	return field->old_key && !json_object_get(row, field->key) &&
	       json_object_get(row, field->old_key) ? field->old_key : field->key;
}

static int check_keys(struct import_run *run, const struct data_table *table, json_t *row,
                      const struct place *place)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach(row, key, value) {
		struct place inner = { .up = place, .key = key };
		bool known = false;

		for (size_t i = 0; table->fields[i].key; i++)
			known |= strcmp(key_of(&table->fields[i], row), key) == 0;
		for (size_t i = 0; i < DATA_LISTS && table->lists[i]; i++)
			known |= strcmp(table->lists[i]->key, key) == 0;
		if (!known)
			rc = import_fail(run, &inner, "there is no such key here");
	}
	return rc;
}

static int import_object(struct import_run *run, const struct data_table *table, json_t *row,
                      int64_t around, const struct place *place)
{
	struct store_rows *statement;
	int index = 2, rc, worst;

	if (!json_is_object(row))
		return import_fail(run, place, "expected an object");
	worst = check_keys(run, table, row, place);
	rc = table_insert(run->store, table->table, around, &statement);
	if (rc)
		return rc;
	for (const struct data_field *field = table->fields; field->key; field++) {
		struct place inner = { .up = place, .key = key_of(field, row) };

		rc = bind_field(run, field, json_object_get(row, inner.key), NULL, &inner,
		                statement, &index);
		if (rc && rc != ERR_MALFORMED)
			return rc;
		worst = rc ? rc : worst;
	}
	if (worst == 0 && table->whole && table->whole(row))
		worst = import_fail(run, place, table->whole(row));
	return worst ? worst : insert_row(run, statement, place);
}

int import_map(struct import_run *run, const struct data_table *table, json_t *map, int64_t around,
            const struct place *place)
{
	struct place inner = { .up = place };
	json_t *value;
	int worst = 0;

	if (!json_is_object(map))
		return import_fail(run, place, "expected an object");
	json_object_foreach(map, inner.key, value) {
		int rc = import_pair(run, table, inner.key, value, around, &inner);

		if (rc && rc != ERR_MALFORMED)
			return rc;
		worst = rc ? rc : worst;
	}
	return worst;
}

static int import_list(struct import_run *run, const struct data_table *table, json_t *list,
                    int64_t around, const struct place *place)
{
	struct place inner = { .up = place };
	json_t *value;
	int worst = 0;

	if (table->shape == DATA_MAP)
		return import_map(run, table, list, around, place);
	if (!json_is_array(list))
		return import_fail(run, place, "expected a list");
	json_array_foreach(list, inner.index, value) {
		int rc = table->shape == DATA_VALUES
		         ? import_pair(run, table, NULL, value, around, &inner)
		         : import_object(run, table, value, around, &inner);

		if (rc && rc != ERR_MALFORMED)
			return rc;
		worst = rc ? rc : worst;
	}
	return worst;
}

int import_row(struct import_run *run, const struct data_table *table, json_t *row,
                   const struct place *place)
{
	int rc = import_object(run, table, row, 0, place);
	int64_t id = (int64_t)store_last_id(run->store);

	if (rc == 0 && table->fields[0].kind == DATA_PATH)
		rc = folder_add_path(run->store, (uint64_t)id,
		                     json_string_value(json_object_get(row, table->fields[0].key)));
	for (size_t i = 0; rc == 0 && i < DATA_LISTS && table->lists[i]; i++) {
		struct place inner = { .up = place, .key = table->lists[i]->key };
		json_t *list = json_object_get(row, inner.key);

		if (list)
			rc = import_list(run, table->lists[i], list, id, &inner);
	}
	return rc;
}
