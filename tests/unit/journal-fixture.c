// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal-fixture.h"

#include "base/alloc.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char fixture_root[SCRATCH_PATH];
char fixture_state[SCRATCH_PATH + 8];
struct fixture_call fixture_fdatasync, fixture_fsync, fixture_write, fixture_ftruncate;
bool fixture_syncs_really;
int fixture_warnings;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);

/* Counts a call; true where it is to fail, with errno set. */
static bool fixture_fails(struct fixture_call *call)
{
	call->count++;
	if (call->fail_after < 0 || call->fail_after-- > 0)
		return false;
	errno = call->error;
	return true;
}

int __wrap_fdatasync(int fd)
{
	if (fixture_fails(&fixture_fdatasync))
		return -1;
	return fixture_syncs_really ? __real_fdatasync(fd) : 0;
}

int __wrap_fsync(int fd)
{
	if (fixture_fails(&fixture_fsync))
		return -1;
	return fixture_syncs_really ? __real_fsync(fd) : 0;
}

/* Writes half before it fails, as a disk that fills up does. */
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (fixture_write.fail_after == 1 && len > 1) {
		fixture_write.fail_after = 0;
		fixture_write.count++;
		return __real_write(fd, bytes, len / 2);
	}
	return fixture_fails(&fixture_write) ? -1 : __real_write(fd, bytes, len);
}

int __wrap_ftruncate(int fd, off_t len)
{
	return fixture_fails(&fixture_ftruncate) ? -1 : __real_ftruncate(fd, len);
}

void fixture_reset_calls(void)
{
	const struct fixture_call none = {.fail_after = -1, .error = EIO};

	fixture_fdatasync = fixture_fsync = fixture_write = fixture_ftruncate = none;
}

static void fixture_log(void *context, enum log_level level, const char *line)
{
	(void)context;
	(void)line;
	if (level == LOG_LEVEL_WARN)
		fixture_warnings++;
}

int fixture_setup(void **state)
{
	(void)state;
	fixture_reset_calls();
	fixture_warnings = 0;
	log_set_sink(fixture_log, NULL, LOG_LEVEL_INFO);
	if (scratch_make(fixture_root, sizeof(fixture_root), "journal") < 0)
		return -1;
	snprintf(fixture_state, sizeof(fixture_state), "%s/state", fixture_root);
	return 0;
}

