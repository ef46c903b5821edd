/* SPDX-License-Identifier: BSD-2-Clause */
#include "socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "error.h"

int socket_open(struct sockaddr_in *endpoint)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(*endpoint);
	int on = 1, room = 4 << 20, saved;

	if (fd < 0)
		return -1;
	/* For the minute when a whole building is switched on; less will do. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0 &&
	    bind(fd, (struct sockaddr *)endpoint, sizeof(*endpoint)) == 0 &&
	    getsockname(fd, (struct sockaddr *)endpoint, &length) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* The address of ours that a datagram came to. */
static struct in_addr destination(struct msghdr *header)
{
	struct in_addr none = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		struct in_pktinfo info;

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		/* Where it was sent to a broadcast address, this is ours all the same. */
		return info.ipi_spec_dst;
	}
	return none;
}

size_t socket_receive(int fd, struct datagram *batch, size_t count)
{
	size_t got = 0;

	/* As many tries as datagrams: errors must not keep us here for ever. */
	for (size_t tries = 0; tries < count; tries++) {
		struct datagram *d = &batch[got];
		struct iovec iov = { d->data, sizeof(d->data) };
		union {
			struct cmsghdr header;
			char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
		} control;
		struct msghdr header = {
			.msg_name = &d->from, .msg_namelen = sizeof(d->from),
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(fd, &header, 0);

		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (length < 0)
			continue;
		d->socket = fd;
		d->to = destination(&header);
		d->length = (size_t)length;
		got++;
	}
	return got;
}

int socket_reply(const struct datagram *d)
{
	struct sockaddr_in to = d->from;
	struct iovec iov = { (void *)d->reply, d->reply_length };
	struct in_pktinfo info = { .ipi_spec_dst = d->to };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { 0 };
	struct msghdr header = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = IPPROTO_IP;
	control.header.cmsg_type = IP_PKTINFO;
	control.header.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	return sendmsg(d->socket, &header, 0) < 0 ? ERR_IO : 0;
}
