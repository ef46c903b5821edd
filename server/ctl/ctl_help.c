/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_help.h"

#include "server/store/store.h"

const char help_usage[] =
	"Usage: prebootctl [--database FILE] [--json] NOUN VERB [ARGUMENT]...\n"
	"Administers the devices that boot from the network, and their work.\n";
const char help_options[] =
	"  -d, --database FILE  the database (" STORE_DEFAULT ")\n"
	"  -j, --json           print JSON\n"
	"  -h, --help           show this, or what NOUN or NOUN VERB does\n"
	"  -V, --version        show the version\n"
	"\n"
	"Words may be cut short while they are clear: \"dev ls\", \"work as\". prebootd follows\n"
	"each change at once. See prebootctl(8).\n";

const char help_device_add[] =
	"prebootctl device add NAME [[--mac] MAC]... [[--uuid] UUID] [--isd GUID]\n"
	"                      [--folder FOLDER]\n"
	"  Makes a device known by its MAC addresses, its SMBIOS UUID, the device id in its\n"
	"  image-safe data, or several of them. NAME is of letters, digits, \".\", \"_\" and\n"
	"  \"-\".\n";
const char help_device_change[] =
	"prebootctl device change NAME|MAC|UUID [--mac MAC]... [--uuid UUID] [--isd GUID]\n"
	"  Replaces what a device is known by, as after a new main board; what is not given\n"
	"  stays, what is given empty goes. A device known by its image-safe data alone is\n"
	"  free for the next machine that comes with them.\n";
const char help_device_release[] =
	"prebootctl device release NAME|MAC|UUID\n"
	"  Forgets which machine came first as a device that is known by its MAC or its\n"
	"  image-safe data alone: the next one is it, and is given the work that is open.\n";
const char help_device_list[] =
	"prebootctl device list [FOLDER] [--group GROUP] [--seen] [--csv]\n"
	"  Lists the devices, with the state of their newest work: all of them, those in a\n"
	"  folder and below it, those in a group. --seen: only those that have ever asked, the\n"
	"  last one first. --csv: as \"device import\" takes them.\n";
const char help_device_show[] =
	"prebootctl device show NAME|MAC|UUID\n"
	"  Shows a device: what it is, its newest work, its last events.\n";
const char help_device_trace[] =
	"prebootctl device trace NAME|MAC|UUID [--boot N]\n"
	"  Shows what happened in a boot, by the milliseconds since the NBP's start. N: 1 the\n"
	"  last boot, 2 the one before it, and so on.\n";
const char help_device_remove[] =
	"prebootctl device remove NAME|MAC|UUID [--force]\n"
	"  Forgets a device, its work and its events. With open work only by --force.\n";
const char help_job_assign[] =
	"prebootctl work assign DEVICE --bundle BUNDLE|--config FILE [OPTION]... [KEY=VALUE]...\n"
	"  Gives a device work for its next boot: a bundle, or what the options say, which come\n"
	"  before the bundle's own. A device has one open work at a time. KEY=VALUE pairs are\n"
	"  handed to the agent in the booted system; --unset KEY,... leaves out the bundle's.\n"
	"    --config FILE       the loader's configuration file, as in z_auto.cfg; \"\": the\n"
	"                        loader takes none\n"
	"    --loader-bios FILE  the loader for BIOS firmware; \"\": none; else as the settings\n"
	"    --loader-uefi FILE  say, pxelinux.0 and syslinux.efi\n"
	"    --prefix PATH       the loader's path prefix\n"
	"    --attempts N        how many boots may be offered it (the setting attempts, 3)\n"
	"    --deadline TIME     how long it may take once begun: 90s, 30m, 4h, 1d (the setting\n"
	"                        deadline, 4h)\n"
	"    --replace           cancel the open work there is\n";
const char help_job_list[] =
	"prebootctl work list [DEVICE] [--open]\n"
	"  Lists work, the newest first; with --open only what is not ended.\n";
