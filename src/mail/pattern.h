// SPDX-License-Identifier: GPL-3.0-or-later
/* The patterns by which the user picks mailboxes: ["*", "!Junk", "!Archive/20*"]. */
#ifndef MAIL_PATTERN_H
#define MAIL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True where the patterns take the mailbox in: first to last, each that matches decides anew, one
 * with a leading '!' takes away. '*' matches anything, '%' anything but '/'. INBOX, alone or as
 * the first component, matches in any case. What no pattern matches is out, unless the first one
 * takes away: then they take from all. No pattern at all takes all.
 */
bool mailbox_patterns_match(const char *const *patterns, size_t count, const char *name);

/*
 * True where the one that decides takes the mailbox in and does not begin with a wildcard: the user
 * means this mailbox, or what lies around it, and not just everything.
 */
bool mailbox_patterns_name(const char *const *patterns, size_t count, const char *name);

#endif
