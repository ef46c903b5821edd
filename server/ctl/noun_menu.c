/* SPDX-License-Identifier: BSD-2-Clause */
/* Menu files, as the machines read and draw them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nbp/menu_view.h"
#include "server/ctl/canvas.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_menu.h"
#include "server/tool/output.h"
#include "server/transfer/encoding.h"

static const struct ctl_option opt_section = { "section", "NAME", "the section to draw (Main)" };
static const struct ctl_option opt_firmware = {
	"firmware", "bios|uefi|uefi-ia32|uefi-arm64", "the machine's firmware (bios), which decides on the loaders"
};

#define ERRORS_MAX 100

/* A menu file and what was made of it. */
struct menu_file {
	const char *name;
	char text[MENU_TEXT_MAX + 8]; /* more than a menu may have, so that this shows */
	size_t length;
	struct menu menu;
	struct menu_error errors[ERRORS_MAX];
	size_t error_count;
};

static int by_place(const void *a, const void *b)
{
	const struct menu_error *x = a, *y = b;

	return x->line != y->line ? x->line - y->line : x->column - y->column;
}

static int read_menu_file(struct menu_file *file, const char *name)
{
	const char *why;
	FILE *in;

	errno = 0;
	in = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	file->name = in == stdin ? "standard input" : name;
	if (in)
		file->length = fread(file->text, 1, sizeof(file->text), in);
	if (!in || ferror(in)) {
		ctl_error(EXIT_FAULT, "cannot read %s: %s", file->name, strerror(errno));
		if (in && in != stdin)
			fclose(in);
		return EXIT_FAULT;
	}
	if (in != stdin)
		fclose(in);
	why = encoding_wrong(file->text, file->length);
	if (why)
		return ctl_error(EXIT_FAULT, "%s: %s", file->name, why);
	file->error_count = menu_check(file->text, file->length, &file->menu, file->errors,
	                               ERRORS_MAX);
	qsort(file->errors, file->error_count, sizeof(file->errors[0]), by_place);
	return 0;
}

/* --- menu check ------------------------------------------------------------ */

/* Shows the line of the error, and where in it. */
static void print_line(const struct menu_file *file, const struct menu_error *error)
{
	const char *line = file->menu.text, *end = file->text + file->length;

	for (unsigned int i = 1; i < error->line; i++)
		line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
	fputs("    ", stderr);
	for (const char *c = line; c < end && *c != '\n' && *c != '\r'; c++)
		fputc(*c == '\t' || (*c >= ' ' && *c < 0x7f) ? *c : '?', stderr);
	fputs("\n    ", stderr);
	for (unsigned int i = 1; i < error->column; i++)
		fputc(line[i - 1] == '\t' ? '\t' : ' ', stderr);
	fputs("^\n", stderr);
}

static void print_errors(const struct menu_file *file)
{
	for (size_t i = 0; i < file->error_count; i++) {
		const struct menu_error *error = &file->errors[i];

		output_line(NULL, "%s:%u:%u: expected %s", file->name, error->line, error->column,
		            error->message);
		print_line(file, error);
	}
}

static json_t *json_errors(const struct menu_file *file)
{
	json_t *array = json_array();

	for (size_t i = 0; i < file->error_count; i++)
		json_array_append_new(array, json_pack("{s:i, s:i, s:s}", "line",
		                                       (int)file->errors[i].line, "column",
		                                       (int)file->errors[i].column, "expected",
		                                       file->errors[i].message));
	return json_pack("{s:s, s:o}", "file", file->name, "errors", array);
}

static int ctl_menu_check(struct ctl *ctl)
{
	static struct menu_file file;
	json_t *all = json_array();
	int status = 0;

	for (int i = 0; i < ctl->word_count; i++) {
		size_t entries = 0;

		if (read_menu_file(&file, ctl->words[i])) {
			status = EXIT_FAULT;
			continue;
		}
		if (file.error_count)
			status = EXIT_FAULT;
		for (size_t s = 0; s < file.menu.section_count; s++)
			entries += file.menu.sections[s].count;
		if (ctl->json)
			json_array_append_new(all, json_errors(&file));
		else if (file.error_count)
			print_errors(&file);
		else
			printf("%s: good: sections %zu, entries %zu\n", file.name,
			       file.menu.section_count, entries);
	}
	if (ctl->json)
		ctl_print_json(json_incref(all));
	json_decref(all);
	return status;
}

/* --- menu show ------------------------------------------------------------- */

static json_t *json_span(struct span span)
{
	return json_stringn((const char *)span.data, span.length);
}

static json_t *json_entry(const struct menu *menu, const struct menu_entry *entry)
{
	static const char *const kinds[] = { "execute", "submenu", "return", "exit", "auto",
		                             "reboot", "poweroff" };
	json_t *object = json_pack("{s:s, s:o, s:o, s:b}", "kind", kinds[entry->kind], "name",
	                           json_span(menu_field(menu, entry, MENU_FIELD_NAME)),
	                           "description",
	                           json_span(menu_field(menu, entry, MENU_FIELD_DESCRIPTION)),
	                           "guarded",
	                           menu_entry_password(menu, entry).length != 0);

	if (entry->kind == MENU_KIND_SUBMENU) {
		json_object_set_new(object, "section",
		                    json_span(menu_field(menu, entry, MENU_FIELD_SECTION)));
	} else if (entry->kind == MENU_KIND_EXECUTE) {
		static const char *const keys[LOADERS] = { "loader_bios", "loader_uefi",
			                                   "loader_uefi_ia32",
			                                   "loader_uefi_arm64" };

		for (enum loader_kind kind = 0; kind < LOADERS; kind++)
			json_object_set_new(object, keys[kind],
			                    json_span(menu_loader(menu, entry, kind)));
		json_object_set_new(object, "config",
		                    json_span(menu_field(menu, entry, MENU_FIELD_CONFIG)));
		json_object_set_new(object, "prefix",
		                    json_span(menu_field(menu, entry, MENU_FIELD_PREFIX)));
	}
	return object;
}

