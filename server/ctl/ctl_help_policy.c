/* SPDX-License-Identifier: BSD-2-Clause */
/* What --help says of folders, groups, bundles, assignments, rules, sessions and unknown machines. */
#include "server/ctl/ctl_help.h"

/* Wherever devices can be given, as the first of these says. */
#define DEVICES \
	"  A device is given by name, MAC or UUID; \"/site/lab\" stands for all in that folder\n" \
	"  and below it, \"group:NAME\" for all in that group.\n"

const char help_device_move[] =
	"prebootctl device move DEVICE... FOLDER\n"
	"  Moves devices to a folder, as /site/lab; \"/\": to none.\n"
	DEVICES;
const char help_device_rename[] =
	"prebootctl device rename DEVICE NAME\n"
	"  Gives a device another name. Its work and its story stay.\n";
const char help_device_admit[] =
	"prebootctl device admit MAC|UUID [NAME] [--folder FOLDER]\n"
	"  Makes a device of an unknown machine that has asked, known by what it told. All its\n"
	"  network adapters that asked with the same UUID are taken where serial numbers say that\n"
	"  it is one machine. NAME: pc-525400123456.\n";

const char help_folder_add[] =
	"prebootctl folder add PATH...\n"
	"  Makes folders, as /site and then /site/lab; 16 deep at most.\n";
const char help_folder_list[] =
	"prebootctl folder list [FOLDER]\n"
	"  Draws the tree of folders, with how many devices each has, not counting those below\n"
	"  it, and how many settings and assignments were made for it.\n";
const char help_folder_show[] =
	"prebootctl folder show FOLDER\n"
	"  Shows what is in a folder, and what was set and assigned for it.\n";
const char help_folder_move[] =
	"prebootctl folder move FOLDER FOLDER\n"
	"  Moves a folder, with all that is in it, into another one; \"/\": to the top.\n";
const char help_folder_rename[] =
	"prebootctl folder rename FOLDER NAME\n"
	"  Gives a folder another name; it stays where it is.\n";
const char help_folder_remove[] =
	"prebootctl folder remove FOLDER [--force]\n"
	"  Removes a folder, with its settings and assignments. By --force also one that is not\n"
	"  empty: the folders and devices in it move to the one around it.\n";

const char help_group_add[] =
	"prebootctl group add NAME [DEVICE]...\n"
	"  Makes a group of devices, which may be in any folders. \"group:NAME\" stands for it\n"
	"  where one can be given.\n";
const char help_group_list[] =
	"prebootctl group list\n"
	"  Lists the groups.\n";
const char help_group_show[] =
	"prebootctl group show GROUP\n"
	"  Shows who is in a group, and what is assigned to it.\n";
const char help_group_join[] =
	"prebootctl group join GROUP DEVICE...\n"
	"  Puts devices into a group.\n"
	DEVICES;
const char help_group_leave[] =
	"prebootctl group leave GROUP DEVICE...\n"
	"  Takes devices out of a group.\n";
const char help_group_rename[] =
	"prebootctl group rename GROUP NAME\n"
	"  Gives a group another name.\n";
const char help_group_remove[] =
	"prebootctl group remove GROUP [--force]\n"
	"  Removes a group; the devices stay. With assignments only by --force.\n";

const char help_unknown_list[] =
	"prebootctl stranger list [--limit N]\n"
	"  Lists machines that have asked and are no devices, the last one first. The 10000\n"
	"  seen last are kept. The note says whose their UUID or MAC may be, too.\n";
const char help_unknown_show[] =
	"prebootctl stranger show MAC|UUID\n"
	"  Shows all that an unknown machine told.\n";
const char help_unknown_remove[] =
	"prebootctl stranger remove MAC|UUID|--all\n"
	"  Forgets an unknown machine, or all of them, until they ask again.\n";

const char help_uuid_list[] =
	"prebootctl uuid list\n"
	"  Lists UUIDs of which something is known: shared by several machines, ignored, allowed.\n";
const char help_uuid_show[] =
	"prebootctl uuid show UUID\n"
	"  Lists the MACs and serial numbers that a shared UUID came with.\n";
const char help_uuid_allow[] =
	"prebootctl uuid allow UUID...\n"
	"  Says that a UUID is one machine's, whatever MAC it comes with.\n";
