/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows has what POSIX has in <netinet/in.h> under another name. */
#include <winsock2.h>
