// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/inside.h"

#include "base/alloc.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes the handle that of another mailbox; what it has read stays. */
static void carry_name(struct journal *journal, const char *mailbox)
{
	free(journal->mailbox);
	journal->mailbox = xstrdup(mailbox);
	journal_file_name(mailbox, journal->file);
}

/*
 * Reads the journal once more: what its open transaction has changed must not come along, for
 * nobody has said yet that it is to last.
 */
static int carry_read_again(const struct journal *journal, struct journal **committed,
			    struct error *err)
{
	if (journal_open(journal->dir, journal->mailbox, committed, err) < 0)
		return -1;
	if (journal_load(*committed, err) < 0)
		return -1;
	if ((*committed)->inode == journal->inode && (*committed)->size == journal->size &&
	    (*committed)->sequence == journal->sequence)
		return 0;
	return journal_refuse_change(err);
}

/* Whether there is a file of target's name, and whether it holds just these bytes. */
static int carry_compare(const struct journal *target, const struct buf *file, bool *there,
			 bool *same, struct error *err)
{
	struct buf held;
	int rc = 0;
	int fd;

	if (journal_dir_open_file(target->dir, target->file, &fd, err) < 0)
		return -1;
	*there = fd >= 0;
	buf_init(&held, JOURNAL_MAX);
	if (*there)
		rc = file_read_all(fd, &held, err);
	*same =
	    held.len > 0 && held.len == file->len && memcmp(held.data, file->data, held.len) == 0;
	file_close(&fd);
	buf_free(&held);
	return rc;
}

/*
 * Puts the file of the new name in place: target holds what was committed. One that is there
 * already is that of a run which was stopped before it removed the old one, or somebody else's.
 * Under the directory's lock nobody makes it between the look and the rename.
 */
static int carry_place(struct journal *target, struct error *err)
{
	bool there, same;
	struct buf file;
	int rc = -1;

	buf_init(&file, JOURNAL_MAX);
	if (target->size > 0)
		journal_put_all(target, &file);
	if (carry_compare(target, &file, &there, &same, err) < 0)
		goto out;
	if (there && !same) {
		errno = EEXIST;
		error_errno(err, SCOPE_MAILBOX, "%s", text_show(target->file));
	} else if (there) {
		rc = journal_adopt_file(target, file.len, err);
	} else {
		rc = target->size > 0 ? journal_make_file(target, &file, err) : 0;
	}
out:
	buf_free(&file);
	return rc;
}

/* Removes the old file, which is of no use from here on, and takes the new one over. */
static int carry_finish(struct journal *journal, const struct journal *target, struct error *err)
{
	if (journal_remove(journal->dir, journal->mailbox, err) < 0)
		return -1;
	carry_name(journal, target->mailbox);
	journal->size = target->size;
	journal->inode = target->inode;
	journal->sequence = target->sequence;
	journal->compact_at = JOURNAL_COMPACT_AT;
	return 0;
}

/* Every step; mailbox is another than the journal's. */
static int carry_over(struct journal *journal, const char *mailbox, struct error *err)
{
	struct journal *target = NULL;
	int rc = -1;

	if (journal->broken)
		return journal_refuse_broken(err);
	if (journal_check_name(mailbox, err) < 0)
		return -1;
	if (carry_read_again(journal, &target, err) < 0)
		goto out;
	carry_name(target, mailbox);
	if (carry_place(target, err) == 0)
		rc = carry_finish(journal, target, err);
out:
	journal_close(&target);
	return rc;
}

/* What may have been done by half is for the next run to find out. */
int journal_carry(struct journal *journal, const char *mailbox, struct error *err)
{
	struct error why;

	assert(journal->dir->exclusive);
	if (strcmp(journal->mailbox, mailbox) == 0)
		return 0;
	error_clear(&why);
	if (carry_over(journal, mailbox, &why) == 0)
		return 0;
	if (why.sys != EEXIST)
		journal->broken = true;
	if (err != NULL)
		*err = why;
	error_prefix(err, "cannot be carried over to %s", text_show(mailbox));
	return journal_prefix(journal, err);
}
