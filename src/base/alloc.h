// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory, or the end. Every effect of a run is preceded by a durable note (see journal/journal.h),
 * so stopping at any instant is safe, and running out of memory is one more such instant: these
 * functions say so on stderr and leave with exit status 70. They never return NULL.
 *
 * What bounds memory is the maximum that every growing thing has, not these.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
/* Overflow of count * size counts as having no memory. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
/* Copies len bytes and terminates them. */
char *xstrndup(const char *bytes, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * Gives back to the system what was freed, as far as that can be done: after a step that took much
 * and before one that takes much elsewhere. Each thread's share of malloc keeps it else.
 */
void xtrim(void);

#endif
