// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/glance.h"

#include "base/alloc.h"
#include "base/text.h"
#include "maildir/dirents.h"

#include <stdlib.h>

/* The times are taken before anything is read. */
int maildir_glance_open(struct maildir_mailbox *mailbox, struct maildir_glance **glance,
			struct error *err)
{
	struct maildir_glance *opened = xcalloc(1, sizeof(*opened));

	*glance = opened;
	opened->mailbox = mailbox;
	opened->dir = MAILDIR_NEW;
	if (maildir_mailbox_stamp(mailbox, &opened->cur_ns, &opened->new_ns, err) == 0 &&
	    maildir_keywords_read(mailbox, err) == 0)
		return 0;
	maildir_glance_close(glance);
	return -1;
}

/* The next piece of new, then of cur. 1, 0, -1. */
static int read_on(struct maildir_glance *glance, struct error *err)
{
	for (;;) {
		int fd = glance->mailbox->fds[glance->dir];
		int rc = dirents_read_piece(&glance->piece, fd, !glance->begun, err);

		glance->begun = true;
		glance->at = 0;
		if (rc < 0)
			return error_prefix(err, "mailbox %s", text_show(glance->mailbox->name));
		if (rc > 0 || glance->dir == MAILDIR_CUR)
			return rc;
		glance->dir = MAILDIR_CUR;
		glance->begun = false;
	}
}

/* A mailbox that was not at rest to begin with is not read at all. */
int maildir_glance_next(struct maildir_glance *glance, struct maildir_entry *entry, bool *rest,
			struct error *err)
{
	struct dirent_view view;
	int rc = glance->cur_ns && glance->new_ns;

	while (rc > 0) {
		if (dirents_next(&glance->piece, &glance->at, &view) == 0) {
			rc = read_on(glance, err);
			continue;
		}
		if (!maildir_is_message(glance->mailbox->fds[glance->dir], &view))
			continue;
		*entry = maildir_entry_of(&glance->mailbox->keywords, glance->dir, view.name);
		return 1;
	}
	*rest = maildir_is_quiet(glance->mailbox, glance->cur_ns, glance->new_ns);
	return rc;
}

/* Frees all. */
void maildir_glance_close(struct maildir_glance **glance)
{
	if (!*glance)
		return;
	dirents_free(&(*glance)->piece);
	free(*glance);
	*glance = NULL;
}
