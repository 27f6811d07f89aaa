// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/fault.h"

#ifdef EVENMAIL_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STRUCK_MAX (2 * PATH_MAX)

/* A way to fail, and which calls can fail so. */
struct kind {
	const char *name;
	int sys; /* 0: fewer bytes than asked for */
	unsigned calls;
};

#define BIT(call) (1u << (call))
#define ROOM      (BIT(FAULT_CREATE) | BIT(FAULT_WRITE) | BIT(FAULT_SYNC) | BIT(FAULT_PLACE))
#define EFFECTS   (ROOM | BIT(FAULT_REMOVE) | BIT(FAULT_CUT) | BIT(FAULT_DATE))
#define BYTES     (BIT(FAULT_READ) | BIT(FAULT_WRITE))
#define OPENINGS  (BIT(FAULT_OPEN) | BIT(FAULT_CREATE))

static const struct kind kinds[] = {
    {"ENOSPC", ENOSPC, ROOM},
    {"EDQUOT", EDQUOT, ROOM},
    {"EIO", EIO, EFFECTS | OPENINGS | BIT(FAULT_READ) | BIT(FAULT_LOOK)},
    {"EROFS", EROFS, EFFECTS},
    {"EMFILE", EMFILE, OPENINGS},
    {"ENOMEM", ENOMEM, OPENINGS | BIT(FAULT_PLACE) | BIT(FAULT_REMOVE) | BIT(FAULT_LOOK)},
    {"EINTR", EINTR, BYTES | BIT(FAULT_SYNC) | BIT(FAULT_CUT) | BIT(FAULT_LOCK)},
    {"short", 0, BYTES},
    {"sync", EIO, BIT(FAULT_SYNC)},
    {"alloc", ENOMEM, BIT(FAULT_ALLOC)},
    {"line", EPIPE, BIT(FAULT_LINE)},
};

/* Counts over all threads: the n-th point is one point, whoever passes it. */
static atomic_ullong stops_passed;
static uint64_t stop_at;

/* What fails: set by one thread, before there are others. */
static struct {
	const struct kind *kind; /* NULL: nothing */
	const char *where;
	unsigned long long at;
	bool lasting;
	char struck[STRUCK_MAX];
} failure;
static atomic_ullong failure_passed;

/* Tells the test how many there were. */
static void fault_write_count(const char *name, unsigned long long count)
{
	const char *path = getenv(name);
	FILE *file = path != NULL ? fopen(path, "we") : NULL;

	if (path != NULL &&
	    (file == NULL || fprintf(file, "%llu\n", count) < 0 || fclose(file) != 0)) {
		perror(path);
		_exit(70);
	}
}

/* At exit. */
static void fault_write_counts(void)
{
	failure.at = 0;
	fault_write_count("EVENMAIL_STOP_COUNT", atomic_load(&stops_passed));
	fault_write_count("EVENMAIL_FAIL_COUNT", atomic_load(&failure_passed));
}

/* Reads the environment before main(), so that a run that passes no point writes its 0 as well. */
__attribute__((constructor)) static void fault_start(void)
{
	const struct fault_plan plan = {.stop_at = fault_bound("EVENMAIL_STOP_AT", 0),
					.at = fault_bound("EVENMAIL_FAIL_AT", 0),
					.with = getenv("EVENMAIL_FAIL_WITH"),
					.where = getenv("EVENMAIL_FAIL_WHERE")};

	fault_arm(&plan);
	if (getenv("EVENMAIL_STOP_COUNT") != NULL || getenv("EVENMAIL_FAIL_COUNT") != NULL)
		atexit(fault_write_counts);
}

/* Read where it is needed: by the main thread, as all of the environment. */
uint64_t fault_bound(const char *name, uint64_t bound)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : bound;
}

/* A kind that is not known is the test's mistake. */
static const struct kind *fault_kind(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, name, len) == 0)
			return &kinds[i];
	fprintf(stderr, "evenmail: no such way to fail: %s\n", name);
	_exit(70);
}

