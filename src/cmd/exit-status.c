// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/exit-status.h"

#include <stddef.h>

enum exit_status exit_status_of(const struct error *err)
{
	switch (err->kind) {
	case ERROR_NONE: return STATUS_EVEN;
	case ERROR_USAGE: return STATUS_USAGE;
	case ERROR_CONFIG: return STATUS_CONFIG;
	case ERROR_UNAVAILABLE:
	case ERROR_PROTOCOL: return STATUS_UNAVAILABLE;
	case ERROR_LOGIN: return STATUS_LOGIN;
	case ERROR_IO: return STATUS_IO;
	case ERROR_LOCKED: return STATUS_LOCKED;
	case ERROR_SAFETY: return STATUS_SAFETY;
	case ERROR_REFUSED:
	case ERROR_STOPPED: return STATUS_PART;
	case ERROR_INTERNAL: break;
	}
	return STATUS_INTERNAL;
}

/* The place of a status in the order of gravity. */
static size_t gravity(enum exit_status status)
{
	static const enum exit_status order[] = {
	    STATUS_EVEN,  STATUS_PART, STATUS_SAFETY, STATUS_LOCKED, STATUS_UNAVAILABLE,
	    STATUS_LOGIN, STATUS_IO,   STATUS_CONFIG, STATUS_USAGE,  STATUS_INTERNAL,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (order[i] == status)
			return i;
	return sizeof(order) / sizeof(*order);
}

enum exit_status exit_status_worse(enum exit_status a, enum exit_status b)
{
	return gravity(a) > gravity(b) ? a : b;
}
