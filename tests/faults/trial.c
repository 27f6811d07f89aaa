// SPDX-License-Identifier: GPL-3.0-or-later
#include "trial.h"

#include "base/fault.h"
#include "locks.h"
#include "mail/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE  ((size_t)8 * 1024 * 1024)
#define EXIT_MEMORY 70
/* What came to one side last is on the other after the run after it. */
#define HEALING_RUNS 3
/* So many points a run passes that heals. */
#define AGAIN_MOST 60

const struct way ways[] = {
    {"stop", NULL, NULL, 0, .stop = true},
    {"twice", NULL, NULL, 0, .stop = true, .again = true},
    {"EINTR", "EINTR", NULL, 0},
    {"short", "short", NULL, 0},
    {"EIO", "EIO", NULL, EIO},
    {"ENOSPC", "ENOSPC", NULL, ENOSPC},
    {"EMFILE", "EMFILE", NULL, EMFILE},
    {"ENOMEM", "ENOMEM", NULL, ENOMEM},
    {"EIO+", "EIO+", NULL, EIO},
    {"ENOSPC+", "ENOSPC+", NULL, ENOSPC},
    {"EROFS+", "EROFS+", NULL, EROFS},
    {"journal", "ENOSPC+", "/state/", ENOSPC},
    {"alloc", "alloc", NULL, ENOMEM, .dies = true},
};

const size_t ways_len = sizeof(ways) / sizeof(*ways);

/* Shared with the trial's process. */
struct shared {
	struct verdict verdict;
	char at_once[LISTING_MAX]; /* both sides after the run, */
	char at_last[LISTING_MAX]; /* and when there is nothing left to do */
};

/* How the scene that was tried last ends undisturbed. */
static struct {
	const struct scene *scene;
	uint64_t seed;
	struct shared *shared;
} undisturbed;

/* Says what is wrong; only the first counts. */
static void fail(struct verdict *verdict, const char *what, const char *detail)
{
	if (!*verdict->failure)
		snprintf(verdict->failure, sizeof(verdict->failure), "%s: %.1900s", what, detail);
}

/* Each of the server's steps is an effect, too. */
static void pass_server(void *context)
{
	(void)context;
	fault_point("server");
}

/* What the other side of clone(2) needs. */
struct flight {
	struct rig *rig;
	const struct fault_plan *plan;
	struct outcome *outcome;
};

static int fly(void *context)
{
	struct flight *flight = context;

	rig_run(flight->rig, flight->plan, flight->outcome);
	_exit(0);
}

/*
 * A run in a process of its own that shares our memory, the server's with it: what the kernel frees
 * when a process is killed is freed, and what the server holds stays.
 */
static int run_apart(struct rig *rig, const struct fault_plan *plan, struct outcome *outcome)
{
	struct flight flight = {rig, plan, outcome};
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int status = -1;
	pid_t child;

	if (stack == MAP_FAILED)
		return -1;
	child = clone(fly, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &flight);
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	locks_release();
	munmap(stack, STACK_SIZE);
	return status;
}

/* The run that is disturbed. */
static void run_disturbed(struct rig *rig, const struct trial *trial, struct outcome *outcome,
			  struct verdict *verdict)
{
	const struct way *way = trial->way;
	const struct fault_plan plan = {.stop_at = way->stop ? trial->at : 0,
					.at = trial->at,
					.with = way->with,
					.where = way->where};
	int status;

	if (!way->stop && !way->dies) {
		rig_run(rig, &plan, outcome);
		verdict->struck = *outcome->struck != '\0';
		memcpy(verdict->where, outcome->struck, sizeof(verdict->where));
		return;
	}
	status = run_apart(rig, &plan, outcome);
	if (way->stop)
		verdict->struck = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	else
		verdict->struck = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEMORY;
	if (!verdict->struck && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		fail(verdict, "broke", "the run ended in a way of its own");
	fault_arm(&(struct fault_plan){0});
}

/* The run that heals is stopped, too. */
static void stop_again(struct rig *rig, const struct trial *trial)
{
	const struct fault_plan plan = {.stop_at = 1 + trial->at * 7 % AGAIN_MOST};
	struct outcome outcome;

	run_apart(rig, &plan, &outcome);
	fault_arm(&(struct fault_plan){0});
}

/* What the system does at times, and is no error. */
static bool is_unheard(const struct way *way)
{
	return way->sys == 0 && !way->stop;
}

/* What the disturbed run may say of itself. */
static void judge_disturbed(const struct trial *trial, const struct outcome *outcome,
			    struct verdict *verdict)
{
	const struct way *way = trial->way;

