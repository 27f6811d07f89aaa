// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/name.h"

#include "base/buf.h"
#include "base/random.h"
#include "mail/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RANDOM_DIGITS 8

/* The number that text begins with and a comma or the end ends, or SIZE_UNKNOWN. */
static uint64_t parse_number(const char *text, const char *end)
{
	const char *at = text;
	uint64_t number = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (number > (SIZE_UNKNOWN - 9) / 10)
			return SIZE_UNKNOWN;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	return at > text && (at == end || *at == ',') ? number : SIZE_UNKNOWN;
}

/* The number of the first field like ",S=123" in a unique name, or SIZE_UNKNOWN. */
static uint64_t parse_size(const char *unique, size_t len, char letter)
{
	const char *end = unique + len;
	const char *at = memchr(unique, ',', len);

	for (; at && end - at > 3; at = memchr(at + 1, ',', (size_t)(end - at - 1)))
		if (at[1] == letter && at[2] == '=')
			return parse_number(at + 3, end);
	return SIZE_UNKNOWN;
}

/* The first ":2," ends the unique name; other colons are part of it. */
void maildir_name_parse(const char *file, struct maildir_name *out)
{
	const char *info = strchrnul(file, ':');

	while (*info && strncmp(info, ":2,", 3) != 0)
		info = strchrnul(info + 1, ':');
	out->unique_len = (size_t)(info - file);
	out->letters = *info ? info + 3 : info;
	out->letters_len = (size_t)(strchrnul(out->letters, ',') - out->letters);
}

/* Of the file. */
uint64_t maildir_name_disk_size(const char *unique, size_t len)
{
	return parse_size(unique, len, 'S');
}

/* In CRLF form. */
uint64_t maildir_name_wire_size(const char *unique, size_t len)
{
	return parse_size(unique, len, 'W');
}

/* Names that others made tell sizes too, but then of what they wrote: hence the real one. */
bool maildir_name_is_raw(const char *file, uint64_t size)
{
	struct maildir_name name;

	maildir_name_parse(file, &name);
	return maildir_name_disk_size(file, name.unique_len) == size &&
	       maildir_name_wire_size(file, name.unique_len) == size;
}

/* Moves text to out; -1 where it did not fit. */
static int finish_name(struct buf *text, char out[MAILDIR_FILE_SIZE])
{
	int rc = text->full ? -1 : 0;

	if (rc == 0)
		memcpy(out, text->data, text->len + 1);
	buf_free(text);
	return rc;
}

/* Takes letters out that others hold already. */
static void drop_letters(char *letters, const char *others, size_t len)
{
	char *out = letters;

	for (; *letters; letters++)
		if (!memchr(others, *letters, len))
			*out++ = *letters;
	*out = '\0';
}

/*
 * Takes out the letters to remove and puts those to add where the order of ASCII wants them; what
 * stands between, and what follows a ',', stays as it is.
 */
int maildir_name_with_flags(const char *file, const struct maildir_keywords *keywords,
			    struct flags add, struct flags remove, char out[MAILDIR_FILE_SIZE])
{
	struct maildir_name name;
	char added[MAILDIR_LETTERS_MAX], removed[MAILDIR_LETTERS_MAX];
	const char *next = added;
	struct buf text;

	maildir_name_parse(file, &name);
	maildir_keywords_letters(keywords, add, added);
	drop_letters(added, name.letters, name.letters_len);
	maildir_keywords_letters(keywords, flags_minus(remove, add), removed);
	buf_init(&text, MAILDIR_FILE_MAX);
	buf_append(&text, file, name.unique_len);
	buf_puts(&text, ":2,");
	for (size_t i = 0; i < name.letters_len; i++) {
		for (; *next && *next < name.letters[i]; next++)
			buf_putc(&text, *next);
		if (!strchr(removed, name.letters[i]))
			buf_putc(&text, name.letters[i]);
	}
	buf_puts(&text, next);
	buf_puts(&text, name.letters + name.letters_len);
	return finish_name(&text, out);
}

