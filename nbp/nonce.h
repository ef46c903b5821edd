/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_NONCE_H
#define NBP_NONCE_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"

/**
 * Makes this boot's nonce, which distinguishes its answers from all others. All the
 * port's entropy is mixed with the MAC address and the firmware's DHCP packets,
 * whose transaction id is random too: one good source is enough, and machines that
 * are switched on together differ even without any. (EFI_RNG is known to be constant
 * on some machines, and a BIOS has no such source at all.)
 * @nonce: receives the nonce, never all zero
 */
void nonce_make(struct platform *p, uint8_t nonce[NONCE_SIZE]);

#endif
