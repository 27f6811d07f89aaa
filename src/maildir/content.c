// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/content.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "mail/eol.h"
#include "mail/header.h"
#include "maildir/message.h"
#include "maildir/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_MAX ((size_t)64 * 1024)

struct maildir_content {
	int fd; /* -1 once all is in memory */
	bool raw;
	bool at_end;
	char *label; /* for messages */
	struct stat st;
	struct flags flags;
	struct identity identity;
	bool has_nul;
	struct eol_wire eol;
	uint64_t offset; /* bytes of the file read in this pass */
	uint64_t given;  /* bytes given out */
	struct buf kept; /* the whole message, where it is small */
	char *wire;      /* a chunk in CRLF form; NULL once all is in memory */
	size_t wire_at, wire_len;
	char *disk;   /* the same as it is in the file */
	size_t chunk; /* its size; wire's is twice that */
};

/* What is read must be one version of the file, first to last. */
static int check_unchanged(const struct maildir_content *content, struct error *err)
{
	struct stat now;

	if (fstat(content->fd, &now) < 0)
		return error_errno(err, SCOPE_MESSAGE, "%s: cannot look at the file",
				   content->label);
	if (now.st_size != content->st.st_size || (uint64_t)now.st_size != content->offset ||
	    now.st_mtim.tv_sec != content->st.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != content->st.st_mtim.tv_nsec)
		return error_set(err, ERROR_IO, SCOPE_MESSAGE, "%s: it changed while it was read",
				 content->label);
	return 0;
}

/*
 * Reads the next chunk into wire; *len 0 is the end, which the size tells: where it has changed,
 * so has the file.
 */
