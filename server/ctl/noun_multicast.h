/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_MULTICAST_H
#define SERVER_CTL_NOUN_MULTICAST_H

#include "server/ctl/noun.h"

/* What the files of this noun share. */

/* The verbs that have a file of their own; each returns an exit status. */
int ctl_multicast_list(struct ctl *ctl);
int ctl_multicast_show(struct ctl *ctl);

#endif
