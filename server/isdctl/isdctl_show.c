/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/isdctl/isd_fields.h"
#include "server/isdctl/isdctl.h"
#include "server/tool/output.h"

const char *isdctl_state(int state)
{
	switch (state) {
	case 0: return "valid";
	case ERR_NOT_FOUND: return "absent";
	case ERR_VERSION: return "newer";
	default: return "damaged";
	}
}

/* A field as JSON; null if it is absent. */
static json_t *json_field(const struct isd *isd, size_t index)
{
	char text[ISD_FIELD_TEXT];
	const char *name = isd_field_name(index);
	json_t *list;

	isd_field_format(isd, index, text);
	if (strcmp(name, "just-imaged") == 0)
		return json_boolean(isd->just_imaged);
	if (strcmp(name, "image-size") == 0)
		return text[0] ? json_integer((json_int_t)isd->image_size) : json_null();
	if (strcmp(name, "dns") != 0)
		return text[0] ? json_string(text) : json_null();
	list = json_array();
	for (char *rest = text, *word; text[0] && (word = strsep(&rest, ",")) != NULL;)
		json_array_append_new(list, json_string(word));
	return list;
}

json_t *isdctl_json(const struct isdctl *c)
{
	json_t *object = json_object(), *copies = json_array();
	char name[32];

	for (size_t i = 0; i < ISD_COPIES; i++)
		json_array_append_new(copies, json_string(isdctl_state(c->place.state[i])));
	json_object_set_new(object, "copies", copies);
	json_object_set_new(object, "sequence", json_integer(c->place.isd.sequence));
	for (size_t i = 0; isd_field_name(i); i++) {
		if (isd_field_secret(i))
			continue;
		snprintf(name, sizeof(name), "%s", isd_field_name(i));
		for (char *at = name; *at; at++)
			if (*at == '-')
				*at = '_';
		json_object_set_new(object, name, json_field(&c->place.isd, i));
	}
	return object;
}

int isdctl_print_json(json_t *value)
{
	if (!value || json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY))
		return fail(EXIT_FAULT, "cannot print JSON");
	puts("");
	json_decref(value);
	return 0;
}

static int print_all(const struct isdctl *c)
{
	char text[ISD_FIELD_TEXT];

	if (c->json)
		return isdctl_print_json(isdctl_json(c));
	for (size_t i = 0; isd_field_name(i); i++) {
		isd_field_format(&c->place.isd, i, text);
		if (text[0])
			printf("%s=%s\n", isd_field_name(i),
			       isd_field_secret(i) ? "(not shown unless asked for by name)" : text);
	}
	return 0;
}

static int print_some(const struct isdctl *c)
{
	char text[ISD_FIELD_TEXT];
	int status = 0;

	for (int i = 0; status == 0 && i < c->word_count; i++) {
		int index = isd_field_find(c->words[i], strlen(c->words[i]));

		if (index < 0)
			return fail(EXIT_USAGE, "%s: no such field; \"isdctl --help\" lists them",
			            c->words[i]);
		isd_field_format(&c->place.isd, (size_t)index, text);
		if (c->json)
			status = isdctl_print_json(json_field(&c->place.isd, (size_t)index));
		else
			puts(text);
	}
	return status;
}

int isdctl_show(struct isdctl *c)
{
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s)", c->file.path,
		            isdctl_state(c->place.state[0]), isdctl_state(c->place.state[1]));
	for (int i = 0; i < ISD_COPIES; i++)
		if (c->place.state[i])
			output_line("isdctl", "%s: copy %d is %s; any \"set\" writes it anew",
			            c->file.path, i + 1, isdctl_state(c->place.state[i]));
	return c->word_count ? print_some(c) : print_all(c);
}