const char help_uuid_ignore[] =
	"prebootctl uuid ignore UUID...\n"
	"  Says that a UUID tells nothing: machines that have it are known by MAC or image-safe\n"
	"  data alone.\n";
const char help_uuid_forget[] =
	"prebootctl uuid forget UUID...\n"
	"  Takes back what is known of a UUID: it counts again, until machines share it.\n";

const char help_inventory[] =
	"prebootctl inventory [FOLDER] [--group GROUP] [--seen]\n"
	"  Lists what each machine last told of itself; with --json, all of it. --seen: only\n"
	"  those that have ever asked, the last one first.\n";

const char help_bundle_add[] =
	"prebootctl bundle add NAME [--kind KIND] [OPTION]... [KEY=VALUE]...\n"
	"  Makes named work, to be assigned, or given by rules and multicast sessions. KEY=VALUE\n"
	"  pairs are handed to the agent in the booted system.\n"
	"    --kind KIND         imaging (default), third-party, kickstart, script, multicast\n"
	"    --config FILE       the loader's configuration file; \"\": it takes none; by kind:\n"
	"                        z_auto.cfg, winpe.cfg, kickstart.cfg, z_auto.cfg, z_auto.cfg\n"
	"    --loader-bios FILE  the loader for BIOS firmware; \"\": none; \"*\" (default):\n"
	"    --loader-uefi FILE  as the device's settings loader-bios and loader-uefi say\n"
	"    --prefix PATH       the loader's path prefix\n"
	"    --attempts N        how many boots may be offered it (the setting attempts)\n"
	"    --deadline TIME     how long it may take once begun: 90s, 30m, 4h, 1d (the setting\n"
	"                        deadline)\n"
	"    --completes WHAT    what ends it: agent (its report), handover (the loader gets\n"
	"                        the machine), next-boot (it boots again, having not gone to\n"
	"                        its disk); by kind: agent, of third-party, kickstart next-boot\n";
const char help_bundle_change[] =
	"prebootctl bundle change NAME [--kind KIND] [OPTION]... [--unset KEY,...] [KEY=VALUE]...\n"
	"  Changes a bundle: what is given is replaced, all else stays; --unset takes details\n"
	"  away. Work that a machine has already been given stays as it is. Options: see\n"
	"  \"prebootctl bundle add --help\"; \"*\" makes attempts and deadline those of the\n"
	"  settings again.\n";
const char help_bundle_list[] =
	"prebootctl bundle list\n"
	"  Lists the bundles, by how many assignments, rules and sessions each is used, and how\n"
	"  much work made of it is open, done and failed.\n";
const char help_bundle_show[] =
	"prebootctl bundle show NAME\n"
	"  Shows a bundle, and to whom it is assigned.\n";
const char help_bundle_rename[] =
	"prebootctl bundle rename NAME NEWNAME\n"
	"  Gives a bundle another name.\n";
const char help_bundle_remove[] =
	"prebootctl bundle remove NAME\n"
	"  Removes a bundle that no assignment, rule or session uses.\n";

const char help_assignment_add[] =
	"prebootctl assignment add BUNDLE [--to] TARGET... [--once|--always|--until DATE]\n"
	"  Assigns a bundle to a device, a folder with all below it (/site/lab), a group\n"
	"  (group:NAME), or all devices (/). The nearest counts first: the device's own, its\n"
	"  groups', its folder's and those around it, then all devices'.\n"
	"    --once        each machine gets it once (default)\n"
	"    --always      each machine gets it at each boot\n"
	"    --until DATE  the same, until the end of a day, as 2026-12-31, a time, as\n"
	"                  \"2026-12-31 18:00\", or for so long, as 7d\n"
	"  Where it fails, it is not tried again before \"prebootctl work retry\".\n";
const char help_assignment_list[] =
	"prebootctl assignment list [BUNDLE] [--to TARGET]\n"
	"  Lists assignments: of a bundle, or made to just this target. What a device gets in\n"
	"  the end, and why: \"prebootctl explain DEVICE\".\n";
const char help_assignment_remove[] =
	"prebootctl assignment remove ID | BUNDLE --to TARGET\n"
	"  Ends an assignment. Work that a machine has already been given stays: \"prebootctl\n"
	"  work cancel\".\n";

