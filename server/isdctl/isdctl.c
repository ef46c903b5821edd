/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows and changes a disk's image-safe data. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "nbp/proto/error.h"
#include "server/isdctl/isd_fields.h"
#include "server/isdctl/isd_file.h"
#include "server/tool/output.h"

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

struct isdctl {
	bool json, force;
	struct isd_file_options open;
	struct isd_file file;
	struct isd_place place;
	char **words; /* what follows the verb */
	int word_count;
};

static const char help[] =
	"Usage: isdctl [OPTION]... DISK show [FIELD]...\n"
	"       isdctl [OPTION]... DISK create|set FIELD=VALUE...\n"
	"       isdctl [OPTION]... DISK clear\n"
	"       isdctl [OPTION]... DISK save|restore FILE\n"
	"Shows and changes the image-safe data of DISK, a block device or a raw image. Image-safe\n"
	"data say what the machine is called and how it is set up. They lie before the first\n"
	"partition, where imaging of partitions does not overwrite them.\n"
	"\n"
	"  show     print all fields, or only the values of those named\n"
	"  create   write image-safe data to a disk that has none; the device-id is random unless\n"
	"           it is given\n"
	"  set      change fields; an empty value removes one\n"
	"  clear    erase all image-safe data\n"
	"  save     copy them to a new FILE, before imaging that overwrites the whole disk\n"
	"  restore  replace those of the disk by what is in FILE\n"
	"\n"
	"Fields: just-imaged device-id name network address mask gateway dns-suffix dns image\n"
	"image-time image-size key\n"
	"\n"
	"  -j, --json           print JSON\n"
	"  -f, --force          overwrite other, damaged or newer data\n"
	"      --in-use         allow a disk that is in use, as the running system's own is\n"
	"      --sector-size N  sector size of an image: 512 or 4096\n"
	"  -h, --help           print this help\n"
	"  -V, --version        print the version\n"
	"\n"
	"Nothing is written where a partition covers the place, or where a file system, RAID\n"
	"or LVM may fill the disk, not even with --force.\n"
	"Exit status: 0 success, 1 error, 2 usage error. See isdctl(8).\n";

/* Prints "isdctl: ..." to standard error; returns @status. */
static int __attribute__((format(printf, 2, 3))) fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vline("isdctl", format, args);
	va_end(args);
	return status;
}

/* --- show ------------------------------------------------------------------ */

/* Names a result of isd_decode(). */
static const char *state_name(int state)
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

/* All fields but the secret ones, as JSON. */
static json_t *json_fields(const struct isdctl *c)
{
	json_t *object = json_object(), *copies = json_array();
	char name[32];

	for (size_t i = 0; i < ISD_COPIES; i++)
		json_array_append_new(copies, json_string(state_name(c->place.state[i])));
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

/* Prints @value, and frees it. Returns an exit status. */
static int print_json(json_t *value)
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
		return print_json(json_fields(c));
	for (size_t i = 0; isd_field_name(i); i++) {
		isd_field_format(&c->place.isd, i, text);
		if (text[0])
			printf("%s=%s\n", isd_field_name(i),
			       isd_field_secret(i) ? "(secret; \"show key\" prints it)" : text);
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
			return fail(EXIT_USAGE, "unknown field \"%s\"; \"isdctl --help\" lists "
			            "them", c->words[i]);
		isd_field_format(&c->place.isd, (size_t)index, text);
		if (c->json)
			status = print_json(json_field(&c->place.isd, (size_t)index));
		else
			puts(text);
	}
	return status;
}

static int show_data(struct isdctl *c)
{
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s)", c->file.path,
		            state_name(c->place.state[0]), state_name(c->place.state[1]));
	for (int i = 0; i < ISD_COPIES; i++)
		if (c->place.state[i])
			output_line("isdctl", "%s: copy %d is %s; the next \"set\" rewrites it",
			            c->file.path, i + 1, state_name(c->place.state[i]));
	return c->word_count ? print_some(c) : print_all(c);
}

/* --- set, create, clear ---------------------------------------------------- */

