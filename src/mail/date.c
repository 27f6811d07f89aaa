// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/date.h"

#include "mail/ascii.h"

#include <stdio.h>

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

#define DAY_SECONDS  INT64_C(86400)
#define FIRST_SECOND INT64_C(-62135596800) /* 1-Jan-0001 00:00:00 */
#define LAST_SECOND  INT64_C(253402300799) /* 31-Dec-9999 23:59:59 */

/* What is left to read. */
struct cursor {
	const char *text;
	size_t len;
};

/* Takes the byte c; false where another, or none, is there. */
static bool take_char(struct cursor *in, char c)
{
	if (!in->len || *in->text != c)
		return false;
	in->text++;
	in->len--;
	return true;
}

/* Takes exactly count digits as a number of at most max. */
static bool take_number(struct cursor *in, size_t count, int max, int *out)
{
	*out = 0;
	if (in->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!ascii_is_digit(in->text[i]))
			return false;
		*out = *out * 10 + (in->text[i] - '0');
	}
	in->text += count;
	in->len -= count;
	return *out <= max;
}

/* Takes a day of one or two digits, a single one with or without its blank. */
static bool take_day(struct cursor *in, int *out)
{
	bool blank = take_char(in, ' ');
	bool two = !blank && in->len > 1 && ascii_is_digit(in->text[1]);

	return take_number(in, two ? 2 : 1, 31, out) && *out >= 1;
}

/* Takes a month's English name in any case, as 1 to 12. */
static bool take_month(struct cursor *in, int *out)
{
	if (in->len < 3)
		return false;
	for (int i = 0; i < 12; i++) {
		if (!ascii_is_word(in->text, 3, months[i]))
			continue;
		in->text += 3;
		in->len -= 3;
		*out = i + 1;
		return true;
	}
	return false;
}

/* Takes "hh:mm:ss" as seconds; a leap second counts as the one after it. */
static bool take_time(struct cursor *in, int64_t *out)
{
	int hour, minute, second;

	if (!take_number(in, 2, 23, &hour) || !take_char(in, ':') ||
	    !take_number(in, 2, 59, &minute) || !take_char(in, ':') ||
	    !take_number(in, 2, 60, &second))
		return false;
	*out = (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* Takes "+hhmm" as seconds east of Greenwich. */
static bool take_zone(struct cursor *in, int64_t *out)
{
	bool west = take_char(in, '-');
	int hour, minute;

	if (!west && !take_char(in, '+'))
		return false;
	if (!take_number(in, 2, 23, &hour) || !take_number(in, 2, 59, &minute))
		return false;
	*out = (int64_t)hour * 3600 + minute * 60;
	if (west)
		*out = -*out;
	return true;
}

static bool is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* How many days the month (1 to 12) has. */
static int month_days(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days from the epoch to 1 January of the year (1 or later). */
static int64_t year_start(int year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 + FIRST_SECOND / DAY_SECONDS;
}

/* Reads a date-time. */
int date_from_imap(const char *text, size_t len, int64_t *out)
{
	struct cursor in = {text, len};
	int day, month, year;
	int64_t time, zone, days;

	if (!take_day(&in, &day) || !take_char(&in, '-') || !take_month(&in, &month) ||
	    !take_char(&in, '-') || !take_number(&in, 4, 9999, &year) || !take_char(&in, ' ') ||
	    !take_time(&in, &time) || !take_char(&in, ' ') || !take_zone(&in, &zone) || in.len)
		return -1;
	if (year < 1 || day > month_days(year, month))
		return -1;
	days = year_start(year) + day - 1;
	for (int i = 1; i < month; i++)
		days += month_days(year, i);
	*out = days * DAY_SECONDS + time - zone;
	return 0;
}

/* Writes a date-time in UTC. */
void date_to_imap(int64_t seconds, char out[DATE_IMAP_SIZE])
{
	int64_t days, time;
	int year, month = 1;

	if (seconds < FIRST_SECOND)
		seconds = FIRST_SECOND;
	if (seconds > LAST_SECOND)
		seconds = LAST_SECOND;
	days = (seconds - FIRST_SECOND) / DAY_SECONDS; /* since 1-Jan-0001 */
	time = (seconds - FIRST_SECOND) % DAY_SECONDS;
	year = (int)(days / 366) + 1; /* never too late, at most 21 years early */
	days += FIRST_SECOND / DAY_SECONDS;
	while (year < 9999 && year_start(year + 1) <= days)
		year++;
	days -= year_start(year);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	snprintf(out, DATE_IMAP_SIZE, "%2u-%s-%04u %02u:%02u:%02u +0000",
		 ((unsigned)days + 1) % 100, months[month - 1], (unsigned)year % 10000,
		 (unsigned)(time / 3600) % 24, (unsigned)(time / 60) % 60, (unsigned)time % 60);
}