	snprintf(verdict->error, sizeof(verdict->error), "%.2000s", outcome->error);
	if (!verdict->struck || way->stop || way->dies)
		return;
	if (outcome->left_open != 0)
		fail(verdict, "leaves descriptors open", outcome->error);
	if (is_unheard(way) && !outcome->whole)
		fail(verdict, "does not go on after what is no error", outcome->error);
	if (way->sys != 0 && !outcome->whole && !strstr(outcome->error, strerror(way->sys)) &&
	    !strstr(outcome->error, "after an earlier error"))
		fail(verdict, "does not say why", outcome->error);
}

/* How many lines of a listing begin with the same side, mailbox and token. */
static unsigned count_lines(const char *listing, const char *line, size_t len)
{
	unsigned count = 0;

	for (const char *at = listing; *at; at = strchr(at, '\n') + 1)
		count += strncmp(at, line, len) == 0;
	return count;
}

/* The length of "SIDE MAILBOX TOKEN " at the start of a message's line, or 0. */
static size_t message_len(const char *line)
{
	const char *end = strchr(line, '\n');
	const char *at = line;

	for (int i = 0; i < 3; i++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return 0;
		at++;
	}
	return (size_t)(at - line);
}

/* Lines of one listing that the other has less often. */
static unsigned count_missing(const char *listing, const char *other)
{
	unsigned missing = 0;

	for (const char *at = listing; *at; at = strchr(at, '\n') + 1) {
		size_t len = message_len(at);

		missing += len && count_lines(other, at, len) < count_lines(listing, at, len);
	}
	return missing;
}

/* Copies the lines that one has and the other has not. */
static void tell_difference(const char *mark, const char *listing, const char *other,
			    struct buf *out)
{
	for (const char *at = listing; *at; at = strchr(at, '\n') + 1) {
		size_t len = (size_t)(strchr(at, '\n') - at) + 1;

		if (count_lines(other, at, len) < count_lines(listing, at, len))
			buf_printf(out, "\n%s%.*s", mark, (int)len - 1, at);
	}
}

/* Holds the end against the one that was to be. */
static void compare(const char *what, const char *wanted, const char *got, struct verdict *verdict)
{
	struct buf text;

	if (strcmp(wanted, got) == 0)
		return;
	buf_init(&text, sizeof(verdict->failure) / 2);
	tell_difference("- ", wanted, got, &text);
	tell_difference("+ ", got, wanted, &text);
	fail(verdict, what, text.data ? text.data : "");
	buf_free(&text);
}

/*
 * Runs until both sides are even: what one run appends or moves is found by the next on some
 * servers.
 */
static void run_even(struct rig *rig, struct outcome *outcome)
{
	for (int i = 0; i < HEALING_RUNS; i++) {
		rig_run(rig, NULL, outcome);
		if (!outcome->whole || outcome->even)
			return;
	}
}

/* The next runs: they heal, all by themselves, until there is nothing left to do. */
static void heal(struct rig *rig, struct verdict *verdict)
{
	struct outcome outcome;

	for (int i = 0; i < HEALING_RUNS; i++) {
		rig_run(rig, NULL, &outcome);
		if (!outcome.whole) {
			verdict->stuck = true;
			fail(verdict, "a later run fails", outcome.error);
		}
		if (outcome.even && !outcome.ops && !outcome.changes)
			return;
	}
	fail(verdict, "there is no end to what later runs find to do", outcome.error);
}

/* Sets the scene: what was, made even, and what users did since. */
static void set_scene(struct rig *rig, const struct scene *scene, struct verdict *verdict)
{
	struct outcome outcome;

	rig->seed = scene->seed;
	rig->policy.deletion[LOCAL] = rig->policy.deletion[REMOTE] = scene->deletion;
	if (scene->compact_at)
		setenv("EVENMAIL_COMPACT_AT", scene->compact_at, 1);
	if (scene->before) {
		scene->before(rig);
		run_even(rig, &outcome);
		if (!outcome.even)
			fail(verdict, "the scene cannot be set", outcome.error);
	}
	scene->then(rig);
	memory_set_watcher(rig->server, pass_server, NULL);
}

/* Lists both sides into one of the two. */
static void list(const struct rig *rig, char out[LISTING_MAX])
{
	struct buf listing;

	buf_init(&listing, LISTING_MAX);
	rig_list(rig, &listing);
	snprintf(out, LISTING_MAX, "%s", listing.data);
	buf_free(&listing);
}

/* For who looks at a failure. */
static void show(const struct rig *rig, const struct trial *trial, const char *when)
{
	struct buf listing;

	if (!trial->loud)
		return;
	buf_init(&listing, LISTING_MAX);
	rig_list(rig, &listing);
	fprintf(stderr, "%s:\n%s", when, listing.data ? listing.data : "");
	buf_free(&listing);
}

/*
 * NEEDSWORK: where the journal of a mailbox cannot be read, nobody knows what may have left that
 * mailbox, and it is copied as new where it came to. To the next run it is one that was copied and
 * then deleted: where what is deleted goes to the trash, there is one copy more in that.
 */
static bool may_fill_trash(const struct trial *trial, const struct verdict *verdict)
{
	return trial->scene->deletion == DELETION_TRASH && strstr(verdict->where, ".journal");
}

/* How both sides ended. */
static void judge_end(const struct trial *trial, const struct shared *wanted,
		      struct shared *shared)
{
	struct verdict *verdict = &shared->verdict;

