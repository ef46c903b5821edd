/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_MACHINE_H
#define SERVER_CTL_CTL_MACHINE_H

#include "server/ctl/ctl.h"
#include "server/store/devices.h"

/* A machine that has asked, or a device that may not have. */
struct seen_machine {
	char label[64];       /* a device's name, or a MAC address or UUID */
	struct device device; /* id 0: an unknown machine */
	struct seen seen;     /* time 0: it never asked */
	char becomes[NAME_SIZE]; /* an unknown machine: its name once it is admitted */
};

/**
 * Calls @each for every machine that the words from @first on stand for: first the unknown machines
 * whose MAC or UUID they are, then the devices as ctl_each_device() has them. Returns an exit status.
 */
int ctl_each_target(struct ctl *ctl, int first,
                    int (*each)(struct ctl *ctl, const struct seen_machine *machine, void *data),
                    void *data);

/**
 * Calls @see for each device by name, then for each unknown machine, the last to
 * ask first. Returns 0 or the ERR_ values of store.h.
 */
int ctl_each_machine(struct ctl *ctl, void (*see)(void *data, const struct seen_machine *machine),
                     void *data);

/** Returns what its last request said; NULL: nothing that could be read. */
const struct request *machine_request(const struct seen_machine *machine);

/** Writes one line: "2 min ago, from 10.0.2.15: BIOS, QEMU Standard PC, 512 MiB". */
void machine_show(const struct seen_machine *machine, char *out, size_t size);

#endif
