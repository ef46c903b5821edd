/* SPDX-License-Identifier: BSD-2-Clause */
/* Are the files there that machines will ask the TFTP server for? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/jobs.h"
#include "server/store/settings.h"
#include "server/tool/output.h"

#define HOST_PATH 520 /* holds a root, a folder, a prefix and a name */
#define PROBLEM 1200

/* Where the TFTP server's files are on this host, and who gets to know what is missing. */
struct tftp {
	char root[SETTING_TEXT];   /* "": nobody said */
	char folder[SETTING_TEXT]; /* the NBPs', in the root; "": the root itself */
	void (*found)(void *data, const char *problem, const char *remedy);
	void *data;
};

/* --- one file -------------------------------------------------------------- */

/* Writes the path on this host of the file that a machine asks for as @folder @name. */
static void host_path(const struct tftp *t, const char *folder, const char *name,
                      char path[HOST_PATH])
{
	bool whole = name[0] == '/';

	folder += folder[0] == '/';
	snprintf(path, HOST_PATH, "%.127s/%.127s%s%.255s", t->root, whole ? "" : folder,
	         whole || !folder[0] ? "" : "/", name + whole);
}

/*
 * Says what is wrong with a file on this host, or NULL. Folders are looked at from the TFTP
 * server's root on, of which @root is the length; what is above is its own affair.
 * @remedy: receives what to do, where it is something else than to put the file there
 */
static const char *find_problem(const char *path, size_t root, char remedy[HOST_PATH])
{
	struct stat status;
	char part[HOST_PATH];

	if (stat(path, &status))
		return errno == ENOENT || errno == ENOTDIR ? "is not there" : strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "is no file";
	if (status.st_size == 0)
		return "is empty, so machines take it for missing";
	for (size_t end = root; end; end = path[end] ? end + 1 + strcspn(path + end + 1, "/") : 0) {
		bool file = !path[end];

		snprintf(part, sizeof(part), "%.*s", (int)end, path);
		if (stat(part, &status) || status.st_mode & (file ? S_IROTH : S_IXOTH))
			continue;
		snprintf(remedy, HOST_PATH, "chmod a+r%s %.500s", file ? "" : "x", part);
		return file ? "may not be read by all, as the TFTP server needs it"
		            : "is in a folder that may not be entered by all, as the TFTP server "
		              "needs it";
	}
	return NULL;
}

/*
 * Looks for @name. What is not absolute is taken from the folder of the NBPs; with a path
 * prefix, a configuration file from there.
 */
static void look_for(const struct tftp *t, const char *what, const char *name, const char *prefix)
{
	char problem[PROBLEM], path[HOST_PATH], joined[2 * FILE_SIZE], remedy[HOST_PATH] = "";
	const char *why;
	size_t root = strlen(t->root);

	if (!name[0])
		return;
	if (!root) {
		if (name[0] == '/') {
			snprintf(problem, sizeof(problem), "%s: %s counts from the TFTP server's "
			         "root, not from this host's", what, name);
			t->found(t->data, problem, "leave out the root's own path; \"prebootctl "
			         "settings set tftp-root=FOLDER\" has such names checked");
		}
		return;
	}
	/* PXELINUX puts the prefix, as it is, before what is not absolute. */
	snprintf(joined, sizeof(joined), "%s%s", name[0] == '/' ? "" : prefix, name);
	host_path(t, prefix[0] ? "" : t->folder, joined, path);
	why = find_problem(path, root, remedy);
	if (!why)
		return;
	snprintf(problem, sizeof(problem), "%s: %s: %s %s", what, name, path, why);
	if (strncmp(name, t->root, root) == 0 && name[root] == '/')
		snprintf(joined, sizeof(joined), "names count from the TFTP server's root: say %s",
		         name + root + 1);
	else
		snprintf(joined, sizeof(joined), "put it there, or name another one");
	t->found(t->data, problem, remedy[0] ? remedy : joined);
}

/* --- what names files ------------------------------------------------------ */

/* Returns which setting has the loader of a kind. */
static size_t setting_of(enum loader_kind kind)
{
	char key[32];

	snprintf(key, sizeof(key), "loader-%s", loader_name(kind));
	return (size_t)setting_find(key);
}

/*
 * Looks for the loaders but those that the settings have. Few sites have machines of the last two
 * kinds, so nobody misses what is built in for them.
 */
static void look_for_loaders(const struct tftp *t, const char *what, const struct loaders *loaders)
{
	for (enum loader_kind kind = 0; kind < LOADERS; kind++) {
		const char *name = loaders->of[kind];

		if (strcmp(name, LOADER_OF_SETTINGS) != 0 &&
		    (kind <= LOADER_UEFI || strcmp(name, setting_default(setting_of(kind))) != 0))
			look_for(t, what, name, "");
	}
}

