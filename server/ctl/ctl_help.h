/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_HELP_H
#define SERVER_CTL_CTL_HELP_H

/*
 * What prebootctl --help says, before and after its list of nouns; and for each verb: a
 * line that begins with "prebootctl" and shows how it is written, then what it does.
 */
extern const char help_usage[], help_options[];

extern const char help_device_add[], help_device_change[], help_device_list[];
extern const char help_device_show[], help_device_remove[], help_device_trace[];
extern const char help_explain[], help_rule_test[], help_rule_facts[];
extern const char help_job_assign[], help_job_list[], help_job_show[], help_job_cancel[];
extern const char help_event_list[];
extern const char help_settings_show[], help_settings_set[], help_settings_unset[];
extern const char help_menu_check[], help_menu_show[], help_menu_passwd[];
extern const char help_device_import[];
extern const char help_export[], help_import[], help_check[], help_backup[];
extern const char help_watch[], help_stats[], help_complete[];

/* ctl_help_policy.c */
extern const char help_device_move[], help_device_rename[], help_device_admit[];
extern const char help_device_release[];
extern const char help_folder_add[], help_folder_list[], help_folder_show[], help_folder_move[];
extern const char help_folder_rename[], help_folder_remove[], help_group_add[], help_group_list[];
extern const char help_group_show[], help_group_rename[], help_group_remove[], help_group_join[];
extern const char help_group_leave[], help_bundle_add[], help_bundle_change[];
extern const char help_bundle_rename[], help_bundle_list[], help_bundle_show[];
extern const char help_bundle_remove[], help_assignment_add[], help_assignment_list[];
extern const char help_assignment_remove[], help_rule_add[], help_rule_change[];
extern const char help_rule_rename[], help_rule_move[], help_rule_list[], help_rule_show[];
extern const char help_rule_enable[], help_rule_disable[], help_rule_remove[];
extern const char help_multicast_add[], help_multicast_change[], help_multicast_list[];
extern const char help_multicast_show[], help_multicast_start[], help_multicast_end[];
extern const char help_multicast_join[], help_multicast_leave[], help_multicast_remove[];
extern const char help_uuid_list[], help_uuid_show[], help_uuid_allow[], help_uuid_ignore[],
	help_uuid_forget[];
extern const char help_unknown_list[], help_unknown_show[], help_unknown_remove[];
extern const char help_job_retry[], help_job_release[], help_inventory[];

#endif
