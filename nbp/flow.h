/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_FLOW_H
#define NBP_FLOW_H

#include "nbp/platform.h"

/**
 * Runs a boot, from asking the policy server to the loader or the local disk.
 * A port calls it once, with a complete @p. It returns only if every way out
 * returned; the port then leaves for the local disk in its own last way.
 */
void flow_run(struct platform *p);

#endif
