/* SPDX-License-Identifier: BSD-2-Clause */
/* prebootwork's port to Linux. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "nbp/proto/text.h"
#include "server/agent/agent_port.h"
#include "server/tool/output.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define VARIABLE VARIABLES "/OpenPrebootPowerOn-6134f6a1-f8d4-4743-96c8-0403611a5ec3"
#define ATTRIBUTES 4     /* bytes before a variable's value */
#define BIOS_PLACE 0x4f0 /* the BIOS data area's bytes for communication between programs */

const enum show_form port_show_form = SHOW_SHELL;

char **port_start(int argc, char **argv)
{
	(void)argc;
	output_start(OUTPUT_STDERR, NULL, NULL);
	return argv;
}

int64_t port_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void port_sleep(uint32_t ms)
{
	poll(NULL, 0, (int)ms);
}

int port_random(void *buffer, size_t size)
{
	return getrandom(buffer, size, 0) == (ssize_t)size ? 0 : ERR_IO;
}

const char *port_error(void)
{
	return strerror(errno);
}

/* --- the network ------------------------------------------------------------- */

intptr_t port_connect(const struct sockaddr_in *server)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), reason;

	if (fd < 0 || connect(fd, (const struct sockaddr *)server, sizeof(*server)) == 0)
		return fd;
	reason = errno;
	close(fd);
	errno = reason;
	return -1;
}

void port_send(intptr_t socket, const void *data, size_t length)
{
	send((int)socket, data, length, 0);
}

size_t port_receive(intptr_t socket, void *buffer, size_t capacity, uint32_t wait_ms)
{
	struct pollfd ready = { .fd = (int)socket, .events = POLLIN };
	ssize_t length;

	if (poll(&ready, 1, (int)wait_ms) <= 0)
		return 0;
	length = recv((int)socket, buffer, capacity, MSG_DONTWAIT);
	return length > 0 ? (size_t)length : 0;
}

void port_close(intptr_t socket)
{
	close((int)socket);
}

/* --- what the system knows about this boot ------------------------------------ */

/* Reads the first line of @root@name into @out; empty if there is none. */
static void read_line(const char *root, const char *name, char *out, size_t size)
{
	char path[512];
	FILE *file;

	out[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, name) >= sizeof(path))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(out, (int)size, file))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

void port_command_line(const char *root, char *out, size_t size)
{
	read_line(root, "/proc/cmdline", out, size);
}

void port_uuid(const char *root, uint8_t uuid[16])
{
	char line[80];

	read_line(root, "/sys/class/dmi/id/product_uuid", line, sizeof(line));
	text_parse_uuid(line, uuid);
}

/* Reads POWER_ON_SIZE bytes at @place of @root@name. Returns 0 or ERR_NOT_FOUND. */
static int read_at(const char *root, const char *name, off_t place, uint8_t *record)
{
	char path[512];
	ssize_t length;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, name) >= sizeof(path))
		return ERR_NOT_FOUND;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_NOT_FOUND;
	length = pread(fd, record, POWER_ON_SIZE, place);
	close(fd);
	return length == POWER_ON_SIZE ? 0 : ERR_NOT_FOUND;
}

static int read_variable(const char *root, uint8_t *record)
{
	if (read_at(root, VARIABLE, ATTRIBUTES, record) == 0)
		return 0;
	/* In an initramfs nothing else mounts it. If that fails, there is no record. */
	if (root[0] || mount("efivarfs", VARIABLES, "efivarfs",
	                     MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL))
		return ERR_NOT_FOUND;
	return read_at(root, VARIABLE, ATTRIBUTES, record);
}

int port_record(const char *root, uint8_t *record)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/sys/firmware/efi", root);
	return access(path, F_OK) == 0 ? read_variable(root, record)
	                               : read_at(root, "/dev/mem", BIOS_PLACE, record);
}

/* Returns whether an interface, a folder of /sys/class/net, is an Ethernet card: a bridge or
 * the like is none. */
static bool is_card(const char *root, const char *interface)
{
	char path[600], type[16];

	snprintf(path, sizeof(path), "%s%s/device", root, interface);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/type", interface);
	read_line(root, path, type, sizeof(type));
	return strcmp(type, "1") == 0;
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void agent_read_macs(struct agent *agent, const char *root)
{
	struct dirent **names;
	char folder[512], interface[80], path[100], text[32];
	int count;

	snprintf(folder, sizeof(folder), "%s/sys/class/net", root);
	/* Sorted by name, which is mostly the order of the slots. */
	count = scandir(folder, &names, is_interface, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(interface, sizeof(interface), "/sys/class/net/%.40s", names[i]->d_name);
		snprintf(path, sizeof(path), "%s/address", interface);
		read_line(root, path, text, sizeof(text));
		if (agent->mac_count < AGENT_MACS && is_card(root, interface) &&
		    text_parse_mac(text, agent->macs[agent->mac_count]) == 0)
			agent->mac_count++;
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/* --- running a command ------------------------------------------------------- */

static volatile pid_t child;

/* A signal that would end this program is meant for the command. */
static void pass_on(int number)
{
	if (child > 0)
		kill(child, number);
}

static void set_variable(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void exec_command(const struct agent *agent, const struct details *job, char **argv,
                         const sigset_t *mask)
{
	int reason;

	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	agent_each_variable(agent, job, set_variable);
	execvp(argv[0], argv);
	reason = errno;
	output_line("prebootwork", "%s: %s", argv[0], strerror(reason));
	_exit(reason == ENOENT ? 127 : 126);
}

int agent_run(const struct agent *agent, const struct details *job, char **argv, char *reason)
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	sigset_t all, old;
	int status;

	/* No signal may arrive before the child's number is stored. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	fflush(NULL);
	child = fork();
	if (child == 0)
		exec_command(agent, job, argv, &old);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* A terminal sends these to the command too. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (child < 0) {
		text_format(reason, REASON_SIZE, "the command could not be started");
		return 126;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	child = 0;
	if (WIFSIGNALED(status)) {
		text_format(reason, REASON_SIZE, "the command was ended by signal %d",
		            WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	text_format(reason, REASON_SIZE, "the command's exit status was %d", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
