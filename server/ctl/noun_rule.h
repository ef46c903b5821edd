/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_RULE_H
#define SERVER_CTL_NOUN_RULE_H

#include "server/ctl/noun.h"

/* What the files of this noun share. */

extern const struct ctl_option opt_address, opt_all;

/* The verbs that have a file of their own; each returns an exit status. */
int ctl_rule_facts(struct ctl *ctl);
int ctl_rule_test(struct ctl *ctl);

#endif
