// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 42: what is read of a message and of its date. The header scan finds the same Message-ID
 * in any cut; line endings go to the file and back to the same bytes; a date that was understood
 * is understood again as it is written here.
 */
#include "base/alloc.h"
#include "fuzz.h"
#include "mail/date.h"
#include "mail/eol.h"
#include "mail/header.h"

#include <string.h>

/* The Message-ID, looked for in blocks of that length. */
static struct header_scan mail_scan(const char *bytes, size_t len, size_t step)
{
	struct header_scan scan = {0};

	for (size_t at = 0; at < len; at += step)
		header_feed(&scan, bytes + at, step < len - at ? step : len - at);
	FUZZ_CHECK(scan.len <= HEADER_VALUE_MAX);
	return scan;
}

/* Finds the Message-ID in three cuts. */
static void mail_check_header(const char *bytes, size_t len, size_t step)
{
	struct header_scan whole = mail_scan(bytes, len, len);
	const size_t steps[] = {1, step};

	for (size_t i = 0; i < 2; i++) {
		struct header_scan scan = mail_scan(bytes, len, steps[i]);

		FUZZ_CHECK(scan.len == whole.len && !memcmp(scan.value, whole.value, scan.len));
		FUZZ_CHECK(header_message_id(&scan) == header_message_id(&whole));
	}
	FUZZ_CHECK(header_message_id(&whole) == header_hash_message_id(whole.value, whole.len));
}

/* A clean message's bytes, made a file's and read again, are the same. */
static void mail_check_eol(const char *bytes, size_t len, size_t step)
{
	struct eol_unwire unwire = {0};
	struct eol_wire wire = {0};
	char *file = xmalloc(len), *back = xmalloc(2 * len);
	size_t file_len = 0, back_len = 0;

	for (size_t at = 0; at < len && !unwire.raw; at += step)
		file_len += eol_unwire(&unwire, bytes + at, step < len - at ? step : len - at,
				       file + file_len);
	if (!unwire.raw)
		eol_unwire_end(&unwire);
	for (size_t at = 0; at < file_len && !unwire.raw; at += step)
		back_len += eol_wire(&wire, file + at, step < file_len - at ? step : file_len - at,
				     back + back_len);
	if (!unwire.raw)
		FUZZ_CHECK(back_len == len && !memcmp(back, bytes, len));
	free(file);
	free(back);
}

/* A date goes out and comes back. */
static void mail_check_date(const char *bytes, size_t len)
{
	char text[DATE_IMAP_SIZE];
	int64_t date, again;

	if (date_from_imap(bytes, len, &date) < 0)
		return;
	date_to_imap(date, text);
	if (date_from_imap(text, strlen(text), &again) == 0 && again == date)
		return;
	/* A zone can lead out of the years that can be written. */
	FUZZ_CHECK(strstr(text, "-0001 ") || strstr(text, "-9999 "));
}

/* Reads the bytes in each of the ways. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return -1;
	const char *bytes = (const char *)data + 1;

	mail_check_header(bytes, size - 1, 2 + data[0]);
	mail_check_eol(bytes, size - 1, 1 + data[0]);
	mail_check_date(bytes, size - 1);
	return 0;
}
