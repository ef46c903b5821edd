/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_help.h"

const char help_device_import[] =
	"prebootctl device import FILE [--create-folders] [--create-groups] [--dry-run]\n"
	"  Adds and changes devices as a file of comma-separated values says, all of them or none;\n"
	"  every error is printed with its line and column. FILE \"-\" is standard input. The first\n"
	"  line names the columns, some of\n"
	"    name,mac,uuid,isd,folder,group\n"
	"    web01,52:54:00:12:34:56,,,/site/lab,kiosks\n"
	"  A name that is a device's changes that device; a line without a name changes the device\n"
	"  that has its MAC, UUID or device id. An empty field leaves what a device has; \"-\" clears\n"
	"  it. Several MACs or groups stand in one field with blanks between them, and a device gets\n"
	"  just those. \"device list --csv\" writes the same form.\n"
	"    --create-folders  make the folders that are missing\n"
	"    --create-groups   make the groups that are missing\n"
	"    --dry-run         print what would change, and change nothing\n";
const char help_export[] =
	"prebootctl export [FILE]\n"
	"  Writes all of the administrator's data as JSON to FILE, whose place it takes, or to\n"
	"  standard output: folders, groups, devices, bundles, assignments, rules, sessions,\n"
	"  settings, work. What prebootd noted is left out: events, last requests, unknown\n"
	"  machines, counters. FILE may hold secrets, and is for its owner alone.\n";
const char help_import[] =
	"prebootctl import FILE [--replace] [--dry-run]\n"
	"  Puts what \"export\" wrote into a database without data; all of it or nothing.\n"
	"  FILE \"-\" is standard input. Every error is told with its line and its place.\n"
	"    --replace  in place of the data there are\n"
	"    --dry-run  check everything, and change nothing\n";
const char help_check[] =
	"prebootctl check\n"
	"  Looks for damage, and for what should not be: values that nobody could have set,\n"
	"  what belongs to something that is gone, folders within themselves, two open leases;\n"
	"  with the setting tftp-root, files that the TFTP server does not have.\n"
	"  Tells each with a remedy; changes nothing. Exit status 1 if there is any.\n";
const char help_backup[] =
	"prebootctl backup FILE [--force]\n"
	"  Copies the database to FILE, as it is at one moment, while prebootd runs; reads the\n"
	"  copy again, and gives it its name when it is whole and sound.\n"
	"    --force  in place of the file that is there\n";
const char help_watch[] =
	"prebootctl watch [DEVICE|FOLDER] [--limit N]\n"
	"  Tells what happens to all machines, unknown ones too, or to a device or those in a\n"
	"  folder, a line each as it happens; with --json an object a line. Ends with Ctrl-C.\n"
	"    --limit N  begin with the last N events\n";
const char help_stats[] =
	"prebootctl stats [--prometheus]\n"
	"  Counts questions, answers, drops, answer times, leases by state, devices, unknown\n"
	"  machines. prebootd counts from its start.\n"
	"    --prometheus  in Prometheus' text format\n";
const char help_complete[] =
	"prebootctl complete -- WORD...\n"
	"  Tells the shell what may stand in place of the last word; see prebootctl.bash.\n";
