/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_MENU_H
#define SERVER_CTL_NOUN_MENU_H

#include "server/ctl/noun.h"

/* What the files of this noun share. */

extern const struct ctl_option opt_stdin, opt_iterations;

/* The verbs that have a file of their own; each returns an exit status. */
int ctl_menu_passwd(struct ctl *ctl);

#endif