static int fixture_remove(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

int fixture_teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	return nftw(fixture_root, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void fixture_path(char out[512], const char *name)
{
	assert_true(snprintf(out, 512, "%s/%s", fixture_state, name) < 512);
}

void fixture_read(const char *name, struct buf *out)
{
	char path[512];
	char *at;
	ssize_t got;
	int fd;

	fixture_path(path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	do {
		at = buf_reserve(out, 1024);
		assert_non_null(at);
		got = read(fd, at, 1024);
		assert_true(got >= 0);
		out->len += (size_t)got;
	} while (got > 0);
	close(fd);
}

void fixture_write_file(const char *name, const void *bytes, size_t len)
{
	char path[512];
	int fd;

	fixture_path(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

long fixture_size(const char *name)
{
	char path[512];
	struct stat st;

	fixture_path(path, name);
	return lstat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* Shows the error where it failed. */
static void fixture_works(int rc, const struct error *err)
{
	if (rc < 0)
		print_error("%s\n", err->text);
	assert_int_equal(rc, 0);
}

struct journal_dir *fixture_open_dir(bool exclusive)
{
	struct journal_dir *dir;
	struct error err;

	fixture_works(journal_dir_open(fixture_state, exclusive, &dir, &err), &err);
	return dir;
}

struct journal *fixture_open(struct journal_dir *dir, const char *mailbox)
{
	struct journal *journal;
	struct error err;

	fixture_works(journal_open(dir, mailbox, &journal, &err), &err);
	return journal;
}

struct journal *fixture_load(struct journal_dir *dir, const char *mailbox)
{
	struct journal *journal = fixture_open(dir, mailbox);
	struct error err;

	fixture_works(journal_load(journal, &err), &err);
	return journal;
}

void fixture_commit(struct journal *journal, const struct journal_head *head)
{
	struct error err;

	fixture_works(journal_commit(journal, head, &err), &err);
}

struct pair fixture_pair(uint32_t uid)
{
	static char names[8][64];
	static unsigned next;
	char *name = names[next++ % 8];
	struct pair pair = {
	    .uid = uid,
	    .flags = {uid * 7 % 64},
	    .gone = uid % 4,
	    .name = name,
	    .size = (uint64_t)uid * 1234567,
	    .date = (int64_t)uid * 1000 - 5000,
	    .message_id = uid % 3 == 0 ? 0 : uid * 0x9e3779b97f4a7c15u,
	    .email_id = uid % 4 == 0 ? 0 : uid * 0xc2b2ae3d27d4eb4fu,
	};

	snprintf(name, sizeof(names[0]), "17000%" PRIu32 ".M%" PRIu32 " %%.host,S=%" PRIu32, uid,
		 uid * 31, uid);
	if (uid % 5 != 0)
		memset(pair.digest.bytes, (int)(uid % 255 + 1), sizeof(pair.digest.bytes));
	return pair;
}

struct journal_note fixture_note(enum journal_note_kind kind, uint32_t n)
{
	static char names[8][64];
	static unsigned next;
	char *name = names[next++ % 8];
	bool by_uid = kind != JOURNAL_APPENDING && !(kind == JOURNAL_REFUSED && n % 2 == 0);
	struct journal_note note = {
	    .kind = kind,
	    .side = kind == JOURNAL_APPENDING || n % 2 == 1 ? REMOTE : LOCAL,
	    .uid = by_uid ? n : 0,
	    .name = kind == JOURNAL_PUBLISHING || !by_uid ? name : NULL,
	    .uidvalidity = n * 3,
	    .floor = n * 5,
	    .flags = {n % 64},
	    .identity = {.size = n % 4 == 0 ? SIZE_UNKNOWN : n,
			 .date = n % 4 == 1 ? DATE_UNKNOWN : -(int64_t)n,
			 .has_message_id = n % 4 != 2,
			 .message_id = n % 4 == 3 ? n : 0,
			 .email_id = n % 5 == 0 ? 0 : UINT64_MAX - n,
			 .has_digest = n % 3 == 0},
	    .text = kind == JOURNAL_MOVING    ? "Trash/été 1\n2"
		    : kind == JOURNAL_REFUSED ? "NO [TOOBIG] 100% too big"
					      : NULL,
	};

	snprintf(name, sizeof(names[0]), "note-%d-%" PRIu32, kind, n);
	if (note.identity.has_digest)
		memset(note.identity.digest.bytes, (int)n, sizeof(note.identity.digest.bytes));
	return note;
}

struct journal_head fixture_head(uint32_t n)
{
	return (struct journal_head){
	    .uidvalidity = n,
	    .uidnext = n + 1000,
	    .highestmodseq = UINT64_MAX - n,
	    .remote_messages = n * 2,
	    .mailbox_id = n * 0x9e3779b97f4a7c15u,
	    .cur_ns = (int64_t)n * 1000000007,
	    .new_ns = -(int64_t)n,
	    .inode = n * 13,
	    .policy = n * 11,
	    .even = n % 2 == 0,
	};
}

void fixture_dump_head(const struct journal_head *head, struct buf *out)
{
	buf_printf(out,
		   "head %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRId64
		   " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %d\n",
		   head->uidvalidity, head->uidnext, head->highestmodseq, head->remote_messages,
		   head->mailbox_id, head->cur_ns, head->new_ns, head->inode, head->pairs,
		   head->notes, head->policy, head->even);
}

static void fixture_dump_digest(const struct digest *digest, struct buf *out)
{
	for (size_t i = 0; i < sizeof(digest->bytes); i++)
		buf_printf(out, "%02x", digest->bytes[i]);
}

void fixture_dump_pair(const struct pair *pair, struct buf *out)
{
	buf_printf(out, "pair %" PRIu32 " %" PRIu32 " %u %" PRIu64 " %" PRId64, pair->uid,
		   pair->flags.bits, (unsigned)pair->gone, (uint64_t)pair->size, pair->date);
	buf_printf(out, " %" PRIu64 " %" PRIu64 " ", pair->message_id, pair->email_id);
	fixture_dump_digest(&pair->digest, out);
	buf_printf(out, " [%s]\n", pair->name);
}

void fixture_dump_note(const struct journal_note *note, struct buf *out)
{
	const struct identity *identity = &note->identity;

	buf_printf(out, "note %d %d %" PRIu32 " [%s] %" PRIu32 " %" PRIu32 " %" PRIu32, note->kind,
		   note->side, note->uid, note->name != NULL ? note->name : "(none)",
		   note->uidvalidity, note->floor, note->flags.bits);
	buf_printf(out, " %" PRIu64 " %" PRId64 " %d %" PRIu64 " %" PRIu64 " %d ",
		   (uint64_t)identity->size, identity->date, identity->has_message_id,
		   identity->message_id, identity->email_id, identity->has_digest);
	fixture_dump_digest(&identity->digest, out);
	buf_printf(out, " [%s]\n", note->text != NULL ? note->text : "(none)");
}

static int fixture_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void fixture_dump(const struct journal *journal, struct buf *out)
{
	size_t count;
	const struct pair *pairs = journal_pairs(journal, &count);
	const struct journal_note *notes;
	char **lines;

	fixture_dump_head(journal_head(journal), out);
	for (size_t i = 0; i < count; i++)
		fixture_dump_pair(&pairs[i], out);
	notes = journal_notes(journal, &count);
	lines = xcalloc(count + 1, sizeof(*lines));
	for (size_t i = 0; i < count; i++) {
		struct buf line;

		buf_init(&line, 65536);
		fixture_dump_note(&notes[i], &line);
		lines[i] = xstrdup(line.data);
		buf_free(&line);
	}
	qsort(lines, count, sizeof(*lines), fixture_compare);
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, lines[i]);
		free(lines[i]);
	}
	free(lines);
	assert_false(out->full);
}

void fixture_put(struct journal *journal, uint32_t uid)
{
	struct pair pair = fixture_pair(uid);

	journal_put(journal, &pair);
}

void fixture_expect_same(const struct journal *a, const struct journal *b)
{
	struct buf left, right;

	buf_init(&left, 16 << 20);
	buf_init(&right, 16 << 20);
	fixture_dump(a, &left);
	fixture_dump(b, &right);
	assert_string_equal(left.data, right.data);
	buf_free(&left);
	buf_free(&right);
}

void fixture_expect_on_disk(struct journal_dir *dir, const char *mailbox,
			    const struct journal *journal)
{
	struct journal *again = fixture_load(dir, mailbox);

	fixture_expect_same(journal, again);
	journal_close(&again);
}
