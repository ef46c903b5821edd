/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- opening --------------------------------------------------------------- */

static int configure(int fd, const union address *address)
{
	int on = 1, size = 4 << 20;

	/* For the minute when a whole building is switched on; less will do. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	/* Bound to one address, the kernel answers from that one anyhow. */
	if (!address_is_any(address))
		return 0;
	if (address->any.sa_family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

static int open_one(union address *address, bool first)
{
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(*address);
	int on = 1, saved;

	if (fd < 0)
		return -1;
	/* The first asks for the address alone, so that it fails where another daemon
	 * has it; only then does it allow ours beside it. */
	if ((address->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    (!first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))) ||
	    bind(fd, &address->any, address_size(address)) ||
	    (first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))) ||
	    getsockname(fd, &address->any, &length) || configure(fd, address)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int socket_open(union address *address, int *sockets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int saved;

		sockets[i] = open_one(address, i == 0);
		if (sockets[i] >= 0)
			continue;
		saved = errno;
		while (i--)
			close(sockets[i]);
		errno = saved;
		return -1;
	}
	return 0;
}

int socket_adopt(int fd, union address *address)
{
	socklen_t length = sizeof(*address);
	int flags = fcntl(fd, F_GETFL), type = 0;
	socklen_t type_length = sizeof(type);

	memset(address, 0, sizeof(*address));
	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) ||
	    getsockname(fd, &address->any, &length))
		return -1;
	if (type != SOCK_DGRAM ||
	    (address->any.sa_family != AF_INET && address->any.sa_family != AF_INET6)) {
		errno = EPROTOTYPE;
		return -1;
	}
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -1;
	return configure(fd, address);
}

/* --- receiving ------------------------------------------------------------- */

/*
 * Keeps the control message that came with a question, for the answer: it names the address
 * that was asked, from which the answer must come. The kernel's routes choose the interface,
 * except for link-local addresses, which mean nothing without one.
 */
static void keep_address(struct msghdr *header, struct datagram *d)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(header);

	d->control_length = 0;
	if (!c)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		/* spec_dst is ours, also where it was sent to a broadcast address. */
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		d->control_length = CMSG_SPACE(sizeof(info));
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
			return;
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		d->control_length = CMSG_SPACE(sizeof(info));
	}
}

size_t socket_receive(int fd, struct datagram *batch)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int got = -1;

	for (size_t i = 0; i < BATCH; i++) {
		struct datagram *d = &batch[i];

		parts[i] = (struct iovec){ d->data, sizeof(d->data) };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &d->from, .msg_namelen = sizeof(d->from),
			.msg_iov = &parts[i], .msg_iovlen = 1,
			.msg_control = d->control, .msg_controllen = sizeof(d->control),
		};
	}
	/* The kernel reports an error once: there are as many tries as there may be errors. */
	for (int tries = 0; tries < BATCH && got < 0; tries++) {
		got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
	}
	for (int i = 0; i < got; i++) {
		batch[i].socket = fd;
		batch[i].length = (uint16_t)messages[i].msg_len;
		batch[i].reply_length = 0;
		keep_address(&messages[i].msg_hdr, &batch[i]);
	}
	return got < 0 ? 0 : (size_t)got;
}

/* --- sending --------------------------------------------------------------- */

/* Sends @count messages through @fd; returns how many were not taken. */
static size_t send_all(int fd, struct mmsghdr *messages, size_t count)
{
	size_t lost = 0, at = 0;

	while (at < count) {
		int sent = sendmmsg(fd, messages + at, (unsigned)(count - at), MSG_DONTWAIT);

		if (sent < 0) { /* it is the first of them that failed */
			lost++;
			sent = 1;
		}
		at += (size_t)sent;
	}
	return lost;
}

size_t socket_send(struct datagram *batch, size_t count)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	size_t waiting = 0, lost = 0;
	int fd = -1;

	for (size_t i = 0; i < count; i++) {
		struct datagram *d = &batch[i];

		if (!d->reply_length)
			continue;
		if (waiting == BATCH || (waiting && d->socket != fd)) {
			lost += send_all(fd, messages, waiting);
			waiting = 0;
		}
		fd = d->socket;
		parts[waiting] = (struct iovec){ d->reply, d->reply_length };
		messages[waiting].msg_hdr = (struct msghdr){
			.msg_name = &d->from, .msg_namelen = address_size(&d->from),
			.msg_iov = &parts[waiting], .msg_iovlen = 1,
			.msg_control = d->control_length ? d->control : NULL,
			.msg_controllen = d->control_length,
		};
		waiting++;
	}
	return lost + send_all(fd, messages, waiting);
}
