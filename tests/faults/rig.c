// SPDX-License-Identifier: GPL-3.0-or-later
#include "rig.h"

#include "content.h"

#include "base/alloc.h"
#include "base/fault.h"
#include "mail/eol.h"
#include "maildir/tree.h"
#include "store/store-maildir.h"
#include "sync/channel.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above all that the kernel gives: no process ever has it, so what it left is swept. */
#define PROCESS_FIRST 5000000
#define NAMED_MAX     8
#define ACCOUNT       "user@memory"

/* Each run is another process to the next. */
static pid_t process_id;

pid_t __wrap_getpid(void);
void __wrap_clock_sleep_ms(unsigned ms);

pid_t __wrap_getpid(void)
{
	return process_id;
}

/* Directories' times are not trusted then, and nobody has to wait for them. */
void __wrap_clock_sleep_ms(unsigned ms)
{
	(void)ms;
}

void rig_open(struct rig *rig, const struct memory_abilities *abilities)
{
	*rig = (struct rig){
	    .policy = {.change = {CHANGE_ALL, CHANGE_ALL}, .safety_percent = 101, .link = true}};
	if (scratch_make(rig->root, sizeof(rig->root), "faults") < 0) {
		perror(rig->root);
		abort();
	}
	rig->server = memory_new(REMOTE, abilities);
	memory_create(rig->server, "INBOX", 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void rig_close(struct rig *rig)
{
	nftw(rig->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	memory_free(&rig->server);
}

/* How many descriptors are open. */
static int count_open(void)
{
	DIR *listing = opendir("/proc/self/fd");
	int count = 0;

	while (listing && readdir(listing))
		count++;
	if (listing)
		closedir(listing);
	return count;
}

/* The steps of account_plan() and account_apply(). */
static int drive(struct channel *channel, struct outcome *outcome, struct error *err)
{
	if (channel_list(channel, err) || channel_survey(channel, err))
		return -1;
	channel_plan(channel);
	for (size_t i = 0; i < channel->len; i++)
		outcome->ops += channel->boxes[i].plan.len;
	return channel_apply(channel, err) || channel_confirm(channel, err) ? -1 : 0;
}

/* The first error that a box had. */
static void judge(const struct channel *channel, struct outcome *outcome)
{
	outcome->even = outcome->whole;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];

		outcome->even &= box->even || box->rule == RULE_B2_LEAVE;
		if (box->error.kind == ERROR_NONE)
			continue;
		outcome->whole = false;
		if (!*outcome->error)
			snprintf(outcome->error, sizeof(outcome->error), "%s: %s", box->name,
				 box->error.text);
	}
}

/* As run/account.c opens the local side: is it the tree that the journals know? */
static int open_tree(const char *path, struct journal_dir *journals, struct maildir_tree **tree,
		     struct error *err)
{
	const char *known = journal_dir_tree(journals);

	if (maildir_tree_open(path, MAILDIR_LAYOUT_TREE, !*known, tree, err))
		return -1;
	if (*known && (!*tree || strcmp(known, maildir_tree_id(*tree)) != 0))
		return error_set(err, ERROR_SAFETY, SCOPE_FATAL, "%s is another tree", path);
	if (maildir_tree_mark(*tree, err))
		return -1;
	if (*known)
		return 0;
	return journal_dir_set(journals, ACCOUNT, maildir_tree_id(*tree), err);
}

/* The channel's steps on what is open. */
static int run_channel(struct rig *rig, struct channel_setup *setup, struct maildir_tree *tree,
		       struct outcome *outcome, struct error *err)
{
	struct channel channel;
	int rc;

	setup->stores[LOCAL] = store_maildir_open(tree, true);
	setup->stores[REMOTE] = store_memory_open(rig->server);
	channel_open(&channel, setup);
	rc = drive(&channel, outcome, err);
	outcome->whole = rc == 0;
	judge(&channel, outcome);
	channel_close(&channel);
	for (enum side side = LOCAL; side < SIDES; side++)
		store_close(&setup->stores[side]);
	return rc;
}

void rig_run(struct rig *rig, const struct fault_plan *plan, struct outcome *outcome)
{
	struct channel_setup setup = {
	    .name = "rig", .policy = rig->policy, .allow_deletions = true};
	uint64_t before = memory_changes(rig->server);
	char *mail = xasprintf("%s/mail", rig->root), *state = xasprintf("%s/state", rig->root);
	struct maildir_tree *tree = NULL;
	struct error err = {0};
	int open = count_open();

	process_id = (pid_t)(PROCESS_FIRST + ++rig->process);
	*outcome = (struct outcome){0};
	if (plan)
		fault_arm(plan);
	if (journal_dir_open(state, true, &setup.journals, &err) == 0 &&
	    open_tree(mail, setup.journals, &tree, &err) == 0)
		run_channel(rig, &setup, tree, outcome, &err);
	if (err.kind != ERROR_NONE)
		snprintf(outcome->error, sizeof(outcome->error), "%s", err.text);
	maildir_tree_close(&tree);
	journal_dir_close(&setup.journals);
	free(mail);
	free(state);
	snprintf(outcome->struck, sizeof(outcome->struck), "%.1000s", fault_struck());
	fault_arm(&(struct fault_plan){0});
	outcome->changes = memory_changes(rig->server) - before;
	outcome->left_open = count_open() - open;
}

/* Reads a file whole, with CRs where its name does not say that it is raw, and tells its token. */
static unsigned token_of_file(int dir, const char *file, int64_t *date)
{
	const char *disk = strstr(file, ",S="), *wire = strstr(file, ",W=");
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	char *in = xmalloc(CONTENT_MAX), *out = xmalloc(2 * CONTENT_MAX);
	struct eol_wire eol = {0};
	ssize_t len = fd < 0 ? -1 : read(fd, in, CONTENT_MAX - 1);
	struct stat st = {0};
	unsigned token = 0;

	if (len >= 0 && fstat(fd, &st) == 0) {
		bool raw = disk && wire && strtoul(disk + 3, NULL, 10) == (size_t)len &&
			   strtoul(wire + 3, NULL, 10) == (size_t)len;

		in[len] = '\0';
		if (raw)
			memcpy(out, in, (size_t)len + 1);
		size_t out_len = raw ? (size_t)len : eol_wire(&eol, in, (size_t)len, out);
		out[out_len] = '\0';
		token = content_token(out, out_len);
	}
	if (fd >= 0)
		close(fd);
	free(in);
	free(out);
	*date = st.st_mtim.tv_sec;
	return token;
}

/* Sorted lines. */
struct lines {
	char *line[4096];
	size_t len;
};

static void add_line(struct lines *lines, char *line)
{
	assert(lines->len < sizeof(lines->line) / sizeof(*lines->line));
	lines->line[lines->len++] = line;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The keyword of a letter in the table of a mailbox, or the letter. */
static char *name_letter(const char *table, char letter)
{
	char start[8];
	const char *at;

	snprintf(start, sizeof(start), "\n%d ", letter - 'a');
	at = strstr(table, start);
	if (!at)
		return xasprintf("?%c", letter);
	at += strlen(start);
	return xstrndup(at, strcspn(at, "\n"));
}

/* Appends "+KEYWORD" for each, in an order that is always the same. */
static void put_keywords(char *names[], size_t len, struct buf *out)
{
	qsort(names, len, sizeof(*names), compare_lines);
	for (size_t i = 0; i < len; i++) {
		buf_printf(out, "+%s", names[i]);
		free(names[i]);
	}
}

/* Letters and keywords of a file's name. */
static void name_flags(const char *table, const char *file, struct buf *out)
{
	const char *letters = strstr(file, ":2,");
	char *names[NAMED_MAX];
	size_t len = 0;

	for (const char *at = letters ? letters + 3 : ""; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			buf_putc(out, *at);
		else if (len < NAMED_MAX)
			names[len++] = name_letter(table, *at);
	put_keywords(names, len, out);
}

/* Reads a mailbox's dovecot-keywords, a newline before it. */
static void read_letters(const char *home, char table[4096])
{
	char *path = xasprintf("%s/dovecot-keywords", home);
	FILE *file = fopen(path, "re");
	size_t len = 0;

	table[0] = '\n';
	if (file) {
		len = fread(table + 1, 1, 4094, file);
		fclose(file);
	}
	table[1 + len] = '\0';
	free(path);
}

/* The messages of cur or new. */
static void list_part(const char *home, const char *part, const char *mailbox, struct lines *lines)
{
	char *path = xasprintf("%s/%s", home, part);
	DIR *listing = opendir(path);
	struct dirent *entry;
	char table[4096];
	struct buf flags;

	read_letters(home, table);
	buf_init(&flags, 4096);
	while (listing && (entry = readdir(listing))) {
		int64_t date;

		if (entry->d_name[0] == '.')
			continue;
		buf_reset(&flags);
		name_flags(table, entry->d_name, &flags);
		unsigned token = token_of_file(dirfd(listing), entry->d_name, &date);
		add_line(lines, xasprintf("local %s %u %s %lld", mailbox, token,
					  flags.len ? flags.data : "-", (long long)date));
	}
	if (listing)
		closedir(listing);
	buf_free(&flags);
	free(path);
}

/*
 * What must not be left. A lock that nobody holds is removed by whom it hinders, and a journal's
 * temporary file is used again.
 */
static bool is_litter(const char *path)
{
	return strstr(path, "/tmp/");
}

/* nftw() has no context. */
static struct lines *listed;
static size_t listed_root;

static int list_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + at->base;
	char *home, *fresh;

	(void)st;
	if (type == FTW_F && is_litter(path))
		add_line(listed, xasprintf("litter %s", path + listed_root));
	if (type != FTW_D || strcmp(name, "cur") != 0)
		return 0;
	home = xstrndup(path, (size_t)at->base - 1);
	fresh = xasprintf("%s/new", home);
	if (access(fresh, F_OK) == 0) {
		const char *mailbox = home + listed_root + strlen("/mail/");

		add_line(listed, xasprintf("local %s", mailbox));
		list_part(home, "cur", mailbox, listed);
		list_part(home, "new", mailbox, listed);
	}
	free(home);
	free(fresh);
	return 0;
}

/* The server's side. */
static void list_server(const struct rig *rig, struct lines *lines)
{
	const char *mailbox;

	for (size_t i = 0; (mailbox = memory_name(rig->server, i)); i++) {
		add_line(lines, xasprintf("remote %s", mailbox));
		for (size_t k = 0; k < memory_count(rig->server, mailbox); k++) {
			struct memory_message message = memory_get(rig->server, mailbox, k);
			struct flags flags = message.state.flags;
			char letters[FLAGS_LETTERS_MAX];
			struct buf all;

			flags_letters(flags, letters);
			buf_init(&all, 4096);
			size_t len = keywords_count(flags.keywords);
			char *names[NAMED_MAX];

			buf_printf(&all, "%s", letters);
			for (size_t j = 0; j < len && j < NAMED_MAX; j++)
				names[j] = xstrdup(keywords_name(flags.keywords, j));
			put_keywords(names, len, &all);
			add_line(lines,
				 xasprintf("remote %s %u %s %lld", mailbox,
					   content_token(message.content, message.len),
					   all.len ? all.data : "-",
					   (long long)message.state.identity.date));
			buf_free(&all);
		}
	}
}

void rig_list(const struct rig *rig, struct buf *out)
{
	static struct lines lines;

	lines.len = 0;
	listed = &lines;
	listed_root = strlen(rig->root);
	nftw(rig->root, list_entry, 16, FTW_PHYS);
	list_server(rig, &lines);
	qsort(lines.line, lines.len, sizeof(*lines.line), compare_lines);
	buf_reset(out);
	for (size_t i = 0; i < lines.len; i++) {
		buf_printf(out, "%s\n", lines.line[i]);
		free(lines.line[i]);
	}
}
