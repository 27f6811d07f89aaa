// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define EXIT_INTERNAL 70

/* Leaves without running exit handlers: they might want memory too. */
static _Noreturn void alloc_give_up(void)
{
	static const char message[] = "evenmail: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(EXIT_INTERNAL);
	_exit(EXIT_INTERNAL);
}

/* Like malloc(3); never NULL, for size 0 either. */
void *xmalloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		alloc_give_up();
	return memory;
}

/* Like calloc(3); never NULL. */
void *xcalloc(size_t count, size_t size)
{
	void *memory = count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);

	if (memory == NULL)
		alloc_give_up();
	return memory;
}

/* Like reallocarray(3), which some libraries lack; never NULL. */
void *xreallocarray(void *old, size_t count, size_t size)
{
	size_t total;
	void *memory;

	if (__builtin_mul_overflow(count, size, &total))
		alloc_give_up();
	memory = realloc(old, total > 0 ? total : 1);
	if (memory == NULL)
		alloc_give_up();
	return memory;
}

/* Copies a string. */
char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

/* Copies exactly len bytes, NULs among them too, unlike strndup(3). */
char *xstrndup(const char *bytes, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		alloc_give_up();
	copy = xmalloc(len + 1);
	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

/* Formats into new memory. */
char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		alloc_give_up();
	return text;
}

/* Other C libraries than GNU's give back what they can unasked. */
void xtrim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