	verdict->lost = count_missing(wanted->at_last, shared->at_last);
	if (!verdict->lost && may_fill_trash(trial, verdict))
		return;
	verdict->doubled = count_missing(shared->at_last, wanted->at_last);
	compare("ends otherwise", wanted->at_last, shared->at_last, verdict);
}

/* The trial, in its own process; where nothing is wanted it is the undisturbed one. */
static void try(const struct trial *trial, const struct shared *wanted, struct shared *shared)
{
	struct verdict *verdict = &shared->verdict;
	struct outcome outcome = {0};
	struct rig rig;

	rig_open(&rig, &trial->scene->abilities);
	set_scene(&rig, trial->scene, verdict);
	show(&rig, trial, "before the run");
	if (wanted)
		run_disturbed(&rig, trial, &outcome, verdict);
	else
		rig_run(&rig, NULL, &outcome);
	if (wanted)
		judge_disturbed(trial, &outcome, verdict);
	else if (!outcome.whole || outcome.left_open)
		fail(verdict, "the undisturbed run fails", outcome.error);
	if (wanted && trial->way->again)
		stop_again(&rig, trial);
	show(&rig, trial, "after the run");
	list(&rig, shared->at_once);
	if (verdict->struck && is_unheard(trial->way))
		compare("ends otherwise at once", wanted->at_once, shared->at_once, verdict);
	heal(&rig, verdict);
	show(&rig, trial, "at last");
	list(&rig, shared->at_last);
	if (wanted)
		judge_end(trial, wanted, shared);
	rig_close(&rig);
}

/* Forks for it. */
static void run_shared(const struct trial *trial, const struct shared *wanted,
		       struct shared *shared)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (!trial->loud)
			dup2(null, STDERR_FILENO);
		close(null);
		try(trial, wanted, shared);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail(&shared->verdict, "broke", "the trial's process crashed");
}

/* All zero. */
static struct shared *make_shared(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	return shared;
}

/* What the library makes ready at the first digest is made ready once, for all processes. */
__attribute__((constructor)) static void warm_up(void)
{
	struct digest_stream *digest = digest_open();
	struct digest ignored;

	digest_finish(digest, &ignored);
	digest_close(&digest);
}

/* Lets the trial's scene be played undisturbed, unless it was the last one, too. */
static void find_end(const struct trial *trial)
{
	if (undisturbed.shared && undisturbed.scene == trial->scene &&
	    undisturbed.seed == trial->scene->seed)
		return;
	if (undisturbed.shared)
		munmap(undisturbed.shared, sizeof(*undisturbed.shared));
	undisturbed.scene = trial->scene;
	undisturbed.seed = trial->scene->seed;
	undisturbed.shared = make_shared();
	run_shared(trial, NULL, undisturbed.shared);
}

void trial_run(const struct trial *trial, struct verdict *verdict)
{
	struct shared *shared;

	find_end(trial);
	*verdict = undisturbed.shared->verdict;
	if (*verdict->failure)
		return;
	shared = make_shared();
	run_shared(trial, undisturbed.shared, shared);
	*verdict = shared->verdict;
	munmap(shared, sizeof(*shared));
}
