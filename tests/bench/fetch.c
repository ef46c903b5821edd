/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many machines that fetch one file by TFTP, as a PXE ROM does: each has a socket of its own and
 * asks again after a second of silence. Prints what became of them as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK      1432
#define AGAIN_US   1000000
#define TRIES      6       /* then a machine gives up */
#define EVENTS_MAX 64
#define RECHECK_US 50000   /* how often silent machines are looked for */

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };

struct client {
	int fd;                    /* -1: it has not begun, or has ended */
	uint16_t block;            /* the last one that it has */
	unsigned tries;            /* of what it sent last */
	uint64_t begun, sent;      /* us */
	struct sockaddr_in server; /* with the port of the transfer once that is known */
};

struct fetch {
	struct sockaddr_in server;
	const char *name;
	uint32_t machines, rate;
	int poll;
	struct client *clients;
	uint32_t *took; /* ms, of each that has the file */
	uint32_t begun, running, done, slow, given_up, refused;
};

static uint64_t micros(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- one machine ------------------------------------------------------------- */

/* Sends what @client has to send: the request, or the acknowledgement of its last block. */
static void send_next(const struct fetch *fetch, struct client *client, bool transfer)
{
	uint8_t packet[512] = { 0, ACK, (uint8_t)(client->block >> 8), (uint8_t)client->block };
	size_t length = 4;

	if (!transfer) {
		packet[1] = RRQ;
		length = 2 + (size_t)snprintf((char *)packet + 2, sizeof(packet) - 2,
		                              "%s%coctet%cblksize%c%d", fetch->name, 0, 0, 0, BLOCK) + 1;
	}
	client->sent = micros();
	/* What is lost here is sent again, as on any network. */
	if (sendto(client->fd, packet, length, 0, (struct sockaddr *)&client->server,
	           sizeof(client->server)) < 0)
		return;
}

static bool has_transfer(const struct fetch *fetch, const struct client *client)
{
	return client->server.sin_port != fetch->server.sin_port;
}

static void end(struct fetch *fetch, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	fetch->running--;
}

static int begin(struct fetch *fetch)
{
	struct client *client = &fetch->clients[fetch->begun];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = fetch->begun };

	client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || epoll_ctl(fetch->poll, EPOLL_CTL_ADD, client->fd, &event) < 0) {
		fprintf(stderr, "fetch: no socket for machine %u: %s\n", fetch->begun, strerror(errno));
		return -1;
	}
	client->server = fetch->server;
	client->tries = 1;
	client->begun = micros();
	fetch->begun++;
	fetch->running++;
	send_next(fetch, client, false);
	return 0;
}

static void take_packet(struct fetch *fetch, struct client *client, const uint8_t *packet,
                        size_t length, const struct sockaddr_in *from)
{
	uint16_t block = length >= 4 ? (uint16_t)(packet[2] << 8 | packet[3]) : 0;
	uint64_t took;

	if (length < 4 || (has_transfer(fetch, client) && from->sin_port != client->server.sin_port))
		return;
	if (packet[1] == ERROR) {
		fetch->refused++;
		end(fetch, client);
		return;
	}
	if (packet[1] == OACK ? client->block != 0 :
	    packet[1] != DATA || block != (uint16_t)(client->block + 1))
		return;
	client->server.sin_port = from->sin_port;
	client->tries = 1;
	if (packet[1] == DATA)
		client->block = block;
	send_next(fetch, client, true);
	if (packet[1] == OACK || length == 4 + BLOCK)
		return;
	took = micros() - client->begun;
	fetch->slow += took > AGAIN_US;
	fetch->took[fetch->done++] = (uint32_t)(took / 1000);
	end(fetch, client);
}

static void receive(struct fetch *fetch, struct client *client)
{
	uint8_t packet[BLOCK + 64];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t got;

	while (client->fd >= 0 && (got = recvfrom(client->fd, packet, sizeof(packet), 0,
	                                          (struct sockaddr *)&from, &size)) >= 0)
		take_packet(fetch, client, packet, (size_t)got, &from);
}

