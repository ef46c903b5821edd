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
 * The ROM's own TFTP is not used, as it comes back when it likes, and not
 * always with the file. Tried with iPXE's of 2019: TFTP_OPEN fails where the
 * server knows no options, TFTP_READ where a block comes again later, and a
 * server that falls silent holds it for 16 s. PXELINUX has shown on many ROMs
 * that their UDP calls serve better.
 *
 * Takes at most TFTP_TOTAL_MS, and TFTP_SILENCE_MS without progress. Is not taken
 * in by one datagram of somebody who can send in the server's name but sees
 * nothing, where the server knows options or answers soon: what might be such a
 * one has to wait for a quarter of a second, and two that answer one request have
 * us begin anew from another port, which all the platform's entropy chose.
 * @buffer: receives the file; @capacity: its size
 * @length: receives the file's size
 * Returns 0, ERR_NOT_FOUND (the server says so), ERR_REFUSED (it says another
 * error, or there were two servers each time), ERR_SPACE (more than @capacity),
 * ERR_TIMEOUT, ERR_TRUNCATED (its size is not the one told), ERR_MALFORMED (an answer
 * that breaks the rules), or what udp_open() returned.
 */
int tftp_fetch(struct platform *p, const struct endpoint *server, const char *name, void *buffer,
               size_t capacity, size_t *length);

#define TFTP_TOTAL_MS 30000
#define TFTP_SILENCE_MS 5000

#endif