const char help_job_show[] =
	"prebootctl work show DEVICE|LEASE\n"
	"  Shows the work with this lease number, or the newest of a device.\n";
const char help_job_cancel[] =
	"prebootctl work cancel DEVICE|LEASE\n"
	"  Cancels work that is not ended. A machine that has begun it is not stopped, but\n"
	"  its reports are refused from now on.\n";
const char help_event_list[] =
	"prebootctl event list [DEVICE] [--limit N]\n"
	"  Lists what happened, the newest last (N: 50).\n";
const char help_menu_check[] =
	"prebootctl menu check FILE...\n"
	"  Reads menu files as the machines do and tells of every error, by line and column.\n"
	"  Says nothing of what the loaders' files hold. FILE \"-\" is standard input.\n";
const char help_menu_show[] =
	"prebootctl menu show FILE [--section NAME] [--firmware bios|uefi]\n"
	"  Draws the menu [Main], or another section, as a machine does; with --json prints\n"
	"  all that the file says.\n"
	"    --section NAME        the section to draw (Main)\n"
	"    --firmware bios|uefi  the machine's firmware (bios), which decides on loaders\n";
const char help_menu_passwd[] =
	"prebootctl menu passwd [--stdin] [--iterations N]\n"
	"  Asks for a password twice and prints its salted hash, for \"password = HASH\" in a\n"
	"  section, or \"; password HASH\" at the end of an option.\n"
	"    --stdin         read the password from standard input, one line\n"
	"    --iterations N  how often it is hashed, 1000 to 1000000 (100000): so much work is\n"
	"                    one guess, and one question on the slowest machine\n";
const char help_settings_show[] =
	"prebootctl settings show [DEVICE|FOLDER]\n"
	"  Shows what counts for a device, in a folder, or for all that have no setting of\n"
	"  their own, and where each value comes from.\n";
const char help_settings_set[] =
	"prebootctl settings set [DEVICE|FOLDER] KEY=VALUE...\n"
	"  Sets values for a device, for a folder with all below it, or for all that have none\n"
	"  of their own.\n"
	"    menu-mode        never (default), always, hotkey\n"
	"    hot-key          ctrl+alt (default), any of shift, ctrl and alt with \"+\", or a\n"
	"                     key: a character, enter, escape, space, tab, backspace\n"
	"    hot-key-wait     ms to wait for it where the firmware tells no shift state (3000)\n"
	"    menu-file        pxemenu.txt (default)\n"
	"    local-boot-bios  default, return, int18, mbr\n"
	"    local-boot-uefi  default, exit, entry, bootnext\n"
	"    answer-validity  seconds until the NBP asks again after a menu (60); 0: never\n"
	"    loader-bios, loader-uefi  of work without a loader of its own (pxelinux.0,\n"
	"                     syslinux.efi)\n"
	"    attempts, deadline  of such work, likewise (3, 4h)\n"
	"    work-by-mac      yes: work also for who tells no UUID where the device has one (no)\n"
	"    admit-unknown    yes: unknown machines become devices; for the zone only (no)\n"
	"    admit-limit      how many do, until some are removed; likewise (10000)\n"
	"    keep-work        how long work that has ended is kept; likewise (366d)\n"
	"    shared-macs      MACs of docks, or their first bytes, with commas, which identify\n"
	"                     nobody; likewise\n"
	"    keep-events      how long events are kept, and unknown machines; likewise (90d)\n"
	"    tftp-root        the TFTP server's root, a folder of this host: files that work names\n"
	"                     are looked for there, and missed ones told of; likewise (none)\n"
	"    tftp-folder      the NBPs' folder in it, where they have one; likewise (none)\n";
const char help_settings_unset[] =
	"prebootctl settings unset [DEVICE|FOLDER] KEY...\n"
	"  Takes values away, so that those of the level above count again.\n";
