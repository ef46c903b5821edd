/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/noun.h"

static int ctl_manual(struct ctl *ctl)
{
	(void)ctl;
	help_manual();
	return 0;
}

static const struct verb verbs[] = {
	{ .run = ctl_manual, .database = DB_NONE,
	  .help = "Print the COMMANDS of the manual page, for the build, which puts them into "
	          "prebootctl.8.in." },
	{ .run = NULL },
};

const struct noun noun_manual = { .name = "manual", .verbs = verbs };
