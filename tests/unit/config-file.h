// SPDX-License-Identifier: GPL-3.0-or-later
/* Files in a directory of the test's own, for the tests of src/config. Every failure fails the
 * test. */
#ifndef TESTS_UNIT_CONFIG_FILE_H
#define TESTS_UNIT_CONFIG_FILE_H

#include "config/config.h"

#include <stddef.h>
#include <sys/types.h>

/* Makes the directory and has HOME be /home/u; as cmocka's set-up and clean-up of a group. */
int files_begin(void **state);
int files_end(void **state);
/* The directory. */
const char *files_dir(void);
/* The path of name in it; good until the next call. */
const char *files_path(const char *name);
/* Writes a file of that mode. */
void files_write(const char *name, const void *bytes, size_t len, mode_t mode);
/* The whole of a file of the source tree, which the harness names in srcdir; to be freed. */
char *files_read_source(const char *name);

/* A channel that is complete; what a test adds stands on line 8, in remote or, outdented, below it.
 */
#define CHANNEL                                                                                    \
	"channels:\n"                                                                              \
	"  a:\n"                                                                                   \
	"    local: {path: /m}\n"                                                                  \
	"    remote:\n"                                                                            \
	"      host: h\n"                                                                          \
	"      user: u\n"                                                                          \
	"      password-command: p\n"

/* The same without a server; what a test adds stands from line 4 on. */
#define TREE                                                                                       \
	"channels:\n"                                                                              \
	"  a:\n"                                                                                   \
	"    local: {path: /m}\n"

/* 32 bytes in base64. */
#define HASH "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn+/0="

/*
 * Reads text as a configuration from a file "c" of that mode; NULL where it is refused, and the
 * error behind the file's path in *why.
 */
struct config *files_load(const char *text, mode_t mode, const char **why);
/* Reads what must be right. */
struct config *files_load_good(const char *text);
/* Reads what must be refused with this error, behind the file's path. */
void files_check_refused(const char *text, const char *want);

#endif
