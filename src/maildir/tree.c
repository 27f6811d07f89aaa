// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "maildir/tree-inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARKER       MAILDIR_MARKER
#define MARKER_START "evenmail tree 1 " /* before the id and a newline */
#define MARKER_MAX   64

/* Opens the marker; an *fd of -1 where there is none. */
static int open_marker(const struct maildir_tree *tree, int *fd, struct error *err)
{
	*fd = openat(tree->root, MARKER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 && errno != ENOENT)
		return error_errno(err, SCOPE_FATAL, "cannot open %s in %s", MARKER,
				   text_show(tree->path));
	return 0;
}

/* Whether text is a whole marker. */
static bool is_marker(const struct buf *text)
{
	const size_t start = sizeof(MARKER_START) - 1;
	const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return text->len == start + MAILDIR_ID_SIZE &&
	       memcmp(text->data, MARKER_START, start) == 0 &&
	       strspn(text->data + start, letters) == MAILDIR_ID_SIZE - 1 &&
	       text->data[text->len - 1] == '\n';
}

/* Reads the id; one that cannot be read is no missing one, for missing is a reason to stop. */
static int read_marker(struct maildir_tree *tree, struct error *err)
{
	struct buf text;
	int fd;
	int rc = -1;

	buf_init(&text, MARKER_MAX);
	if (open_marker(tree, &fd, err) < 0)
		goto out;
	rc = 0;
	if (fd < 0)
		goto out;
	rc = file_read_all(fd, &text, err);
	if (rc < 0) {
		error_prefix(err, "%s in %s", MARKER, text_show(tree->path));
		err->scope = SCOPE_FATAL;
	} else if (!is_marker(&text)) {
		rc = error_set(err, ERROR_IO, SCOPE_FATAL,
			       "%s in %s is damaged or of another version; remove it if this is "
			       "the right tree",
			       MARKER, text_show(tree->path));
	} else {
		memcpy(tree->id, text.data + sizeof(MARKER_START) - 1, MAILDIR_ID_SIZE - 1);
	}
	file_close(&fd);
out:
	buf_free(&text);
	return rc;
}

/* Opens the root, following a symlink; makes it first where asked to. An fd of -1: not there. */
static int open_root(const char *path, bool create, int *fd, struct error *err)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT && !create)
		return 0;
	if (*fd < 0 && errno == ENOENT) {
		*fd = file_make_dirs(path, err);
		if (*fd < 0) {
			err->scope = SCOPE_FATAL;
			return -1;
		}
	}
	if (*fd < 0)
		return error_errno(err, SCOPE_FATAL, "cannot open the Maildir tree %s",
				   text_show(path));
	return 0;
}

/* Mail that another user owns is not ours to change, and may be a trap. */
static int check_owner(const struct maildir_tree *tree, struct error *err)
{
	struct stat st;

	if (fstat(tree->root, &st) < 0)
		return error_errno(err, SCOPE_FATAL, "cannot look at %s", text_show(tree->path));
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_IO, SCOPE_FATAL, "%s belongs to another user (uid %lu)",
				 text_show(tree->path), (unsigned long)st.st_uid);
	if (st.st_mode & S_IWOTH)
		log_warn("%s can be changed by every user; chmod o-w helps", text_show(tree->path));
	return 0;
}

/* Opens the root and reads its marker. */
int maildir_tree_open(const char *path, enum maildir_layout layout, bool create,
		      struct maildir_tree **tree, struct error *err)
{
	struct maildir_tree *opened;
	struct error ignored;
	int fd;

	*tree = NULL;
	if (!err)
		err = &ignored;
	if (open_root(path, create, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return 0;
	opened = xcalloc(1, sizeof(*opened));
	opened->root = fd;
	opened->layout = layout;
	opened->path = xstrdup(path);
	maildir_namer_init(&opened->namer);
	if (check_owner(opened, err) < 0 || read_marker(opened, err) < 0)
		maildir_tree_close(&opened);
	*tree = opened;
	return opened ? 0 : -1;
}

/* Closes. */
void maildir_tree_close(struct maildir_tree **tree)
{
	if (!*tree)
		return;
	file_close(&(*tree)->root);
	free((*tree)->path);
	free(*tree);
	*tree = NULL;
}

/* The id that was read or written. */
const char *maildir_tree_id(const struct maildir_tree *tree)
{
	return tree->id;
}

/*
 * Two channels on one tree may come here at once: the root's lock lets one write, and the other
 * read what it wrote. File systems without such locks (NFS on a directory) do without.
 */
int maildir_tree_mark(struct maildir_tree *tree, struct error *err)
{
	char text[MARKER_MAX] = MARKER_START;
	const size_t start = sizeof(MARKER_START) - 1;
	int lock;
	int rc;

	if (tree->id[0])
		return 0;
	lock = maildir_tree_open_dir(tree, ".");
	if (lock < 0)
		return error_errno(err, SCOPE_FATAL, "cannot open %s", text_show(tree->path));
	file_lock(lock, LOCK_EX);
	rc = read_marker(tree, err);
	if (rc < 0 || tree->id[0])
		goto out;
	random_word(text + start, MAILDIR_ID_SIZE - 1);
	text[start + MAILDIR_ID_SIZE - 1] = '\n';
	rc = file_replace(tree->root, MARKER, text, start + MAILDIR_ID_SIZE, err);
	if (rc == 0)
		memcpy(tree->id, text + start, MAILDIR_ID_SIZE - 1);
	else
		error_prefix(err, "%s", text_show(tree->path));
out:
	file_close(&lock);
	return rc;
}

/* Steps down one component at a time: no component can be a symlink, or "..". */
static int open_by_steps(int root, const char *path)
{
	int fd = openat(root, ".", OPEN_DIR);

	while (fd >= 0 && *path) {
		size_t len = strcspn(path, "/");
		char entry[MAILDIR_ENTRY_MAX + 1];
		int parent = fd;

		if (len > MAILDIR_ENTRY_MAX || (len == 2 && !memcmp(path, "..", 2))) {
			file_close(&parent);
			errno = len == 2 ? EXDEV : ENAMETOOLONG;
			return -1;
		}
		memcpy(entry, path, len);
		entry[len] = '\0';
		fd = openat(parent, entry, OPEN_DIR);
		file_close(&parent);
		path += len + (path[len] == '/');
	}
	return fd;
}

/* Kernels before 5.6, and sandboxes that do not know the call, take the steps. */
int maildir_tree_open_dir(const struct maildir_tree *tree, const char *path)
{
	struct open_how how = {
	    .flags = OPEN_DIR,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, tree->root, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_by_steps(tree->root, path);
	return (int)fd;
}

/* How names become directories. */
enum maildir_layout maildir_tree_layout(const struct maildir_tree *tree)
{
	return tree->layout;
}

/* Who makes unique names. */
struct maildir_namer *maildir_tree_namer(struct maildir_tree *tree)
{
	return &tree->namer;
}
