// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/keywords.h"

#include "base/file.h"
#include "base/text.h"
#include "mail/ascii.h"
#include "maildir/dotlock.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLE_MAX   ((size_t)64 * 1024)
#define ALL_LETTERS ((1u << MAILDIR_KEYWORD_LETTERS) - 1)

/* Says what failed with the file. */
static int fail(const struct maildir_mailbox *mailbox, const char *what, struct error *err)
{
	return error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot %s " MAILDIR_KEYWORDS_FILE,
			   text_show(mailbox->name), what);
}

/* Takes one line in: "NUMBER KEYWORD". A line that is none of ours keeps its letter from us. */
static void take_line(struct maildir_keywords *keywords, const char *line, size_t len)
{
	size_t number = 0, at = 0;

	for (; at < len && at < 2 && ascii_is_digit(line[at]); at++)
		number = number * 10 + (size_t)(line[at] - '0');
	if (!at || at == len || line[at] != ' ' || number >= MAILDIR_KEYWORD_LETTERS ||
	    keywords->taken & 1u << number)
		return;
	at++;
	keywords->taken |= 1u << number;
	if (!keywords_is_name(line + at, len - at))
		return;
	keywords->letters[number] = flag_from_imap(line + at, len - at);
	keywords->named = keywords_union(keywords->named, keywords->letters[number].keywords);
}

/* Takes a whole file in; which letters files have is known from elsewhere. */
static void take_table(struct maildir_keywords *keywords, const struct buf *text)
{
	const char *at = text->data, *end = at + text->len;

	*keywords = (struct maildir_keywords){
	    .seen = keywords->seen, .read = true, .scanned = keywords->scanned};
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		take_line(keywords, at, len);
		at += len + 1;
	}
}

