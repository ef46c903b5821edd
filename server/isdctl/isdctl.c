/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows and changes a disk's image-safe data. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/isdctl/isdctl.h"
#include "nbp/proto/error.h"
#include "server/isdctl/isd_fields.h"
#include "server/tool/output.h"

static const char help[] =
	"Usage: isdctl [OPTION]... DISK show [FIELD]...\n"
	"       isdctl [OPTION]... DISK create|set FIELD=VALUE...\n"
	"       isdctl [OPTION]... DISK clear\n"
	"       isdctl [OPTION]... DISK save|restore FILE\n"
	"Shows and changes the image-safe data of DISK, a block device or a raw image: what\n"
	"the machine is called, kept below the first partition, where imaging of partitions does\n"
	"not touch it.\n"
	"\n"
	"  show    all fields, or the bare values of some\n"
	"  create  where there are none yet; with a random device-id unless told otherwise\n"
	"  set     change some fields; an empty value takes one away\n"
	"  clear   take all of it away\n"
	"  save    keep it in a new FILE, for the time of an imaging that overwrites it\n"
	"  restore write what is in FILE, with all its fields, in place of what is there\n"
	"\n"
	"Fields: just-imaged device-id name network address mask gateway dns-suffix dns image\n"
	"image-time image-size key\n"
	"\n"
	"  -j, --json           print JSON\n"
	"  -f, --force          write over what is not image-safe data, or damaged, or newer\n"
	"      --in-use         the disk may be in use, as the running system's own\n"
	"      --sector-size N  of an image: 512 or 4096\n"
	"  -h, --help           show this\n"
	"  -V, --version        show the version\n"
	"\n"
	"Nothing is written where a partition covers the place, or where a file system, RAID\n"
	"or LVM may fill the disk, not even by force. See isdctl(8).\n";

int fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vline("isdctl", format, args);
	va_end(args);
	return status;
}

/* --- set, create, clear ---------------------------------------------------- */

/* Refuses where writing could destroy what somebody may want. */
static int check_place(struct isdctl *c)
{
	bool foreign = isd_disk_foreign(&c->place);

	if (isd_file_check(&c->file, c->force))
		return fail(EXIT_FAULT, "%s", c->file.message);
	if (foreign && !c->file.partitions)
		return fail(EXIT_FAULT, "%s: something else is where image-safe data would be, and "
		            "no partitions say that it is no file system's; make partitions first",
		            c->file.path);
	if (c->force)
		return 0;
	if (foreign)
		return fail(EXIT_FAULT, "%s: something else is where image-safe data would be, "
		            "perhaps a boot loader's; left as it is (--force overwrites it)",
		            c->file.path);
	for (int i = 0; i < ISD_COPIES; i++)
		if (c->place.state[i] == ERR_VERSION)
			return fail(EXIT_FAULT, "%s: its image-safe data are of a newer version; "
			            "use the newer isdctl", c->file.path);
	return 0;
}

static int parse_fields(struct isdctl *c, struct isd *isd)
{
	for (int i = 0; i < c->word_count; i++) {
		const char *word = c->words[i], *equals = strchr(word, '='), *expected;
		int index = equals ? isd_field_find(word, (size_t)(equals - word)) : -1;

		if (!equals)
			return fail(EXIT_USAGE, "%s: expected FIELD=VALUE", word);
		if (index < 0)
			return fail(EXIT_USAGE, "%.*s: no such field; \"isdctl --help\" lists them",
			            (int)(equals - word), word);
		if (isd_field_parse(isd, (size_t)index, equals + 1, &expected))
			return fail(EXIT_USAGE, "%s: expected %s", word, expected);
	}
	return 0;
}

static int store(struct isdctl *c, struct isd *isd, const uint8_t *old)
{
	int status = check_place(c), rc;

	if (status)
		return status;
	rc = isd_disk_write(&c->file.disk, &c->place, isd, old);
	if (rc == ERR_IO)
		return fail(EXIT_FAULT, "%s", c->file.message);
	if (rc)
		return fail(EXIT_FAULT, "%s: the fields do not fit (%s); nothing is changed",
		            c->file.path, error_text(rc));
	if (!c->json)
		return 0;
	if (isd_disk_read(&c->file.disk, &c->place))
		return fail(EXIT_FAULT, "%s", c->file.message);
	return isdctl_print_json(isdctl_json(c));
}

/* The copy that counts, or NULL. */
static const uint8_t *current(const struct isdctl *c)
{
	return c->place.current < 0 ? NULL : c->place.copies[c->place.current];
}

static int set(struct isdctl *c)
{
	struct isd isd = c->place.isd;
	int status = parse_fields(c, &isd);

	if (status)
		return status;
	if (c->word_count == 0)
		return fail(EXIT_USAGE, "set: expected FIELD=VALUE...");
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s); make "
		            "some with \"create\"", c->file.path, isdctl_state(c->place.state[0]),
		            isdctl_state(c->place.state[1]));
	return store(c, &isd, current(c));
}

static int create(struct isdctl *c)
{
	struct isd isd = { 0 };
	const char *expected;
	int status = isd_field_parse(&isd, (size_t)isd_field_find("device-id", 9), "random",
	                             &expected);

	if (status)
		return fail(EXIT_FAULT, "no random numbers to be had");
	status = parse_fields(c, &isd);
	if (status)
		return status;
	if (c->place.current >= 0 && !c->force)
		return fail(EXIT_FAULT, "%s: has image-safe data already; change it with \"set\", "
		            "or begin anew with --force", c->file.path);
	return store(c, &isd, current(c));
}

/* What an imaging tool put there may be another machine's: that is what it is for. */
static int restore(struct isdctl *c)
{
	uint8_t copy[ISD_COPY_SIZE];
	struct isd isd;
	int status;

	if (c->word_count != 1)
		return fail(EXIT_USAGE, "restore: expected one FILE");
	status = isdctl_read_saved(c->words[0], &isd, copy);
	return status ? status : store(c, &isd, copy);
}

static int clear(struct isdctl *c)
{
	int status = check_place(c);

	if (status)
		return status;
	if (c->word_count)
		return fail(EXIT_USAGE, "%s: unexpected argument; to take a field away use "
		            "\"set FIELD=\"", c->words[0]);
	if (isd_disk_clear(&c->file.disk, &c->place))
		return fail(EXIT_FAULT, "%s", c->file.message);
	return c->json ? isdctl_print_json(json_null()) : 0;
}

/* --- the command line ------------------------------------------------------ */

static const struct verb {
	const char *name;
	int (*run)(struct isdctl *c);
	bool writes;
} verbs[] = {
	{ "show", isdctl_show, false }, { "set", set, true }, { "create", create, true },
	{ "clear", clear, true }, { "save", isdctl_save, false }, { "restore", restore, true },
};

/* Returns -1 to go on, else the status to exit with. */
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
		return fail(EXIT_USAGE, "%s: expected show, set, create, clear, save or restore, after the disk",
		            word);
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
