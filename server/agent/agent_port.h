/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_AGENT_PORT_H
#define SERVER_AGENT_AGENT_PORT_H

#include "server/agent/agent.h"

/*
 * What prebootwork needs of the operating system. port_linux.c has it for Linux, the folder
 * windows/ for Windows; all else is the same source. @root is "" or, for tests, a folder that has
 * proc/cmdline and so on; Windows has no such files.
 */

/** The form in which "show" prints a job if no option says which. */
extern const enum show_form port_show_form;

/** Prepares standard output and error. Returns the arguments in UTF-8, which live to the end. */
char **port_start(int argc, char **argv);

/** Milliseconds of a clock that never goes back. */
int64_t port_now_ms(void);

void port_sleep(uint32_t ms);

/** Fills @buffer with @size random bytes. Returns 0 or ERR_IO. */
int port_random(void *buffer, size_t size);

/**
 * Opens a UDP socket that receives datagrams of @server's address and port only.
 * Returns it, to be closed with port_close(), or -1.
 */
intptr_t port_connect(const struct sockaddr_in *server);

/** Sends a datagram; a failure counts as lost. */
void port_send(intptr_t socket, const void *data, size_t length);

/**
 * Waits for a datagram, @wait_ms at most. Returns its length, cut to @capacity; 0: none came, or
 * an error did, as when the server is being restarted.
 */
size_t port_receive(intptr_t socket, void *buffer, size_t capacity, uint32_t wait_ms);

void port_close(intptr_t socket);

/** Returns in words why the last of the functions above failed; valid until the next call. */
const char *port_error(void);

/** Reads the line of options that the system was started with; empty if there is none. */
void port_command_line(const char *root, char *out, size_t size);

/** Reads what the NBP left, as nbp/proto/power_on.h has it. Returns 0 or ERR_NOT_FOUND. */
int port_record(const char *root, uint8_t *record);

/** Reads the UUID of SMBIOS; leaves @uuid as it is if there is none. */
void port_uuid(const char *root, uint8_t uuid[16]);

#endif
