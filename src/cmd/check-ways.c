// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/check-ways.h"

#include <string.h>
#include <strings.h>

/* How it is known which mailboxes changed. Without MODSEQ no figure betrays a change of flags. */
static struct way way_changes(unsigned capabilities)
{
	if (!(capabilities & IMAP_CAP_CONDSTORE))
		return (struct way){"changes", "none", "every mailbox is opened in every run"};
	if (capabilities & IMAP_CAP_LIST_STATUS)
		return (struct way){"changes", "LIST-STATUS",
				    "one command tells which mailboxes changed"};
	return (struct way){"changes", "STATUS",
			    "a STATUS for each mailbox, all at once, tells which changed"};
}

/* How the changes in one mailbox are learned. */
static struct way way_snapshot(unsigned capabilities, bool qresync)
{
	if (qresync)
		return (struct way){"snapshot", "QRESYNC",
				    "opening a mailbox tells what changed and what is gone"};
	if (capabilities & IMAP_CAP_CONDSTORE)
		return (struct way){
		    "snapshot", "CONDSTORE",
		    "only changed flags are listed; what is gone, where the count does not fit"};
	return (struct way){"snapshot", "full", "the flags of every message are listed"};
}

/* Whether a message waits for the server's leave. */
static struct way way_upload(unsigned capabilities)
{
	if (!(~capabilities & IMAP_CAPS_APPEND_SEVERAL))
		return (struct way){"upload", "MULTIAPPEND",
				    "messages are sent without waiting, many in one command"};
	if (capabilities & IMAP_CAP_LITERAL_PLUS)
		return (struct way){"upload", "LITERAL+", "messages are sent without waiting"};
	if (capabilities & IMAP_CAP_LITERAL_MINUS)
		return (struct way){"upload", "LITERAL-",
				    "messages up to 4096 bytes are sent without waiting"};
	return (struct way){"upload", "literal", "the server is asked before each message"};
}

/* How the UID of an uploaded message is learned. */
static struct way way_new_uids(unsigned capabilities)
{
	if (capabilities & IMAP_CAP_UIDPLUS)
		return (struct way){"new_uids", "UIDPLUS", "the server tells them"};
	return (struct way){"new_uids", "search", "found by what identifies the message"};
}

/* How exactly a deletion hits. */
static struct way way_deletions(unsigned capabilities)
{
	if (capabilities & IMAP_CAP_UIDPLUS)
		return (struct way){"deletions", "UIDPLUS", "exactly the messages meant"};
	return (struct way){"deletions", "EXPUNGE",
			    "only where nobody marked other messages as deleted"};
}

/* How a message gets into the trash. */
static struct way way_trash(unsigned capabilities)
{
	if (capabilities & IMAP_CAP_MOVE)
		return (struct way){"trash", "MOVE", "in one step"};
	return (struct way){"trash", "COPY", "copied, then deleted"};
}

struct way way_choose(enum way_purpose purpose, unsigned capabilities, bool qresync)
{
	switch (purpose) {
	case WAY_CHANGES: return way_changes(capabilities);
	case WAY_SNAPSHOT: return way_snapshot(capabilities, qresync);
	case WAY_UPLOAD: return way_upload(capabilities);
	case WAY_NEW_UIDS: return way_new_uids(capabilities);
	case WAY_DELETIONS: return way_deletions(capabilities);
	case WAY_TRASH: return way_trash(capabilities);
	case WAY_NAMES:
	case WAY_PURPOSES: break;
	}
	if (capabilities & IMAP_CAP_UTF8_ACCEPT)
		return (struct way){"names", "UTF8=ACCEPT", "mailbox names go as UTF-8"};
	return (struct way){"names", "UTF-7", "mailbox names go as modified UTF-7"};
}

struct way way_compress(enum imap_compress wanted, unsigned capabilities, bool compressed)
{
	if (compressed)
		return (struct way){"compress", "DEFLATE", "both directions are compressed"};
	if (wanted == IMAP_COMPRESS_NO)
		return (struct way){"compress", "none", "the configuration says no"};
	if (!(capabilities & IMAP_CAP_COMPRESS))
		return (struct way){"compress", "none", "the server offers none"};
	if (wanted == IMAP_COMPRESS_YES)
		return (struct way){"compress", "none", "the server refused it"};
	return (struct way){"compress", "auto", "begins once a line has shown to be slow"};
}

/* Reads a quoted string, or NIL as an empty one; NULL where there is none, else what follows. */
static const char *read_string(const char *at, struct buf *out)
{
	at += strspn(at, " ");
	buf_reset(out);
	if (!strncasecmp(at, "NIL", 3))
		return at + 3;
	if (*at != '"')
		return NULL;
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		buf_putc(out, *at);
	}
	return *at ? at + 1 : NULL;
}

/* Appends the list's pairs; false where it is none. */
static bool put_pairs(struct buf *out, const char *at, struct buf *key, struct buf *value)
{
	bool any = false;

	if (*at++ != '(')
		return false;
	while (*at && at[strspn(at, " ")] != ')') {
		at = read_string(at, key);
		if (at)
			at = read_string(at, value);
		if (!at)
			return false;
		if (!value->len)
			continue;
		buf_puts(out, any ? ", " : "");
		if (any || strcasecmp(key->data, "name") != 0) {
			buf_puts(out, key->data);
			buf_putc(out, ' ');
		}
		buf_puts(out, value->data);
		any = true;
	}
	return any;
}

void way_put_server(struct buf *out, const char *id)
{
	size_t len = strlen(id);
	struct buf pairs, key, value;

	buf_init(&pairs, 2 * len + 1);
	buf_init(&key, len + 1);
	buf_init(&value, len + 1);
	buf_puts(out, put_pairs(&pairs, id, &key, &value) ? pairs.data : id);
	buf_free(&pairs);
	buf_free(&key);
	buf_free(&value);
}
