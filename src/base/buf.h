// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A growing byte buffer with a mandatory maximum.
 *
 * data is always terminated by a NUL that len does not count (and is "" while empty), so text can
 * be used as a string. What would grow past max is not appended at all and sets full, which stays:
 * append all, then ask once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes, the NUL not counted */
	bool full;  /* something did not fit */
};

void buf_init(struct buf *buf, size_t max);
/* 0, or -1 where it did not fit (buf->full). */
int buf_append(struct buf *buf, const void *bytes, size_t len);
int buf_puts(struct buf *buf, const char *text);
int buf_putc(struct buf *buf, char c);
int buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more bytes, zeroed; claimed by adding to buf->len. NULL and full if too much. */
char *buf_reserve(struct buf *buf, size_t len);
/* Drops what is behind the first len bytes, if anything is; full stays. */
void buf_cut(struct buf *buf, size_t len);
/* Empty, not full, memory kept. */
void buf_reset(struct buf *buf);
void buf_free(struct buf *buf);
/* The same, the memory overwritten first: for secrets. */
void buf_free_secret(struct buf *buf);

#endif
