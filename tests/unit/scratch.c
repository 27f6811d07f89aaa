// SPDX-License-Identifier: GPL-3.0-or-later
#include "scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *parent(void)
{
	const char *told = getenv("TMPDIR");

	if (told)
		return told;
	return access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
}

int scratch_make(char *path, size_t size, const char *name)
{
	int len = snprintf(path, size, "%s/evenmail-%s-XXXXXX", parent(), name);

	if (len < 0 || (size_t)len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkdtemp(path) ? 0 : -1;
}
