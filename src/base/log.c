// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The one sink of the process; the mutex makes its callers wait for each other. */
static struct {
	pthread_mutex_t mutex;
	log_sink *sink;
	void *context;
	enum log_level level;
} log_state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Installs the sink. */
void log_set_sink(log_sink *sink, void *context, enum log_level level)
{
	log_state.sink = sink;
	log_state.context = context;
	log_state.level = level;
}

/* Reads without the mutex: the sink does not change while other threads run. */
bool log_shows(enum log_level level)
{
	return log_state.sink != NULL && level <= log_state.level;
}

/* Formats outside the mutex, prints inside; errno stays. */
void log_line(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	char line[LOG_LINE_MAX + 1];
	va_list args;
	int len;

	if (!log_shows(level))
		return;
	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len > LOG_LINE_MAX)
		memcpy(line + sizeof(line) - sizeof("..."), "...", sizeof("..."));
	if (len >= 0) {
		pthread_mutex_lock(&log_state.mutex);
		log_state.sink(log_state.context, level, line);
		pthread_mutex_unlock(&log_state.mutex);
	}
	errno = saved;
}
