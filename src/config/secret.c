// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/secret.h"

#include "base/file.h"
#include "base/text.h"
#include "config/shell.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX      (64 * 1024) /* bytes that a file or command may hold or print */
#define SECRET_LIMIT_MS 30000

/* Appends the first line of text, which must be one without NUL. */
static int secret_take_line(const struct buf *text, const char *what, struct buf *out,
			    struct error *err)
{
	const char *newline = memchr(text->data, '\n', text->len);
	size_t len = newline != NULL ? (size_t)(newline - text->data) : text->len;

	if (len > 0 && text->data[len - 1] == '\r')
		len--;
	if (len == 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "the first line of %s is empty",
				 what);
	if (memchr(text->data, '\0', len) != NULL)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "the first line of %s holds NUL",
				 what);
	if (buf_append(out, text->data, len) < 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE,
				 "the first line of %s is longer than %zu bytes", what, out->max);
	return 0;
}

/* Refuses a file that others can read or could have put there. */
static int secret_check_file(int fd, const char *path, struct error *err)
{
	const char *why = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "password-file %s: %m",
				 text_show(path));
	if (!S_ISREG(st.st_mode))
		why = "not a regular file";
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		why = "belongs to another user";
	else if ((st.st_mode & 077) != 0)
		why = "open to others: chmod 600 it";
	if (why == NULL)
		return 0;
	return error_set(err, ERROR_LOGIN, SCOPE_STORE, "password-file %s: %s", text_show(path),
			 why);
}

/* Reads the file into text; a symlink is followed, for what it leads to is checked. */
static int secret_read_file(const char *path, struct buf *text, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc = -1;

	if (fd < 0) {
		error_set(err, ERROR_LOGIN, SCOPE_STORE, "password-file %s: %m", text_show(path));
		goto out;
	}
	if (secret_check_file(fd, path, err) < 0)
		goto out;
	rc = file_read_all(fd, text, NULL);
	if (rc < 0 && text->full)
		error_set(err, ERROR_LOGIN, SCOPE_STORE, "password-file %s is larger than %d bytes",
			  text_show(path), SECRET_MAX);
	else if (rc < 0)
		error_set(err, ERROR_LOGIN, SCOPE_STORE, "password-file %s: %m", text_show(path));
out:
	file_close(&fd);
	return rc;
}

/* Appends the first line of the file. */
static int secret_from_file(const char *path, struct buf *out, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, SECRET_MAX);
	rc = secret_read_file(path, &text, err);
	if (rc == 0)
		rc = secret_take_line(&text, "password-file", out, err);
	buf_free_secret(&text);
	return rc;
}

/* Appends the first line that the command prints. */
static int secret_from_command(const char *command, const char *what, struct buf *out,
			       struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, SECRET_MAX);
	rc = shell_capture(command, what, SECRET_LIMIT_MS, &text, err);
	if (rc == 0)
		rc = secret_take_line(&text, what, out, err);
	buf_free_secret(&text);
	return rc;
}

/* Goes to the source that the configuration names. */
int secret_get(const struct config_remote *remote, bool token, struct buf *out, struct error *err)
{
	if (token && remote->token_command != NULL)
		return secret_from_command(remote->token_command, "token-command", out, err);
	if (token)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE,
				 "no token: set remote.token-command");
	if (remote->password_command != NULL)
		return secret_from_command(remote->password_command, "password-command", out, err);
	if (remote->password_file != NULL)
		return secret_from_file(remote->password_file, out, err);
	if (remote->password == NULL)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE,
				 "no password: set remote.password-command");
	if (buf_puts(out, remote->password) < 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "the password is too long");
	return 0;
}
