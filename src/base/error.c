// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Ends a text that was cut in "...", never inside a UTF-8 character. */
static void error_mark_cut(char text[ERROR_TEXT_MAX])
{
	size_t at = ERROR_TEXT_MAX - sizeof("...");

	while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	memcpy(text + at, "...", sizeof("..."));
}

/* Formats into a text of its own, so that the arguments may come from the err that is filled. */
static void error_format(char text[ERROR_TEXT_MAX], const char *fmt, va_list args)
{
	int len = vsnprintf(text, ERROR_TEXT_MAX, fmt, args);

	if (len < 0)
		text[0] = '\0';
	else if (len >= ERROR_TEXT_MAX)
		error_mark_cut(text);
}

/* Makes "head: tail" of two texts. */
static void error_join(struct error *err, const char *head, const char *tail)
{
	char text[ERROR_TEXT_MAX];
	int len = snprintf(text, sizeof(text), "%s: %s", head, tail);

	if (len >= ERROR_TEXT_MAX)
		error_mark_cut(text);
	memcpy(err->text, text, sizeof(text));
}

/* Forgets what err held. */
void error_clear(struct error *err)
{
	if (err == NULL)
		return;
	err->kind = ERROR_NONE;
	err->scope = SCOPE_MESSAGE;
	err->sys = 0;
	err->text[0] = '\0';
}

/* Fills err and leaves errno as it was. */
int error_set(struct error *err, enum error_kind kind, enum error_scope scope, const char *fmt, ...)
{
	int saved = errno;
	char text[ERROR_TEXT_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	error_format(text, fmt, args);
	va_end(args);
	err->kind = kind;
	err->scope = scope;
	err->sys = 0;
	memcpy(err->text, text, sizeof(text));
	errno = saved;
	return -1;
}

/* Fills err with what the system says and leaves errno as it was. */
int error_errno(struct error *err, enum error_scope scope, const char *fmt, ...)
{
	int saved = errno;
	char head[ERROR_TEXT_MAX];
	char reason[256];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	error_format(head, fmt, args);
	va_end(args);
	errno = saved;
	snprintf(reason, sizeof(reason),
		 "%m"); /* unlike strerror(3) safe with threads everywhere */
	error_join(err, head, reason);
	err->kind = ERROR_IO;
	err->scope = scope;
	err->sys = saved;
	errno = saved;
	return -1;
}

/* Adds context; kind, scope and sys stay. */
int error_prefix(struct error *err, const char *fmt, ...)
{
	int saved = errno;
	char head[ERROR_TEXT_MAX];
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	error_format(head, fmt, args);
	va_end(args);
	error_join(err, head, err->text);
	errno = saved;
	return -1;
}
