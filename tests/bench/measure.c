/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * measure FILE PROGRAM [ARGUMENT...]: runs a program and writes into FILE, as JSON, what it took.
 *
 * A program of its own because Linux counts the memory of whoever forks into the peak of the
 * program that is executed then: started by Python, a small program would seem as large as Python
 * is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds on the clock that nobody sets. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A struct timeval in seconds. */
static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* Runs the program and reports; its exit status is only written down. */
int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: measure FILE PROGRAM [ARGUMENT...]\n", stderr);
		return 64;
	}
	double began = now();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	int status;
	struct rusage usage;
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("measure");
		return 71;
	}
	double took = now() - began;
	FILE *out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 74;
	}
	fprintf(out,
		"{\"seconds\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, "
		"\"status\": %d}\n",
		took, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) == 0 ? 0 : 74;
}
