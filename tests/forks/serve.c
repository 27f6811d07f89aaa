// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Makes a program serve its own runs, for tests/e2e/forks.py: preloaded, and for tests only.
 * To load some thirty libraries, to bind what they name and to set up OpenSSL takes longer than a
 * short run does. Here it is done once, and each run is a fork made before the first of the
 * program's own lines, be it a constructor's. Its arguments, environment, standard input, output
 * and error are its own; the rest it inherits from the server as it would have from who starts the
 * server.
 *
 * FORKS_FD is the socket on which they talk, in packets; each number is an int:
 *
 *	to the test	the server's process ID, once: it is ready
 *	to the server	how many arguments, then these and the environment, each with its NUL,
 *			and three descriptors
 *	to the test	the run's process ID
 *	to the test	its exit status, or less than 0 the signal that ended it
 *
 * Until the next request the run's process ID is given to nobody else. Where the other end of the
 * socket is closed the server ends.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MOST 65536
#define STRINGS_MOST 1024
#define STANDARD_FDS 3

typedef int main_function(int argc, char **argv, char **envp);
typedef int start_function(main_function *program, int argc, char **argv, void (*init)(void),
			   void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

struct request {
	char bytes[REQUEST_MOST];
	char *strings[STRINGS_MOST]; /* the arguments, NULL, the environment, NULL */
	int argc;
	int fds[STANDARD_FDS];
};

static struct request request;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "forks: %s: %s\n", what, strerror(errno));
	_exit(70);
}

static void tell(int fd, int number)
{
	if (send(fd, &number, sizeof(number), MSG_NOSIGNAL) != sizeof(number))
		give_up("send");
}

static void take_strings(size_t len)
{
	char *at = request.bytes + sizeof(int), *end = request.bytes + len;
	size_t count, argc;

	memcpy(&request.argc, request.bytes, sizeof(int));
	argc = (size_t)request.argc;
	for (count = 0; at < end && count < STRINGS_MOST - 2; count++, at += strlen(at) + 1)
		request.strings[count + (count >= argc)] = at;
	if (at != end || count < argc)
		give_up("a request of another form");
	request.strings[argc] = NULL;
	request.strings[count + 1] = NULL;
}

/* Returns 0 where there is none to come. */
static int receive(int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(request.fds))];
	} control;
	struct iovec part = {request.bytes, sizeof(request.bytes) - 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (len == 0)
		return 0;
	if (len <= (ssize_t)sizeof(int) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    control.header.cmsg_len != CMSG_LEN(sizeof(request.fds)))
		give_up("recvmsg");
	request.bytes[len] = '\0';
	take_strings((size_t)len);
	memcpy(request.fds, CMSG_DATA(&control.header), sizeof(request.fds));
	return 1;
}

/* In a process of its own: what the run has instead of the server's. */
static void become_run(int fd)
{
	close(fd);
	for (int i = 0; i < STANDARD_FDS; i++) {
		if (dup2(request.fds[i], i) < 0)
			give_up("dup2");
		close(request.fds[i]);
	}
	environ = request.strings + request.argc + 1;
}

/* Returns in each run; the server itself ends here. */
static void serve(int fd)
{
	pid_t child = -1;
	siginfo_t ended;

	tell(fd, getpid());
	while (receive(fd)) {
		if (child > 0)
			waitpid(child, NULL, 0);
		child = fork();
		if (child < 0)
			give_up("fork");
		if (child == 0) {
			become_run(fd);
			return;
		}
		for (int i = 0; i < STANDARD_FDS; i++)
			close(request.fds[i]);
		tell(fd, child);
		if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) < 0)
			give_up("waitid");
		tell(fd, ended.si_code == CLD_EXITED ? ended.si_status : -ended.si_status);
	}
	_exit(0);
}

/* As libcurl does; nor does a run take down at its end what is not its own. */
static void set_up_openssl(void)
{
	__typeof__(&OPENSSL_init_crypto) set_up;

	set_up = (__typeof__(set_up))dlsym(RTLD_DEFAULT, "OPENSSL_init_ssl");
	if (set_up != NULL)
		set_up(OPENSSL_INIT_ENGINE_ALL_BUILTIN | OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT,
		       NULL);
}

start_function __libc_start_main;

/* Stands before the program's constructors, and its main. */
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_function *next = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
	const char *number = getenv("FORKS_FD");

	(void)argc, (void)argv;
	if (number == NULL)
		give_up("FORKS_FD");
	set_up_openssl();
	serve(atoi(number));
	return next(program, request.argc, request.strings, init, fini, rtld_fini, stack_end);
}
