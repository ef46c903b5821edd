/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_NOUN_DEVICE_H
#define SERVER_CTL_NOUN_DEVICE_H

#include "server/ctl/noun.h"

/* What the files of this noun share. */

extern const struct ctl_option opt_mac, opt_uuid, opt_isd, opt_folder, opt_boot;
extern const struct ctl_option opt_create_folders, opt_create_groups, opt_dry_run;

/* The verbs that have a file of their own; each returns an exit status. */
int ctl_device_add(struct ctl *ctl);
int ctl_device_admit(struct ctl *ctl);
int ctl_device_change(struct ctl *ctl);
int ctl_device_import(struct ctl *ctl);
int ctl_device_show(struct ctl *ctl);
int ctl_device_trace(struct ctl *ctl);

#endif
