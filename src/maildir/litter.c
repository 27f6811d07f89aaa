// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/litter.h"

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "maildir/dirents.h"
#include "maildir/name.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STALE_SECONDS (36 * 3600)

/* A file that was left behind in tmp; its name lives as long as what was read of the directory. */
struct leftover {
	const char *file;
	bool own;
	uint64_t size;
	int64_t since;
};

/*
 * Whether a file was left behind for good. The name of one of ours tells when it was begun: the
 * mtime of a linked one is its message's. Of another program's both of its times count: one that
 * copies with the original's mtime may be at it.
 */
static bool is_stale(const struct maildir_mailbox *mailbox, const struct stat *st, int64_t now,
		     struct leftover *file)
{
	long pid;

	file->own = maildir_namer_made(maildir_tree_namer(mailbox->tree), file->file, &pid);
	if (file->own)
		file->since = strtoll(file->file, NULL, 10);
	else
		file->since = st->st_mtim.tv_sec > st->st_ctim.tv_sec ? st->st_mtim.tv_sec
								      : st->st_ctim.tv_sec;
	if (file->own && pid != getpid() && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return true;
	return now - file->since > STALE_SECONDS;
}

/* The next leftover of those that were read of tmp; false at the end. */
static bool next_leftover(const struct maildir_mailbox *mailbox, int tmp,
			  const struct dirents *dirents, size_t *at, int64_t now,
			  struct leftover *out)
{
	struct dirent_view view;
	struct stat st;

	while (dirents_next(dirents, at, &view)) {
		*out = (struct leftover){.file = view.name};
		if (fstatat(tmp, view.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		    !is_stale(mailbox, &st, now, out))
			continue;
		out->size = (uint64_t)st.st_size;
		return true;
	}
	return false;
}

/* Opens tmp without making it; -1 and no error where there is none. */
static int open_tmp(const struct maildir_mailbox *mailbox, struct error *err)
{
	int home = maildir_mailbox_open_home(mailbox, err), tmp = -1;

	if (home < 0)
		return -1;
	tmp = openat(home, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tmp < 0 && errno != ENOENT)
		error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot open tmp",
			    text_show(mailbox->name));
	file_close(&home);
	return tmp;
}

int maildir_litter_list(const struct maildir_mailbox *mailbox, int64_t now, struct arena *arena,
			struct maildir_litter **litter, size_t *count, struct error *err)
{
	struct maildir_litter *found = NULL;
	struct dirents dirents = {0};
	struct leftover file;
	struct error why = {0};
	size_t len = 0, cap = 0, at = 0;
	int tmp = open_tmp(mailbox, &why);
	int rc = tmp < 0 ? 0 : dirents_read(&dirents, tmp, &why);

	while (tmp >= 0 && !rc && next_leftover(mailbox, tmp, &dirents, &at, now, &file))
		*array_push(found, len, cap) = (struct maildir_litter){
		    arena_strdup(arena, file.file), file.size, file.since};
	*count = len;
	*litter = arena_alloc(arena, (len + 1) * sizeof(**litter));
	if (len)
		memcpy(*litter, found, len * sizeof(**litter));
	free(found);
	dirents_free(&dirents);
	file_close(&tmp);
	if (why.kind != ERROR_NONE && err)
		*err = why;
	return why.kind == ERROR_NONE ? 0 : -1;
}

int maildir_litter_remove(const struct maildir_mailbox *mailbox, const char *file,
			  struct error *err)
{
	struct error why = {0};
	int tmp = open_tmp(mailbox, &why);
	int rc = tmp < 0 && why.kind != ERROR_NONE ? -1 : 0;

	if (tmp >= 0 && unlinkat(tmp, file, 0) < 0 && errno != ENOENT)
		rc = error_errno(&why, SCOPE_MAILBOX, "mailbox %s: cannot remove tmp/%s",
				 text_show(mailbox->name), text_show(file));
	file_close(&tmp);
	if (rc < 0 && err)
		*err = why;
	return rc;
}

/* A leftover does no harm, so nothing here is an error; nor is what another program left ours. */
void maildir_litter_sweep(struct maildir_mailbox *mailbox)
{
	struct dirents dirents = {0};
	struct leftover file;
	size_t at = 0;

	if (!mailbox->may_write || maildir_mailbox_open_tmp(mailbox, NULL) < 0)
		return;
	int tmp = mailbox->fds[MAILDIR_TMP];
	bool read = dirents_read(&dirents, tmp, NULL) == 0;
	while (read && next_leftover(mailbox, tmp, &dirents, &at, time(NULL), &file))
		if (file.own && unlinkat(tmp, file.file, 0) == 0)
			log_info("mailbox %s: removed tmp/%s, left by an earlier run",
				 text_show(mailbox->name), text_show(file.file));
	dirents_free(&dirents);
}