/* Refuses to write where that could destroy other data. */
static int check_place(struct isdctl *c)
{
	bool foreign = isd_disk_foreign(&c->place);

	if (isd_file_check(&c->file, c->force))
		return fail(EXIT_FAULT, "%s", c->file.message);
	if (foreign && !c->file.partitions)
		return fail(EXIT_FAULT, "%s: other data are where image-safe data belong; without "
		            "partitions on the disk, they may be a file system's: make partitions "
		            "first", c->file.path);
	if (c->force)
		return 0;
	if (foreign)
		return fail(EXIT_FAULT, "%s: other data, perhaps a boot loader's, are where "
		            "image-safe data belong; nothing was written (--force overwrites them)",
		            c->file.path);
	for (int i = 0; i < ISD_COPIES; i++)
		if (c->place.state[i] == ERR_VERSION)
			return fail(EXIT_FAULT, "%s: its image-safe data have a newer version; use "
			            "a newer isdctl", c->file.path);
	return 0;
}

static int parse_fields(struct isdctl *c, struct isd *isd)
{
	for (int i = 0; i < c->word_count; i++) {
		const char *word = c->words[i], *equals = strchr(word, '=');
		char expected[ISD_FIELD_TEXT];
		int index = equals ? isd_field_find(word, (size_t)(equals - word)) : -1;

		if (!equals)
			return fail(EXIT_USAGE, "%s: expected FIELD=VALUE", word);
		if (index < 0)
			return fail(EXIT_USAGE, "unknown field \"%.*s\"; \"isdctl --help\" lists "
			            "them", (int)(equals - word), word);
		if (isd_field_parse(isd, (size_t)index, equals + 1, expected))
			return fail(EXIT_USAGE, "%s: expected %s", word, expected);
	}
	return 0;
}

static int write_data(struct isdctl *c, struct isd *isd, const uint8_t *old)
{
	int status = check_place(c), rc;

	if (status)
		return status;
	rc = isd_disk_write(&c->file.disk, &c->place, isd, old);
	if (rc == ERR_IO)
		return fail(EXIT_FAULT, "%s", c->file.message);
	if (rc)
		return fail(EXIT_FAULT, "%s: the fields do not fit (%s); nothing was written",
		            c->file.path, error_text(rc));
	if (!c->json)
		return 0;
	if (isd_disk_read(&c->file.disk, &c->place))
		return fail(EXIT_FAULT, "%s", c->file.message);
	return print_json(json_fields(c));
}

/* Returns the current copy, or NULL. */
static const uint8_t *current_copy(const struct isdctl *c)
{
	return c->place.current < 0 ? NULL : c->place.copies[c->place.current];
}

static int set_fields(struct isdctl *c)
{
	struct isd isd = c->place.isd;
	int status = parse_fields(c, &isd);

	if (status)
		return status;
	if (c->word_count == 0)
		return fail(EXIT_USAGE, "set: missing argument FIELD=VALUE");
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s); \"create\" "
		            "writes some", c->file.path, state_name(c->place.state[0]),
		            state_name(c->place.state[1]));
	return write_data(c, &isd, current_copy(c));
}

static int create_data(struct isdctl *c)
{
	struct isd isd = { 0 };
	char expected[ISD_FIELD_TEXT];
	int status = isd_field_parse(&isd, (size_t)isd_field_find("device-id", 9), "random",
	                             expected);

	if (status)
		return fail(EXIT_FAULT, "cannot get random bytes");
	status = parse_fields(c, &isd);
	if (status)
		return status;
	if (c->place.current >= 0 && !c->force)
		return fail(EXIT_FAULT, "%s: image-safe data already exist; change them with "
		            "\"set\", or replace them with --force", c->file.path);
	return write_data(c, &isd, current_copy(c));
}

static int clear_data(struct isdctl *c)
{
	int status = check_place(c);

	if (status)
		return status;
	if (c->word_count)
		return fail(EXIT_USAGE, "%s: unexpected argument; \"set FIELD=\" removes a "
		            "field", c->words[0]);
	if (isd_disk_clear(&c->file.disk, &c->place))
		return fail(EXIT_FAULT, "%s", c->file.message);
	return c->json ? print_json(json_null()) : 0;
}

/* --- save, restore ---------------------------------------------------------- */

static int file_error(const char *path)
{
	return fail(EXIT_FAULT, "%s: %s", path, strerror(errno));
}

