/* SPDX-License-Identifier: BSD-2-Clause */
/* All of the administrator's data as JSON, and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_data.h"
#include "server/ctl/noun.h"
#include "server/tool/output.h"
#include "server/tool/whole_file.h"
#include "server/transfer/data.h"
#include "server/transfer/encoding.h"

static const struct ctl_option opt_replace = { "replace", NULL,
	                                       "replace the data in the database" };
static const struct ctl_option opt_dry_run = {
	"dry-run", NULL, "check everything, print what would be imported, and change nothing"
};

/* --- export ---------------------------------------------------------------- */

static int write_data(struct ctl *ctl, FILE *out, struct data_counts *counts)
{
	char message[DATA_MESSAGE];
	int rc = data_export(&ctl->store, out, counts, message);

	if (rc == ERR_MALFORMED)
		return ctl_error(EXIT_FAULT, "%s; \"prebootctl check\" says what to do", message);
	return rc ? ctl_store_error(ctl) : 0;
}

/* Reports on standard error what was done, as standard output may be the data. */
static void report_counts(const char *what, const char *name, const struct data_counts *counts)
{
	char text[DATA_COUNTS_SIZE];

	data_counts_text(counts, text);
	output_line(NULL, "%s %s: %s", name, what, text);
}

/* Devices and pipes are written to as they are: only a plain file can be replaced. */
static bool is_plain(const char *path)
{
	struct stat status;

	return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

static int export_to(struct ctl *ctl, const char *path, struct data_counts *counts)
{
	struct whole_file file = { .fresh = "" };
	bool plain = is_plain(path);
	FILE *out;
	int status;

	if (plain && whole_file_start(&file, path))
		return ctl_error(EXIT_FAULT, "%s", file.message);
	out = fopen(plain ? file.fresh : path, "we");
	if (!out) {
		status = ctl_error(EXIT_FAULT, "%s: cannot be written: %s", path, strerror(errno));
		goto drop;
	}
	status = write_data(ctl, out, counts);
	if ((ferror(out) | fclose(out)) && status == 0)
		status = ctl_error(EXIT_FAULT, "%s: cannot be written: %s", path, strerror(errno));
	if (status == 0 && plain && whole_file_finish(&file, true))
		status = ctl_error(EXIT_FAULT, "%s", file.message);
drop:
	whole_file_drop(&file);
	return status;
}

static int ctl_export(struct ctl *ctl)
{
	const char *path = ctl->word_count ? ctl->words[0] : "-";
	struct data_counts counts;
	int status;

	if (strcmp(path, "-") == 0)
		output_json();
	if (strcmp(path, "-") == 0)
		return write_data(ctl, stdout, &counts);
	status = export_to(ctl, path, &counts);
	if (status == 0)
		report_counts("written", path, &counts);
	return status;
}

/* --- import ---------------------------------------------------------------- */

char *ctl_read_file(const char *path, size_t *length)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t size = 1 << 16, got;
	char *text = NULL, *more;

	*length = 0;
	while (in) {
		more = realloc(text, size + 1);
		if (!more)
			break;
		text = more;
		got = fread(text + *length, 1, size - *length, in);
		*length += got;
		text[*length] = '\0';
		if (*length < size) {
			if (ferror(in))
				break;
			if (in != stdin)
				fclose(in);
			return text;
		}
		size *= 2;
	}
	ctl_error(EXIT_FAULT, "%s: cannot be read: %s", path, strerror(errno));
	if (in && in != stdin)
		fclose(in);
	free(text);
	return NULL;
}

static void print_import(struct ctl *ctl, const char *file, const struct data_import *import)
{
	json_t *object = json_object();
	char text[DATA_COUNTS_SIZE];

	for (size_t i = 0; data_tables[i]; i++)
		json_object_set_new(object, data_tables[i]->key,
		                    json_integer((json_int_t)import->counts.rows[i]));
	if (import->dry_run)
		json_object_set_new(object, "dry_run", json_true());
	ctl_import_warnings(ctl, file, &import->errors, object);
	json_object_set_new(object, "open", json_integer((json_int_t)import->counts.open));
	if (ctl->json) {
		ctl_print_json(object);
		return;
	}
	json_decref(object);
	data_counts_text(&import->counts, text);
	printf("%s %s\n",
	       import->dry_run ? "dry run, nothing is stored; to be imported:" : "imported", text);
	if (import->counts.open)
		printf("%llu open job%s: done at the next boot; \"prebootctl job list --open\" "
		       "lists what is open\n", (unsigned long long)import->counts.open,
		       import->counts.open == 1 ? "" : "s");
}

static int import_text(struct ctl *ctl, const char *file, struct data_import *import)
{
	const char *wrong = encoding_wrong(import->text, import->length);

	if (wrong)
		return ctl_error(EXIT_FAULT, "%s: %s", file, wrong);
	switch (data_import(&ctl->store, import)) {
	case 0:
		print_import(ctl, file, import);
		return 0;
	case ERR_MALFORMED:
		return ctl_import_refused(ctl, file, &import->errors, "nothing has been imported");
	case ERR_REFUSED:
		return ctl_error(EXIT_FAULT, "%s has data already; use --replace to put those of "
		                 "%s in their place, or name a new database with --database",
		                 ctl->database, file);
	default: return ctl_store_error(ctl);
	}
}

static int ctl_import(struct ctl *ctl)
{
	const char *path = ctl->words[0];
	struct data_import import = {
		.replace = ctl_given(ctl, &opt_replace), .dry_run = ctl_given(ctl, &opt_dry_run),
	};
	char *text = ctl_read_file(path, &import.length);
	int status;

	if (!text)
		return EXIT_FAULT;
	import.text = text;
	status = import_text(ctl, strcmp(path, "-") == 0 ? "standard input" : path, &import);
	import_errors_free(&import.errors);
	free(text);
	return status;
}

/* --- the nouns -------------------------------------------------------------- */

static const struct verb export_verbs[] = {
	{ .run = ctl_export, .min = 0, .max = 1, .usage = "[FILE]",
	  .help = "Write all of the administrator's data as JSON to FILE, which is replaced, or to "
	          "standard output: folders, groups, devices, what is stored of UUIDs, bundles, "
	          "assignments, rules, sessions, settings, jobs. What prebootd recorded is left "
	          "out: events, last requests, unknown machines, counters, and the MACs that a "
	          "shared UUID came with. FILE may hold secrets, and only its owner can read it." },
	{ .run = NULL },
};

const struct noun noun_export = {
	.name = "export", .about = "write all data as JSON", .verbs = export_verbs,
};

static const struct verb import_verbs[] = {
	{ .run = ctl_import, .min = 1, .max = 1, .options = OPTIONS(&opt_replace, &opt_dry_run),
	  .database = DB_CREATE, .usage = "FILE [--replace] [--dry-run]",
	  .help = "Read what \"export\" wrote into a database without data: all of it or nothing. "
	          "FILE \"-\" is standard input. Errors are reported with line and place. "
	          "What is stored of UUIDs stays where the file says nothing of them. Open jobs of "
	          "the file are done at the machines' next boot." },
	{ .run = NULL },
};

const struct noun noun_import = {
	.name = "import", .about = "read data that export wrote", .verbs = import_verbs,
};
