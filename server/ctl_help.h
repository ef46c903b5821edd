/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_HELP_H
#define SERVER_CTL_HELP_H

/* What prebootctl --help says: of all, and of each verb. */
extern const char help_all[];
extern const char *const help_device_add, *const help_device_change,
	*const help_device_list, *const help_device_show,
	*const help_device_remove, *const help_work_assign, *const help_work_list,
	*const help_work_show, *const help_work_cancel, *const help_event_list,
	*const help_device_trace, *const help_settings_show, *const help_settings_set,
	*const help_settings_unset,
	*const help_menu_check, *const help_menu_show, *const help_menu_passwd;

#endif
