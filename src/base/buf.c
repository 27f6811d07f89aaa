// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/buf.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 64

/* What data points at while there is no memory: const in effect, for cap 0 forbids writing. */
static char buf_nothing[1];

/* Makes an empty buffer that may grow to max bytes. */
void buf_init(struct buf *buf, size_t max)
{
	assert(max < SIZE_MAX);
	*buf = (struct buf){.data = buf_nothing, .max = max};
}

/*
 * Moves to new memory of cap bytes. Not realloc(3), which would leave the old bytes behind: a
 * secret must not survive in memory that was given back while its buffer grew.
 */
static void buf_move(struct buf *buf, size_t cap)
{
	char *data = xmalloc(cap);

	if (buf->len > 0)
		memcpy(data, buf->data, buf->len);
	data[buf->len] = '\0';
	if (buf->cap > 0) {
		explicit_bzero(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
}

/* Makes room for len more bytes and the NUL; -1 and full where that is above the maximum. */
static int buf_grow(struct buf *buf, size_t len)
{
	size_t need, cap;

	if (len > buf->max - buf->len) {
		buf->full = true;
		return -1;
	}
	need = buf->len + len + 1;
	if (need <= buf->cap)
		return 0;
	cap = buf->cap > BUF_FIRST_CAP / 2 ? buf->cap : BUF_FIRST_CAP / 2;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	buf_move(buf, cap <= buf->max ? cap : buf->max + 1);
	return 0;
}

/* Appends all len bytes or none. */
int buf_append(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	if (buf_grow(buf, len) < 0)
		return -1;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

/* Appends a string. */
int buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

/* Appends one byte. */
int buf_putc(struct buf *buf, char c)
{
	return buf_append(buf, &c, 1);
}

/* Formats in place where it fits at once, else a second time after growing. */
static int print(struct buf *buf, const char *fmt, va_list args)
{
	size_t room = buf->cap > 0 ? buf->cap - buf->len : 0;
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, fmt, args);
	assert(len >= 0);
	if ((size_t)len >= room && len > 0) {
		if (room > 0)
			buf->data[buf->len] = '\0';
		if (buf_grow(buf, (size_t)len) < 0) {
			va_end(again);
			return -1;
		}
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	buf->len += (size_t)len;
	return 0;
}

/* Appends formatted text, all or nothing. */
int buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = print(buf, fmt, args);
	va_end(args);
	return rc;
}

/* The room is zeroed, so that whatever part of it is claimed ends in a NUL. */
char *buf_reserve(struct buf *buf, size_t len)
{
	if (buf_grow(buf, len) < 0)
		return NULL;
	memset(buf->data + buf->len, 0, len + 1);
	return buf->data + buf->len;
}

/* An empty buffer may have no memory to write a NUL to. */
void buf_cut(struct buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

/* Empties the buffer for its next use. */
void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->full = false;
	if (buf->cap > 0)
		buf->data[0] = '\0';
}

/* Gives the memory back; the buffer is as after buf_init(). */
void buf_free(struct buf *buf)
{
	if (buf->cap > 0)
		free(buf->data);
	*buf = (struct buf){.data = buf_nothing, .max = buf->max};
}

/* Overwrites all memory, what was reset included. */
void buf_free_secret(struct buf *buf)
{
	if (buf->cap > 0)
		explicit_bzero(buf->data, buf->cap);
	buf_free(buf);
}