/* Reads the file; *mode is its own, or one for a new one. */
static int read_table(const struct maildir_mailbox *mailbox, int home, struct buf *text,
		      mode_t *mode, struct error *err)
{
	struct stat st;
	int fd =
	    openat(home, MAILDIR_KEYWORDS_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc = 0;

	*mode = 0600;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = fail(mailbox, "open", err);
	else if (!S_ISREG(st.st_mode))
		rc = error_set(err, ERROR_IO, SCOPE_MAILBOX,
			       "mailbox %s: " MAILDIR_KEYWORDS_FILE " is no regular file",
			       text_show(mailbox->name));
	else if (file_read_all(fd, text, err) < 0)
		rc = error_prefix(err, "mailbox %s: " MAILDIR_KEYWORDS_FILE,
				  text_show(mailbox->name));
	else
		*mode = st.st_mode & 0777;
	file_close(&fd);
	return rc;
}

int maildir_keywords_read(struct maildir_mailbox *mailbox, struct error *err)
{
	int home = maildir_mailbox_open_home(mailbox, err);
	struct buf text;
	mode_t mode;
	int rc;

	if (home < 0)
		return -1;
	buf_init(&text, TABLE_MAX);
	rc = read_table(mailbox, home, &text, &mode, err);
	if (!rc)
		take_table(&mailbox->keywords, &text);
	buf_free(&text);
	file_close(&home);
	return rc;
}

/* What letters mean beside those of flags. */
struct flags maildir_keywords_flags(struct maildir_keywords *keywords, const char *letters,
				    size_t len)
{
	bool others;
	struct flags flags = flags_from_letters(letters, len, &others);

	for (size_t i = 0; others && i < len; i++) {
		if (letters[i] < 'a' || letters[i] > 'z')
			continue;
		unsigned letter = (unsigned)(letters[i] - 'a');
		keywords->seen |= 1u << letter;
		flags = flags_union(flags, keywords->letters[letter]);
	}
	return flags;
}

/* Capitals come first, as ASCII has them. */
void maildir_keywords_letters(const struct maildir_keywords *keywords, struct flags flags,
			      char out[MAILDIR_LETTERS_MAX])
{
	size_t len;

	flags_letters(flags, out);
	len = strlen(out);
	for (unsigned i = 0; keywords->taken && i < MAILDIR_KEYWORD_LETTERS; i++)
		if (keywords->letters[i].bits & flags.bits ||
		    keywords_intersect(keywords->letters[i].keywords, flags_known(flags).keywords))
			out[len++] = (char)('a' + i);
	out[len] = '\0';
}

/* Letters that are nobody's, as bits. */
static uint32_t free_letters(const struct maildir_keywords *keywords)
{
	return ALL_LETTERS & ~(keywords->taken | keywords->seen);
}

struct flag_room maildir_keywords_room(const struct maildir_keywords *keywords)
{
	return (struct flag_room){
	    .bits = FLAG_ALL,
	    .any_keyword = free_letters(keywords) != 0,
	    .mute = true,
	    .keywords = flags_known((struct flags){.keywords = keywords->named}).keywords};
}

/* Puts a new table in the old one's place once it is on the disk, and lets go of the lock. */
static int replace_table(struct maildir_mailbox *mailbox, int home, int *lock, mode_t mode,
			 const struct buf *text, struct error *err)
{
	char file[MAILDIR_FILE_SIZE];
	int fd = maildir_dotlock_make_file(mailbox, mode, file);
	int rc = fd < 0 ? fail(mailbox, "replace", err) : 0;

	if (rc == 0 && (file_write(fd, text->data, text->len, err) < 0 || file_sync(fd, err) < 0))
		rc = error_prefix(err, "mailbox %s: " MAILDIR_KEYWORDS_FILE,
				  text_show(mailbox->name));
	if (rc == 0 &&
	    renameat(mailbox->fds[MAILDIR_TMP], file, home, MAILDIR_KEYWORDS_FILE) < 0)
		rc = fail(mailbox, "replace", err);
	if (rc < 0 && fd >= 0)
		unlinkat(mailbox->fds[MAILDIR_TMP], file, 0);
	file_close(&fd);
	maildir_dotlock_drop(home, lock);
	return rc < 0 ? -1 : file_sync_dir(home, err);
}

/* Adds a line for each keyword that has none, as long as letters are left. */
static bool add_lines(struct maildir_keywords *keywords, uint32_t wanted, struct buf *text)
{
	uint32_t missing = keywords_minus(wanted, keywords->named);
	uint32_t letters = free_letters(keywords);
	size_t count = keywords_count(missing);

	if (!count || !letters)
		return false;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_putc(text, '\n');
	for (unsigned letter = 0, i = 0; letter < MAILDIR_KEYWORD_LETTERS && i < count; letter++)
		if (letters & 1u << letter)
			buf_printf(text, "%u %s\n", letter, keywords_name(missing, i++));
	return true;
}

/* Reads the table anew under the lock: another program may have given letters out meanwhile. */
static int claim_locked(struct maildir_mailbox *mailbox, int home, uint32_t wanted,
			struct error *err)
{
	struct maildir_keywords *keywords = &mailbox->keywords;
	struct buf text;
	mode_t mode;
	int lock = -1, rc = -1;

	buf_init(&text, TABLE_MAX);
	if (read_table(mailbox, home, &text, &mode, err) < 0)
		goto out;
	lock = maildir_dotlock_take(mailbox, home, mode, err);
	if (lock < 0)
		goto out;
	buf_reset(&text);
	rc = read_table(mailbox, home, &text, &mode, err);
	take_table(keywords, &text);
	bool added = !rc && add_lines(keywords, wanted, &text);
	if (added)
		rc = replace_table(mailbox, home, &lock, mode, &text, err);
	else
		maildir_dotlock_drop(home, &lock);
	take_table(keywords, &text);
out:
	buf_free(&text);
	return rc;
}

/* Which letters files have is known from a scan only. */
static int prepare_claim(struct maildir_mailbox *mailbox, struct error *err)
{
	struct maildir_scan *scan;

	if (mailbox->keywords.scanned)
		return 0;
	if (maildir_scan_take(mailbox, &scan, err) < 0)
		return -1;
	maildir_scan_free(&scan);
	return 0;
}

int maildir_keywords_claim(struct maildir_mailbox *mailbox, uint32_t wanted, uint32_t *left_out,
			   struct error *err)
{
	struct maildir_keywords *keywords = &mailbox->keywords;
	int home, rc = 0;

	*left_out = 0;
	if (!wanted || wanted == KEYWORDS_UNKNOWN)
		return 0;
	if (!keywords->read && maildir_keywords_read(mailbox, err) < 0)
		return -1;
	if (!keywords_minus(wanted, keywords->named))
		return 0;
	if (prepare_claim(mailbox, err) < 0)
		return -1;
	if (free_letters(keywords)) {
		home = maildir_mailbox_open_home(mailbox, err);
		rc = home < 0 ? -1 : claim_locked(mailbox, home, wanted, err);
		file_close(&home);
	}
	if (rc == 0)
		*left_out = keywords_minus(wanted, keywords->named);
	return rc;
}
