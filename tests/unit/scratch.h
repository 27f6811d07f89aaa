// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where tests put their files: below TMPDIR or, where that is not set, in memory if there is a file
 * system for it, for they make and remove hundreds of thousands.
 */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <stddef.h>

/*
 * Makes an empty directory of mode 0700, "evenmail-" and the name in its own; its path, of no more
 * than SCRATCH_PATH bytes with the NUL, is in path. 0, or -1 with errno set.
 */
int scratch_make(char *path, size_t size, const char *name);

#define SCRATCH_PATH 128

#endif