static void look_for_all(const struct tftp *t, const char *what, const struct loaders *loaders,
                         const char *config, const char *prefix)
{
	look_for_loaders(t, what, loaders);
	look_for(t, what, config, prefix);
}

/* Warnings go to standard error: what was to be done is done all the same. */
static void print_warning(void *data, const char *problem, const char *remedy)
{
	(void)data;
	output_line("prebootctl: warning", "%s; %s", problem, remedy);
}

static void keep_silent(void *data, const char *problem, const char *remedy)
{
	(void)data;
	(void)problem;
	(void)remedy;
}

/* Reports that one of the folders is not there; as a warning once, however much a verb does. */
static void report_folder(struct ctl *ctl, struct tftp *t, const char *problem, const char *remedy)
{
	bool warning = t->found == print_warning;

	if (!warning || !ctl->warned_of_tftp)
		t->found(t->data, problem, remedy);
	ctl->warned_of_tftp |= warning;
	t->root[0] = '\0';
}

/* Reads where the files are. @t->found is called where one of the folders is not there. */
static int read_folders(struct ctl *ctl, struct tftp *t)
{
	static const struct owner global = { LEVEL_GLOBAL, 0 };
	struct owner from;
	struct stat status;
	char problem[PROBLEM], path[HOST_PATH];
	int rc = setting_read(&ctl->store, &global, (size_t)setting_find(SETTING_TFTP_ROOT),
	                      t->root,
	                      &from);
	size_t length = strlen(t->root);

	if (rc == 0)
		rc = setting_read(&ctl->store, &global, (size_t)setting_find(SETTING_TFTP_FOLDER),
		                  t->folder, &from);
	if (rc)
		return rc;
	while (length > 1 && t->root[length - 1] == '/')
		t->root[--length] = '\0';
	if (!length)
		return 0;
	if (stat(t->root, &status) || !S_ISDIR(status.st_mode)) {
		snprintf(problem, sizeof(problem), "tftp-root: %s is no folder of this host",
		         t->root);
		report_folder(ctl, t, problem, "say where the TFTP server has its files, or "
		              "\"prebootctl settings unset tftp-root\"");
		return ERR_NOT_FOUND;
	}
	host_path(t, "", t->folder, path);
	if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
		snprintf(problem, sizeof(problem), "tftp-folder: %s is no folder of this host",
		         path);
		report_folder(ctl, t, problem, "say in which folder of the TFTP server's root the "
		              "NBPs are, or \"prebootctl settings unset tftp-folder\"");
		return ERR_NOT_FOUND;
	}
	return 0;
}

void ctl_warn_job(struct ctl *ctl, const char *what, const struct job *job)
{
	struct tftp t = { .found = print_warning };

	if (read_folders(ctl, &t) == 0)
		look_for_all(&t, what, &job->loaders, job->config, job->prefix);
}

void ctl_warn_bundle_id(struct ctl *ctl, uint64_t id)
{
	static const struct owner global = { LEVEL_GLOBAL, 0 };
	struct bundle_whole whole;
	struct settings settings;
	struct job job;
	char what[NAME_SIZE + 8];

	if (bundle_by_id(&ctl->store, id, &whole) || settings_read(&ctl->store, &global, &settings))
		return;
	snprintf(what, sizeof(what), "bundle %s", whole.bundle.name);
	job_of_bundle(&whole.bundle, &settings, &job);
	ctl_warn_job(ctl, what, &job);
}

/* Says whether the file that a setting names is to be looked for, where it is @from. */
static bool is_set_for(const struct owner *owner, const struct owner *from)
{
	return from->level == owner->level && from->id == owner->id;
}

/*
 * Looks for the menu, where there is to be one, and for the loaders that are set for @owner
 * itself. @used: those that are built in, too, as there are jobs that leave it to them
 */