static int read_chunk(struct maildir_content *content, char *wire, size_t *len, struct error *err)
{
	ssize_t got;

	*len = 0;
	if (content->offset >= (uint64_t)content->st.st_size)
		return check_unchanged(content, err);
	do
		got = pread(content->fd, content->disk, content->chunk, (off_t)content->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(err, SCOPE_MESSAGE, "%s: cannot read", content->label);
	if (got == 0)
		return check_unchanged(content, err);
	content->offset += (uint64_t)got;
	if (content->raw) {
		memcpy(wire, content->disk, (size_t)got);
		*len = (size_t)got;
	} else {
		*len = eol_wire(&content->eol, content->disk, (size_t)got, wire);
	}
	return 0;
}

/* Reads all for the identity, keeping what is small. */
static int identify(struct maildir_content *content, bool readable, struct error *err)
{
	struct digest_stream *digest = digest_open();
	struct header_scan header = {0};
	uint64_t size = 0;
	size_t len;
	int rc;

	buf_init(&content->kept, readable ? CONTENT_KEPT_MAX : 0);
	while ((rc = read_chunk(content, content->wire, &len, err)) == 0 && len) {
		size += len;
		digest_update(digest, content->wire, len);
		header_feed(&header, content->wire, len);
		content->has_nul = content->has_nul || memchr(content->wire, '\0', len);
		buf_append(&content->kept, content->wire, len);
	}
	content->identity = (struct identity){
	    .size = size,
	    .date = content->st.st_mtim.tv_sec,
	    .message_id = header_message_id(&header),
	    .has_message_id = true,
	    .has_digest = true,
	};
	digest_finish(digest, &content->identity.digest);
	digest_close(&digest);
	return rc;
}

/* Forgets how far it was read. */
void maildir_content_rewind(struct maildir_content *content)
{
	content->eol = (struct eol_wire){0};
	content->offset = 0;
	content->given = 0;
	content->wire_at = content->wire_len = 0;
	content->at_end = false;
}

/* Lets go of what reading again will not need. */
static void prepare_reading(struct maildir_content *content)
{
	if (content->kept.full) {
		buf_free(&content->kept);
		maildir_content_rewind(content);
		return;
	}
	file_close(&content->fd);
	free(content->wire);
	free(content->disk);
	content->wire = content->disk = NULL;
}

/*
 * Prepares for the first reading. No more is taken than a small message needs: to get so much from
 * the system and to give it back would take longer than to read it.
 */
static struct maildir_content *take_file(int fd, const struct stat *st, bool raw)
{
	struct maildir_content *opened = xcalloc(1, sizeof(*opened));

	opened->fd = fd;
	opened->st = *st;
	opened->raw = raw;
	opened->chunk = (uint64_t)st->st_size < CHUNK_MAX ? (size_t)st->st_size + 1 : CHUNK_MAX;
	opened->wire = xmalloc(2 * opened->chunk);
	opened->disk = xmalloc(opened->chunk);
	return opened;
}

/* Opens and identifies. */
int maildir_content_open(struct maildir_mailbox *mailbox, const char *unique, bool readable,
			 struct maildir_content **content, struct error *err)
{
	struct maildir_content *opened;
	const struct maildir_entry *entry;
	struct stat st;
	int fd;
	int rc = maildir_message_open(mailbox, unique, &fd, &entry, &st, err);

	*content = NULL;
	if (rc <= 0)
		return rc;
	opened = take_file(fd, &st, maildir_name_is_raw(entry->file, (uint64_t)st.st_size));
	opened->flags = entry->flags;
	opened->label =
	    xasprintf("mailbox %s: message %s", text_show(mailbox->name), text_show(unique));
	if (identify(opened, readable, err) < 0) {
		maildir_content_close(&opened);
		return -1;
	}
	prepare_reading(opened);
	*content = opened;
	return 1;
}

/* Whoever writes into a file changes its time. */
int maildir_content_is_other(struct maildir_mailbox *mailbox, const char *unique,
			     const struct identity *agreed, struct error *err)
{
	struct maildir_content *content;
	const struct maildir_entry *entry;
	struct stat st;
	int rc = maildir_message_find(mailbox, unique, &entry, err);
	bool same;

	if (rc <= 0 || !digest_is_known(&agreed->digest))
		return rc < 0 ? -1 : 0;
	if (fstatat(mailbox->fds[entry->dir], entry->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec == agreed->date)
		return 0;
	rc = maildir_content_open(mailbox, unique, false, &content, err);
	if (rc <= 0)
		return rc;
	same = digest_equal(&content->identity.digest, &agreed->digest);
	maildir_content_close(&content);
	return !same;
}

/* The same reading, of a file that is no message of a mailbox yet. */
int maildir_content_identify(int fd, bool raw, const char *label, struct identity *identity,
			     uint64_t *disk_size, struct error *err)
{
	struct maildir_content *content;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return error_errno(err, SCOPE_MESSAGE, "%s: cannot look at the file", label);
	content = take_file(fd, &st, raw);
	content->label = xstrdup(label);
	rc = identify(content, false, err);
	*identity = content->identity;
	*disk_size = (uint64_t)st.st_size;
	content->fd = -1;
	maildir_content_close(&content);
	return rc;
}

/* What the first reading found. */
const struct identity *maildir_content_identity(const struct maildir_content *content)
{
	return &content->identity;
}

/* Whether it holds a byte that IMAP cannot carry. */
bool maildir_content_has_nul(const struct maildir_content *content)
{
	return content->has_nul;
}

/* What its name said. */
struct flags maildir_content_flags(const struct maildir_content *content)
{
	return content->flags;
}

/* Gives out what is in memory. */
static void read_kept(struct maildir_content *content, char *out, size_t len, size_t *got)
{
	size_t left = content->kept.len - (size_t)content->given;

	*got = left < len ? left : len;
	memcpy(out, content->kept.data + content->given, *got);
	content->given += *got;
}

/* The second reading must be as long as the first was. */
int maildir_content_read(struct maildir_content *content, char *out, size_t len, size_t *got,
			 struct error *err)
{
	if (content->fd < 0) {
		read_kept(content, out, len, got);
		return 0;
	}
	*got = 0;
	if (content->wire_at == content->wire_len && !content->at_end) {
		content->wire_at = 0;
		if (read_chunk(content, content->wire, &content->wire_len, err) < 0)
			return -1;
		content->at_end = content->wire_len == 0;
	}
	*got = content->wire_len - content->wire_at;
	if (*got > len)
		*got = len;
	memcpy(out, content->wire + content->wire_at, *got);
	content->wire_at += *got;
	content->given += *got;
	if (content->at_end && content->given != content->identity.size)
		return error_set(err, ERROR_IO, SCOPE_MESSAGE, "%s: it changed while it was read",
				 content->label);
	return 0;
}

/* Closes. */
void maildir_content_close(struct maildir_content **content)
{
	if (!*content)
		return;
	file_close(&(*content)->fd);
	buf_free(&(*content)->kept);
	free((*content)->wire);
	free((*content)->disk);
	free((*content)->label);
	free(*content);
	*content = NULL;
}
