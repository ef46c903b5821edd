/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl_help.h"

const char help_export[] =
	"prebootctl export [FILE]\n"
	"  Writes all of the administrator's data as JSON to FILE, whose place it takes, or to\n"
	"  standard output: folders, groups, devices, bundles, assignments, rules, sessions,\n"
	"  settings, work. What prebootd noted is left out: events, last requests, unknown\n"
	"  machines, counters. FILE may hold secrets, and is for its owner alone.\n";
const char help_import[] =
	"prebootctl import FILE [--replace]\n"
	"  Puts what \"export\" wrote into a database without data; all of it or nothing.\n"
	"  FILE \"-\" is standard input. Every error is told with its line and its place.\n"
	"    --replace  in place of the data there are\n";
