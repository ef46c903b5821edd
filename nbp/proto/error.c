/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/error.h"

const char *error_text(int rc)
{
	switch (rc) {
	case 0: return "success";
	case ERR_AGAIN: return "nothing yet";
	case ERR_TIMEOUT: return "timed out";
	case ERR_TRUNCATED: return "truncated";
	case ERR_MALFORMED: return "malformed";
	case ERR_VERSION: return "unknown version";
	case ERR_CRITICAL: return "unknown critical field";
	case ERR_SPACE: return "does not fit";
	case ERR_NOT_FOUND: return "not found";
	case ERR_UNSUPPORTED: return "not supported here";
	case ERR_IO: return "input/output error";
	case ERR_REFUSED: return "refused";
	}
	return "unknown error";
}
