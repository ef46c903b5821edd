/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_TFTP_H
#define NBP_TFTP_H

#include "nbp/platform.h"

#define TFTP_PORT 69

/**
 * Fetches file @name from @server by TFTP (RFC 1350, with blksize of RFC 2348
 * and tsize of RFC 2349 where the server knows them), over the platform's UDP
 * socket, which must be closed and is closed again.
 *
 * A ROM's own TFTP is not used: it has no bound of time, and does not always return
 * the file. iPXE's of 2019 fails in TFTP_OPEN if the server knows no options, in
 * TFTP_READ if a block is repeated later, and a server that falls silent holds it
 * for 16 s. PXELINUX has shown on many ROMs that their UDP calls work better.
 *
 * The transfer takes at most TFTP_TOTAL_MS, and TFTP_SILENCE_MS without progress. One
 * forged datagram of an attacker who sees no packets does no harm if the server knows
 * options or answers soon: a datagram that might be forged must wait for a quarter of
 * a second, and if two servers answer one request, the transfer begins again from
 * another port, which all the platform's entropy has chosen.
 * @buffer: receives the file; @capacity: its size
 * @length: receives the file's size
 * Returns 0, ERR_NOT_FOUND (by the server), ERR_REFUSED (another error of the server,
 * or two servers at each try), ERR_SPACE (more than @capacity), ERR_TIMEOUT,
 * ERR_TRUNCATED (not the size that the server announced), ERR_MALFORMED (an answer
 * that breaks the rules), or what udp_open() returned.
 */
int tftp_fetch(struct platform *p, const struct endpoint *server, const char *name, void *buffer,
               size_t capacity, size_t *length);

#define TFTP_TOTAL_MS 30000
#define TFTP_SILENCE_MS 5000

#endif