static int save_data(struct isdctl *c)
{
	const char *path = c->words[0];
	int fd, rc;

	if (c->word_count != 1)
		return fail(EXIT_USAGE, "save: expected one argument, FILE");
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s); nothing was "
		            "saved", c->file.path, state_name(c->place.state[0]),
		            state_name(c->place.state[1]));
	/* The copy has the key, so only the owner may read it. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return file_error(path);
	rc = write(fd, c->place.copies[c->place.current], ISD_COPY_SIZE) != ISD_COPY_SIZE ||
	     fsync(fd);
	if (rc) {
		file_error(path);
		unlink(path);
	}
	close(fd);
	return rc ? EXIT_FAULT : 0;
}

/* Reads and decodes what save_data() wrote. Returns 0, or an exit status after an error message. */
static int read_saved(const char *path, struct isd *isd, uint8_t copy[ISD_COPY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	ssize_t got, rest;

	if (fd < 0)
		return file_error(path);
	got = read(fd, copy, ISD_COPY_SIZE);
	rest = got == ISD_COPY_SIZE ? read(fd, &more, 1) : 0;
	close(fd);
	if (got != ISD_COPY_SIZE || rest != 0 || isd_decode(isd, copy))
		return fail(EXIT_FAULT, "%s: damaged, or not written by \"isdctl DISK save\"",
		            path);
	return 0;
}

/* What is on the disk by now may be another machine's, from its image; it is replaced. */
static int restore_data(struct isdctl *c)
{
	uint8_t copy[ISD_COPY_SIZE];
	struct isd isd;
	int status;

	if (c->word_count != 1)
		return fail(EXIT_USAGE, "restore: expected one argument, FILE");
	status = read_saved(c->words[0], &isd, copy);
	return status ? status : write_data(c, &isd, copy);
}

/* --- the command line ------------------------------------------------------ */

static const struct verb {
	const char *name;
	int (*run)(struct isdctl *c);
	bool writes;
} verbs[] = {
	{ "show", show_data, false }, { "set", set_fields, true }, { "create", create_data, true },
	{ "clear", clear_data, true }, { "save", save_data, false },
	{ "restore", restore_data, true },
};

/* Returns -1 to go on, else an exit status. */
static int parse_options(struct isdctl *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ "in-use", no_argument, NULL, 'u' },
		{ "sector-size", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "jfhV", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			c->json = true;
			output_json();
			break;
		case 'f': c->force = true; break;
		case 'u': c->open.in_use = true; break;
		case 's':
			if (strcmp(optarg, "512") != 0 && strcmp(optarg, "4096") != 0)
				return fail(EXIT_USAGE, "--sector-size %s: expected 512 or 4096",
				            optarg);
			c->open.sector_size = (uint32_t)atoi(optarg);
			break;
		case 'h': fputs(help, stdout); return 0;
		case 'V': puts("isdctl " VERSION); return 0;
		default: return fail(EXIT_USAGE, "try \"isdctl --help\"");
		}
	}
	c->words = argv + optind;
	c->word_count = argc - optind;
	return -1;
}

int main(int argc, char **argv)
{
	static struct isdctl c;
	const struct verb *verb = NULL;
	const char *path, *word;
	int status;

	output_start(OUTPUT_STDOUT | OUTPUT_STDERR, NULL, NULL);
	status = parse_options(&c, argc, argv);
	if (status >= 0)
		return status;
	if (c.word_count == 0) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	path = c.words[0];
	word = c.word_count > 1 ? c.words[1] : "show";
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, word) == 0)
			verb = &verbs[i];
	if (!verb)
		return fail(EXIT_USAGE, "unknown command \"%s\"; expected show, set, create, "
		            "clear, save or restore after the disk", word);
	c.words += c.word_count > 1 ? 2 : 1;
	c.word_count -= c.word_count > 1 ? 2 : 1;
	c.open.write = verb->writes;
	if (isd_file_open(&c.file, path, &c.open))
		return fail(EXIT_FAULT, "%s", c.file.message);
	if (isd_disk_read(&c.file.disk, &c.place))
		status = fail(EXIT_FAULT, "%s", c.file.message);
	else
		status = verb->run(&c);
	isd_file_close(&c.file);
	if (output_flush())
		return fail(EXIT_FAULT, "cannot write the output");
	return status;
}