const char help_rule_add[] =
	"prebootctl rule add NAME --bundle BUNDLE [OPTION]... FILTER\n"
	"  Makes a rule: machines that FILTER matches and that have no assignment get\n"
	"  the bundle. The first rule that matches counts, so their order matters. As in\n"
	"    prebootctl rule add dell --bundle win 'maker contains Dell and memory >= 8G'\n"
	"    --bundle BUNDLE   what they get\n"
	"    --for WHOM        known (default): devices; unknown: machines that are none, which\n"
	"                      become devices then; both\n"
	"    --repeat          also machines that have had the bundle, at each boot\n"
	"    --disabled        not yet: until \"prebootctl rule enable\"\n"
	"    --before RULE, --after RULE  where in the order; else at the end\n"
	"    --filter FILTER   the same as FILTER at the end\n";
const char help_rule_change[] =
	"prebootctl rule change NAME [--bundle BUNDLE] [--for WHOM] [--repeat|--no-repeat]\n"
	"                       [FILTER]\n"
	"  Changes a rule: what is given is replaced, all else stays.\n";
const char help_rule_move[] =
	"prebootctl rule move NAME POSITION | --before RULE | --after RULE\n"
	"  Changes the order of the rules. POSITION: from 1.\n";
const char help_rule_list[] =
	"prebootctl rule list\n"
	"  Lists the rules in their order.\n";
const char help_rule_show[] =
	"prebootctl rule show NAME\n"
	"  Shows a rule.\n";
const char help_rule_enable[] =
	"prebootctl rule enable NAME\n"
	"  Lets a rule count again.\n";
const char help_rule_disable[] =
	"prebootctl rule disable NAME\n"
	"  Keeps a rule, but passes it over.\n";
const char help_rule_rename[] =
	"prebootctl rule rename NAME NEWNAME\n"
	"  Gives a rule another name.\n";
const char help_rule_remove[] =
	"prebootctl rule remove NAME\n"
	"  Removes a rule.\n";

const char help_multicast_add[] =
	"prebootctl multicast add NAME --bundle BUNDLE [--clients N] [--wait TIME] [DEVICE]...\n"
	"  Makes a session: its members get the bundle at their next boot, wait for each other,\n"
	"  and start together. Who comes later is told that it has started without them.\n"
	"    --clients N  start when so many have joined\n"
	"    --wait TIME  start so long after the last one has joined: 90s, 5m\n"
	DEVICES;
const char help_multicast_change[] =
	"prebootctl multicast change NAME [--bundle BUNDLE] [--clients N] [--wait TIME]\n"
	"  Changes a session that waits. 0: not by that.\n";
const char help_multicast_list[] =
	"prebootctl multicast list\n"
	"  Lists the sessions.\n";
const char help_multicast_show[] =
	"prebootctl multicast show NAME\n"
	"  Shows a session, who has joined it, and how far they are.\n";
const char help_multicast_join[] =
	"prebootctl multicast join NAME DEVICE...\n"
	"  Makes devices members of a session that waits.\n"
	DEVICES;
const char help_multicast_leave[] =
	"prebootctl multicast leave NAME DEVICE...\n"
	"  Takes devices out of a session, and cancels what they were to do for it.\n";
const char help_multicast_start[] =
	"prebootctl multicast start NAME\n"
	"  Starts a session with those that have joined by now.\n";
const char help_multicast_end[] =
	"prebootctl multicast end NAME\n"
	"  Ends a session, and cancels what its members have not done yet.\n";
const char help_multicast_remove[] =
	"prebootctl multicast remove NAME [--force]\n"
	"  Removes a session. One that machines have joined and that has not ended only by\n"
	"  --force, which ends it.\n";

const char help_job_retry[] =
	"prebootctl work retry DEVICE|LEASE [--force]\n"
	"  Gives a device once more what has failed or was cancelled, with all attempts; by\n"
	"  --force also what is done. It is a new lease, made as the old one was.\n";
const char help_job_release[] =
	"prebootctl work release DEVICE|LEASE\n"
	"  Takes back work that a machine was offered or has begun, and has it wait for the\n"
	"  next boot with all attempts, as another lease.\n";
