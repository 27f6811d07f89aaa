// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * INTERNALDATE (RFC 9051 date-time): " 1-Jul-2026 12:00:00 +0200" to and from seconds since the
 * epoch.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stddef.h>
#include <stdint.h>

#define DATE_IMAP_SIZE 27 /* its NUL counted, quotes not */

/*
 * 0, or -1 where malformed. Years 1 to 9999, days as the month has them, second 60 is the next
 * minute's first. Lenient in one digit days without the blank and in the month's case.
 */
int date_from_imap(const char *text, size_t len, int64_t *out);
/* Always as +0000. Seconds outside the years 1 to 9999 are brought to the nearest end. */
void date_to_imap(int64_t seconds, char out[DATE_IMAP_SIZE]);

#endif