static json_t *json_section(const struct menu *menu, const struct menu_section *section)
{
	const struct menu_entry *entries = &menu->entries[section->first];
	json_t *array = json_array();

	for (size_t i = 0; i < section->count; i++)
		json_array_append_new(array, json_entry(menu, &entries[i]));
	return json_pack("{s:o, s:o, s:b, s:i, s:o, s:o}", "section",
	                 json_span(menu_name(menu, section)), "title",
	                 json_span(menu_title(menu, section)), "guarded",
	                 menu_section_password(menu, section).length != 0, "timeout",
	                 (int)section->timeout, "default",
	                 json_span(menu_field(menu, &entries[section->chosen], MENU_FIELD_NAME)),
	                 "entries", array);
}

/* "bright white on blue" */
static json_t *json_colour(uint8_t pair)
{
	static const char *const names[] = { "black", "blue", "green", "cyan", "red", "magenta",
		                             "brown", "white" };

	return json_sprintf("%s%s on %s", pair & COLOUR_BRIGHT ? "bright " : "", names[pair & 7],
	                    names[pair >> 4]);
}

static json_t *json_menu(const struct menu *menu)
{
	static const char *const parts[] = { "screen", "title", "entries", "chosen",
		                             "description" };
	json_t *colours = json_object(), *sections = json_array();

	for (size_t i = 0; i < MENU_PART_COUNT; i++)
		json_object_set_new(colours, parts[i], json_colour(menu->colours[i]));
	for (size_t i = 0; i < menu->section_count; i++)
		json_array_append_new(sections, json_section(menu, &menu->sections[i]));
	return json_pack("{s:o, s:o}", "colours", colours, "sections", sections);
}

/* Reads --firmware; BIOS, unless something else is said. */
static int read_firmware(const char *text, enum loader_kind *kind)
{
	*kind = LOADER_BIOS;
	if (!text)
		return 0;
	for (; *kind < LOADERS; (*kind)++)
		if (strcmp(text, loader_name(*kind)) == 0)
			return 0;
	return ctl_error(EXIT_USAGE, "--firmware %s: expected bios, uefi, uefi-ia32 or uefi-arm64",
	                 text);
}

static int ctl_menu_show(struct ctl *ctl)
{
	static struct menu_file file;
	struct canvas canvas;
	enum loader_kind firmware;
	const char *name = ctl_option(ctl, &opt_section) ? ctl_option(ctl, &opt_section) : "Main";
	int status = read_firmware(ctl_option(ctl, &opt_firmware), &firmware), section;

	if (status == 0)
		status = read_menu_file(&file, ctl->words[0]);
	if (status)
		return status;
	if (file.error_count && ctl->json)
		return ctl_error(EXIT_FAULT, "%s:%u:%u: expected %s", file.name,
		                 file.errors[0].line,
		                 file.errors[0].column, file.errors[0].message);
	if (file.error_count) {
		print_errors(&file);
		return EXIT_FAULT;
	}
	section = menu_find(&file.menu, (struct span){ (const uint8_t *)name, strlen(name) });
	if (section < 0)
		return ctl_error(EXIT_FAULT, "%s: no section [%s]", file.name, name);
	if (ctl->json) {
		const struct menu_section *only = &file.menu.sections[section];

		ctl_print_json(ctl_option(ctl, &opt_section) ? json_section(&file.menu, only) :
		               json_menu(&file.menu));
		return 0;
	}
	canvas_start(&canvas, firmware);
	menu_draw(&canvas.p, &file.menu, (size_t)section);
	output_stop(); /* colours are for the terminal to obey; a menu that is good is plain text */
	canvas_print(&canvas, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	return 0;
}

/* --- the noun --------------------------------------------------------------- */

static const struct verb verbs[] = {
	{ .name = "check", .alias = "lint", .run = ctl_menu_check, .min = 1, .max = NO_LIMIT,
	  .database = DB_NONE, .usage = "FILE...",
	  .help = "Read menu files as the machines do, and report every error by line and column. "
	          "The files of loaders are not read. FILE \"-\" is standard input." },
	{ .name = "show", .alias = "draw", .run = ctl_menu_show, .min = 1, .max = 1,
	  .options = OPTIONS(&opt_section, &opt_firmware), .database = DB_NONE,
	  .usage = "FILE [--section NAME] [--firmware bios|uefi]",
	  .help = "Draw the menu [Main], or another section, as a machine does; in colours on a "
	          "terminal, unless NO_COLOR is in the environment. With --json print all that the "
	          "file says." },
	{ .name = "passwd", .alias = "password", .run = ctl_menu_passwd,
	  .options = OPTIONS(&opt_stdin, &opt_iterations), .database = DB_NONE,
	  .usage = "[--stdin] [--iterations N]",
	  .help = "Ask for a password twice and print its salted hash, for \"password = HASH\" in "
	          "a section, or \"; password HASH\" at the end of an option." },
	{ .run = NULL },
};

const struct noun noun_menu = {
	.name = "menu", .about = "menu files", .verbs = verbs,
};