/* Takes the host's name, what Maildir forbids in it escaped. */
void maildir_namer_init(struct maildir_namer *namer)
{
	char host[256] = "";
	struct buf text;

	if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof("localhost"));
	buf_init(&text, sizeof(namer->host) - 1);
	for (const char *at = host; *at && !text.full; at++) {
		if (*at == '/' || *at == ':' || *at == ',' || *at <= ' ' || *at == 0x7f)
			buf_printf(&text, "\\%03o", (unsigned)(unsigned char)*at);
		else
			buf_putc(&text, *at);
	}
	memcpy(namer->host, text.data, text.len + 1);
	buf_free(&text);
	namer->pid = (long)getpid();
	namer->random = (uint32_t)random_u64();
	atomic_init(&namer->made, 0);
}

/*
 * Time, process and number alone would do; the random part, one for all names of a tree, holds
 * where a clock is set back. There is a name for every message in memory, in the journal and in the
 * directory: a second's fraction beside the number would be bytes for nothing.
 */
void maildir_namer_make(struct maildir_namer *namer, char out[MAILDIR_FILE_SIZE])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(out, MAILDIR_FILE_SIZE, "%" PRId64 ".P%ldQ%" PRIuFAST64 "_%08" PRIx32 ".%s",
		 (int64_t)now.tv_sec, namer->pid, atomic_fetch_add(&namer->made, 1), namer->random,
		 namer->host);
}

/* The sizes have to stay: without them a message kept byte by byte would be read as another. */
int maildir_namer_rename(struct maildir_namer *namer, const char *file, char out[MAILDIR_FILE_SIZE])
{
	struct maildir_name name;
	struct buf text;
	char unique[MAILDIR_FILE_SIZE];

	maildir_name_parse(file, &name);
	const uint64_t disk = maildir_name_disk_size(file, name.unique_len);
	const uint64_t wire = maildir_name_wire_size(file, name.unique_len);
	maildir_namer_make(namer, unique);
	buf_init(&text, MAILDIR_FILE_MAX);
	buf_puts(&text, unique);
	if (disk != SIZE_UNKNOWN)
		buf_printf(&text, ",S=%" PRIu64, disk);
	if (wire != SIZE_UNKNOWN)
		buf_printf(&text, ",W=%" PRIu64, wire);
	buf_puts(&text, file + name.unique_len);
	return finish_name(&text, out);
}

/* Steps over a run of digits; NULL where there is none, or where text is NULL. */
static const char *skip_digits(const char *text, const char *digits)
{
	size_t len = text ? strspn(text, digits) : 0;

	return len ? text + len : NULL;
}

/* Steps over one character; NULL where it is another. */
static const char *skip_char(const char *text, char c)
{
	return text && *text == c ? text + 1 : NULL;
}

/* Holds a name against the pattern of maildir_namer_make(), strictly: others' files stay. */
bool maildir_namer_made(const struct maildir_namer *namer, const char *file, long *pid)
{
	const char *decimal = "0123456789";
	const char *process = skip_char(skip_char(skip_digits(file, decimal), '.'), 'P');
	const char *number = skip_char(skip_digits(process, decimal), 'Q');
	const char *random = skip_char(skip_digits(number, decimal), '_');
	const char *at = skip_digits(random, "0123456789abcdef");
	if (!at || at - random != RANDOM_DIGITS)
		return false;
	at = skip_char(at, '.');
	if (!at || strcmp(at, namer->host) != 0)
		return false;
	errno = 0;
	*pid = strtol(process, NULL, 10);
	return errno == 0 && *pid > 0;
}

/* Appends the two sizes. */
int maildir_name_with_sizes(const char *unique, uint64_t disk_size, uint64_t wire_size,
			    char out[MAILDIR_FILE_SIZE])
{
	struct buf text;

	buf_init(&text, MAILDIR_FILE_MAX);
	buf_printf(&text, "%s,S=%" PRIu64 ",W=%" PRIu64, unique, disk_size, wire_size);
	return finish_name(&text, out);
}
