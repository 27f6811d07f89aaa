// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a run tells while it goes. Modules log; only cmd/ decides where it is printed: it installs
 * a sink, and without one nothing is printed. Lines come without newline; text from outside is
 * escaped by who logs it. Safe from several threads; the sink is called by one at a time
 * and must not log itself.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_WARN, /* always shown */
	LOG_LEVEL_INFO, /* -v: what is done and why */
	LOG_LEVEL_WIRE, /* -v -v: the protocol, secrets masked, literals as {n} */
};

typedef void log_sink(void *context, enum log_level level, const char *line);

/* Bytes of a line; a longer one is cut and ends in "...". */
#define LOG_LINE_MAX 4096

/* Lines up to level go to sink; NULL silences. Not while other threads run. */
void log_set_sink(log_sink *sink, void *context, enum log_level level);
/* True where such a line would be shown: guards costly preparation. */
bool log_shows(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