void fault_arm(const struct fault_plan *plan)
{
	size_t len = plan->with != NULL ? strlen(plan->with) : 0;

	failure.lasting = len > 0 && plan->with[len - 1] == '+';
	failure.kind = len > 0 ? fault_kind(plan->with, len - failure.lasting) : NULL;
	failure.where = plan->where;
	failure.at = plan->at;
	failure.struck[0] = '\0';
	atomic_store(&failure_passed, 0);
	stop_at = plan->stop_at;
	atomic_store(&stops_passed, 0);
}

uint64_t fault_passed(void)
{
	return atomic_load(&stops_passed);
}

uint64_t fault_counted(void)
{
	return atomic_load(&failure_passed);
}

const char *fault_struck(void)
{
	return failure.struck;
}

/* "what PATH" of a file, as far as it can be told. */
static void fault_describe(const char *what, int fd, const char *name, char out[STRUCK_MAX])
{
	char link[64], at[PATH_MAX] = "";
	ssize_t len = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		len = readlink(link, at, sizeof(at) - 1);
	at[len > 0 ? len : 0] = '\0';
	snprintf(out, STRUCK_MAX, "%s %s%s%s", what, at, name != NULL && *at ? "/" : "",
		 name != NULL ? name : "");
}

/* True where the test asked for this point. */
static bool fault_is_stop(void)
{
	return atomic_fetch_add(&stops_passed, 1) + 1 == stop_at;
}

/* Ends here, or hears a signal; the name tells the test's reader where that was. */
static void fault_stop(const char *name)
{
	int number = (int)fault_bound("EVENMAIL_STOP_SIGNAL", SIGKILL);
	uint64_t times = fault_bound("EVENMAIL_STOP_TIMES", 1);

	fprintf(stderr, "evenmail: stopped at point %llu: %s\n", (unsigned long long)stop_at, name);
	/* Not getpid(), which a test may have replaced. */
	while (times-- > 0)
		syscall(SYS_kill, syscall(SYS_getpid), number);
	while (number == SIGKILL)
		pause();
}

/* Passes a point, or ends there. */
void fault_point(const char *name)
{
	if (fault_is_stop())
		fault_stop(name);
}

void fault_effect(const char *what, int fd, const char *name)
{
	char text[STRUCK_MAX];

	if (!fault_is_stop())
		return;
	fault_describe(what, fd, name, text);
	fault_stop(text);
}

/* Whether the file is one of those that the test wants to fail. */
static bool fault_is_there(int fd, const char *name)
{
	char text[STRUCK_MAX];

	if (failure.where == NULL)
		return true;
	fault_describe("", fd, name, text);
	return strstr(text, failure.where) != NULL;
}

/* Counts a call that can fail; true where it is to. */
static bool fault_strikes(enum fault_call call, const char *what, int fd, const char *name)
{
	unsigned long long now;

	if (failure.kind == NULL || !(failure.kind->calls & BIT(call)) ||
	    !fault_is_there(fd, name))
		return false;
	now = atomic_fetch_add(&failure_passed, 1) + 1;
	if (failure.at == 0 || now < failure.at || (now > failure.at && !failure.lasting))
		return false;
	if (now == failure.at)
		fault_describe(what, fd, name, failure.struck);
	return true;
}

bool fault_fails(enum fault_call call, const char *what, int fd, const char *name)
{
	int saved = errno;

	if (failure.kind == NULL || failure.kind->sys == 0 ||
	    !fault_strikes(call, what, fd, name)) {
		errno = saved;
		return false;
	}
	errno = failure.kind->sys;
	return true;
}

/* One byte of many is as short as it gets. */
size_t fault_shorten(enum fault_call call, int fd, size_t len)
{
	int saved = errno;
	bool one = len > 1 && failure.kind != NULL && failure.kind->sys == 0 &&
		   fault_strikes(call, call == FAULT_READ ? "read" : "write", fd, NULL);

	errno = saved;
	return one ? 1 : len;
}

/* Nothing comes by it any more, either: a line does not break in one direction. */
bool fault_line(const char *what, int line)
{
	if (!fault_fails(FAULT_LINE, what, -1, NULL))
		return false;
	shutdown(line, SHUT_RDWR);
	return true;
}

#endif