static int look_for_settings(struct ctl *ctl, const struct tftp *t,
                             const struct owner *owner, const bool used[LOADERS])
{
	/* The loaders in the order of enum loader_kind. */
	static const char *const keys[] = { "loader-bios", "loader-uefi", "loader-uefi-ia32",
		                            "loader-uefi-arm64", "menu-file", "menu-mode" };
	enum { MENU_FILE = LOADERS, MENU_MODE, COUNT };
	struct owner from[COUNT];
	char values[COUNT][SETTING_TEXT], text[CTL_OWNER], what[CTL_OWNER + 32];

	ctl_owner_text(ctl, owner, text);
	for (int i = 0; i < COUNT; i++) {
		int rc = setting_read(&ctl->store, owner, (size_t)setting_find(keys[i]), values[i],
		                      &from[i]);

		if (rc)
			return rc;
	}
	for (int i = 0; i <= MENU_FILE; i++) {
		if (i == MENU_FILE ? strcmp(values[MENU_MODE], "never") == 0 ||
		                     !(is_set_for(owner, &from[MENU_FILE]) ||
		                       is_set_for(owner, &from[MENU_MODE]))
		                   : !is_set_for(owner, &from[i]) && !used[i])
			continue;
		snprintf(what, sizeof(what), "setting %s of %s", keys[i], text);
		look_for(t, what, values[i], "");
	}
	return 0;
}

void ctl_warn_settings(struct ctl *ctl, const struct owner *owner)
{
	struct tftp t = { .found = print_warning };

	if (read_folders(ctl, &t) == 0)
		look_for_settings(ctl, &t, owner, (bool[LOADERS]){ false });
}

bool ctl_setting_names_files(const char *key)
{
	static const char *const keys[] = { SETTING_TFTP_ROOT, SETTING_TFTP_FOLDER, "loader-bios",
		                            "loader-uefi", "loader-uefi-ia32", "loader-uefi-arm64",
		                            "menu-file", "menu-mode" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

void ctl_note_kind(struct ctl *ctl, const struct bundle *bundle)
{
	struct tftp t = { .found = keep_silent };

	/* Those of the other kinds come with the examples. */
	if (strcmp(bundle->config, bundle_kind_config(bundle->kind)) != 0 ||
	    strcmp(bundle->config, bundle_kind_config(BUNDLE_IMAGING)) == 0)
		return;
	if (read_folders(ctl, &t) || t.root[0])
		return; /* it has been looked for */
	output_line("prebootctl: note", "bundle %s is of kind %s, so its configuration file is %s; "
	            "write it, and put it into the TFTP server's root, or name another one with "
	            "--config", bundle->name, bundle_kind_name(bundle->kind),
	            bundle->config);
}

/* --- all of them ----------------------------------------------------------- */

static int check_bundles(struct ctl *ctl, const struct tftp *t)
{
	static const struct owner global = { LEVEL_GLOBAL, 0 };
	struct bundle_whole whole;
	struct bundle *b = &whole.bundle;
	char what[NAME_SIZE + 8];
	/* A missing loader of the settings is reported with those. */
	bool used[LOADERS] = { false };
	struct store_rows *rows;
	int rc = bundle_list(&ctl->store, &rows);

	while (store_next(rows, &rc)) {
		bundle_row(rows, &whole);
		snprintf(what, sizeof(what), "bundle %s", b->name);
		for (enum loader_kind kind = 0; kind <= LOADER_UEFI; kind++)
			used[kind] |= strcmp(b->loaders.of[kind], LOADER_OF_SETTINGS) == 0;
		look_for_all(t, what, &b->loaders, b->config, b->prefix);
	}
	return rc ? rc : look_for_settings(ctl, t, &global, used);
}

/* A job is what it was made of, whatever became of its bundle. */
static int check_job(struct ctl *ctl, const struct tftp *t)
{
	struct store_rows *rows;
	struct job job;
	char what[32];
	int rc = job_list_files(&ctl->store, &rows);

	while (store_next(rows, &rc)) {
		job_row(rows, &job);
		snprintf(what, sizeof(what), "job %llu", (unsigned long long)job.number);
		look_for_all(t, what, &job.loaders, job.config, job.prefix);
	}
	return rc;
}

/* Of each folder and device that has settings of files. */
static int check_settings(struct ctl *ctl, const struct tftp *t)
{
	struct store_rows *rows;
	struct owner owner;
	int rc = setting_list_file_owners(&ctl->store, &rows);

	while (store_next(rows, &rc)) {
		setting_owner_row(rows, &owner);
		rc = look_for_settings(ctl, t, &owner, (bool[LOADERS]){ false });
	}
	return rc;
}

int ctl_check_files(struct ctl *ctl, void (*found)(void *data, const char *problem,
                                                   const char *remedy), void *data)
{
	struct tftp t = { .found = found, .data = data };
	int rc = read_folders(ctl, &t);

	if (rc || !t.root[0])
		return rc == ERR_NOT_FOUND ? 0 : rc;
	rc = check_bundles(ctl, &t);
	if (rc == 0)
		rc = check_settings(ctl, &t);
	return rc ? rc : check_job(ctl, &t);
}
