/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_HELP_H
#define SERVER_CTL_HELP_H

/*
 * What prebootctl --help says, before and after its list of nouns; and for each verb: a
 * line that begins with "prebootctl" and shows how it is written, then what it does.
 */
extern const char help_usage[], help_options[];

extern const char help_device_add[], help_device_change[], help_device_list[];
extern const char help_device_show[], help_device_remove[], help_device_trace[];
extern const char help_explain[], help_rule_test[], help_rule_facts[];
extern const char help_work_assign[], help_work_list[], help_work_show[], help_work_cancel[];
extern const char help_event_list[];
extern const char help_settings_show[], help_settings_set[], help_settings_unset[];
extern const char help_menu_check[], help_menu_show[], help_menu_passwd[];
extern const char help_device_import[];
extern const char help_export[], help_import[], help_check[], help_backup[];

#endif