/* Has those send again who have heard nothing for a second. */
static void send_again(struct fetch *fetch)
{
	uint64_t now = micros();

	for (uint32_t i = 0; i < fetch->begun; i++) {
		struct client *client = &fetch->clients[i];

		if (client->fd < 0 || now - client->sent < AGAIN_US)
			continue;
		if (client->tries++ == TRIES) {
			fetch->given_up++;
			end(fetch, client);
		} else
			send_next(fetch, client, has_transfer(fetch, client));
	}
}

/* --- all of them --------------------------------------------------------------- */

static int run(struct fetch *fetch)
{
	uint64_t start = micros(), looked = start;

	while (fetch->begun < fetch->machines || fetch->running) {
		struct epoll_event events[EVENTS_MAX];
		uint64_t due = (micros() - start) * fetch->rate / 1000000;
		int count;

		for (; fetch->begun < fetch->machines && fetch->begun <= due;)
			if (begin(fetch) < 0)
				return -1;
		count = epoll_wait(fetch->poll, events, EVENTS_MAX, 1);
		for (int i = 0; i < count; i++)
			receive(fetch, &fetch->clients[events[i].data.u32]);
		if (micros() - looked > RECHECK_US) {
			send_again(fetch);
			looked = micros();
		}
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void print(struct fetch *fetch, double seconds)
{
	const uint32_t *took = fetch->took;
	uint32_t done = fetch->done;

	qsort(fetch->took, done, sizeof(*took), compare);
	printf("{\"machines\": %u, \"done\": %u, \"slow\": %u, \"given_up\": %u, \"refused\": %u,"
	       " \"seconds\": %.3f, \"p50_ms\": %u, \"p99_ms\": %u, \"max_ms\": %u}\n",
	       fetch->machines, done, fetch->slow, fetch->given_up, fetch->refused, seconds,
	       done ? took[done / 2] : 0, done ? took[(uint64_t)done * 99 / 100] : 0,
	       done ? took[done - 1] : 0);
}

static int usage(FILE *out, int status)
{
	fputs("Usage: fetch [OPTION]... ADDRESS FILE\n"
	      "Fetches a file by TFTP for many machines, and prints how that went, as JSON.\n\n"
	      "  -n, --machines N   so many (1000)\n"
	      "  -r, --rate N       so many begin a second (1000)\n"
	      "  -h, --help         show this\n", out);
	return status;
}

/* Returns -1 to go on, else the exit status. */
static int read_options(struct fetch *fetch, int argc, char **argv)
{
	static const struct option options[] = {
		{ "machines", required_argument, NULL, 'n' },
		{ "rate", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "n:r:h", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option != 'n' && option != 'r')
			return usage(stderr, 2);
		*(option == 'n' ? &fetch->machines : &fetch->rate) = (uint32_t)strtoul(optarg, NULL, 10);
	}
	if (optind != argc - 2 || !fetch->machines || !fetch->rate ||
	    inet_pton(AF_INET, argv[optind], &fetch->server.sin_addr) != 1)
		return usage(stderr, 2);
	fetch->name = argv[optind + 1];
	if (strlen(fetch->name) <= 255)
		return -1;
	fputs("fetch: the file's name is longer than 255 bytes\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct fetch fetch = { .machines = 1000, .rate = 1000,
		               .server = { .sin_family = AF_INET, .sin_port = htons(69) } };
	int status = read_options(&fetch, argc, argv);
	struct rlimit files;
	uint64_t start;

	if (status >= 0)
		return status;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	fetch.poll = epoll_create1(EPOLL_CLOEXEC);
	fetch.clients = calloc(fetch.machines, sizeof(*fetch.clients));
	fetch.took = calloc(fetch.machines, sizeof(*fetch.took));
	if (fetch.poll < 0 || !fetch.clients || !fetch.took) {
		fputs("fetch: no memory for so many machines\n", stderr);
		return 1;
	}
	start = micros();
	status = run(&fetch) < 0;
	if (!status)
		print(&fetch, (double)(micros() - start) / 1e6);
	free(fetch.clients);
	free(fetch.took);
	close(fetch.poll);
	return status;
}
