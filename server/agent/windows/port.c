/* SPDX-License-Identifier: BSD-2-Clause */
/* prebootwork's port to Windows, Windows PE above all. */
#include <winsock2.h>
#include <windows.h>

#include <bcrypt.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

#include "nbp/proto/error.h"
#include "server/agent/agent_port.h"
#include "server/agent/windows/wide.h"
#include "server/tool/output.h"

const enum show_form port_show_form = SHOW_LINES;

/* Of the C library of Windows, which documents it and declares it nowhere. */
int __cdecl __wgetmainargs(int *count, wchar_t ***arguments, wchar_t ***environment, int expand,
                           int *start);

/* Returns the program's arguments in UTF-8; @argv if there is no memory for them. */
static char **utf8_arguments(int argc, char **argv)
{
	wchar_t **wide, **environment;
	char **narrow = calloc((size_t)argc + 1, sizeof(*narrow));
	int count, start = 0;

	if (!narrow || __wgetmainargs(&count, &wide, &environment, 0, &start) || count != argc)
		return argv;
	for (int i = 0; i < argc; i++)
		if (!(narrow[i] = wide_to_utf8(wide[i])))
			return argv;
	return narrow;
}

char **port_start(int argc, char **argv)
{
	WSADATA data;

	/* What is printed is read line by line, by programs of other systems, too. */
	_setmode(STDOUT_FILENO, _O_BINARY);
	SetConsoleOutputCP(CP_UTF8);
	WSAStartup(MAKEWORD(2, 2), &data);
	return utf8_arguments(argc, argv);
}

int64_t port_now_ms(void)
{
	return (int64_t)GetTickCount64();
}

void port_sleep(uint32_t ms)
{
	Sleep(ms);
}

int port_random(void *buffer, size_t size)
{
	return BCryptGenRandom(NULL, buffer, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0
	       ? 0 : ERR_IO;
}

const char *port_error(void)
{
	static char text[256];
	DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
	                              NULL, GetLastError(), 0, text, sizeof(text), NULL);

	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r' ||
	                  text[length - 1] == '.'))
		text[--length] = '\0';
	if (!length)
		snprintf(text, sizeof(text), "error %lu of Windows", GetLastError());
	return text;
}

/* --- the network ------------------------------------------------------------- */

intptr_t port_connect(const struct sockaddr_in *server)
{
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
	int reason;

	if (s == INVALID_SOCKET)
		return -1;
	if (connect(s, (const struct sockaddr *)server, sizeof(*server)) == 0)
		return (intptr_t)s;
	reason = WSAGetLastError();
	closesocket(s);
	SetLastError((DWORD)reason);
	return -1;
}

void port_send(intptr_t socket, const void *data, size_t length)
{
	send((SOCKET)socket, data, (int)length, 0);
}

size_t port_receive(intptr_t socket, void *buffer, size_t capacity, uint32_t wait_ms)
{
	struct timeval wait = { (long)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000 };
	fd_set ready;
	int length;

	FD_ZERO(&ready);
	FD_SET((SOCKET)socket, &ready);
	if (select(0, &ready, NULL, NULL, &wait) <= 0)
		return 0;
	length = recv((SOCKET)socket, buffer, (int)capacity, 0);
	return length > 0 ? (size_t)length : 0;
}

void port_close(intptr_t socket)
{
	closesocket((SOCKET)socket);
}

/* --- output, as server/tool/output.h has it ----------------------------------- */

void output_vline(const char *name, const char *format, va_list args)
{
	char text[4096];

	vsnprintf(text, sizeof(text), format, args);
	if (name)
		fprintf(stderr, "%s: ", name);
	/* Control characters are shown, not obeyed. */
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			fprintf(stderr, "\\x%02x", (unsigned int)(unsigned char)*at);
		else
			fputc(*at, stderr);
	fputc('\n', stderr);
}

void output_line(const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	output_vline(name, format, args);
	va_end(args);
}
