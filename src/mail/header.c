// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/header.h"

#include "mail/ascii.h"
#include "mail/digest.h"

#include <string.h>

enum header_state {
	STATE_LINE,       /* at the start of a line */
	STATE_LINE_CR,    /* after a CR there: with an LF it is the empty line */
	STATE_NAME,       /* in what may yet be our field's name */
	STATE_COLON,      /* behind it, where older mail has blanks before the colon */
	STATE_OTHER,      /* in another line, up to its LF */
	STATE_VALUE,      /* in our field's value */
	STATE_VALUE_LINE, /* behind an LF of it: a blank goes on with it */
	STATE_DONE,       /* at the end of the header or behind the value: nothing more counts */
};

static const char field_name[] = "message-id";
#define FIELD_NAME_LEN (sizeof(field_name) - 1)

/* What folding may have put into a value, or taken out. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Keeps a byte of the value where it counts and there is room. */
static void keep_byte(struct header_scan *scan, char c)
{
	if (!is_space(c) && scan->len < HEADER_VALUE_MAX)
		scan->value[scan->len++] = c;
}

/* The state after the first byte of a line. */
static enum header_state start_line(struct header_scan *scan, char c)
{
	if (c == '\n')
		return STATE_DONE;
	if (c == '\r')
		return STATE_LINE_CR;
	if (ascii_lower(c) != field_name[0])
		return STATE_OTHER;
	scan->match = 1;
	return STATE_NAME;
}

/* The state after a further byte of the name: the whole name leads on, any other byte away. */
static enum header_state match_name(struct header_scan *scan, char c)
{
	if (c == '\n')
		return STATE_LINE;
	if (ascii_lower(c) != field_name[scan->match])
		return STATE_OTHER;
	return ++scan->match == FIELD_NAME_LEN ? STATE_COLON : STATE_NAME;
}

/* The state after one more byte. */
static enum header_state next_state(struct header_scan *scan, char c)
{
	switch ((enum header_state)scan->state) {
	case STATE_LINE: return start_line(scan, c);
	case STATE_LINE_CR: return c == '\n' ? STATE_DONE : STATE_OTHER;
	case STATE_NAME: return match_name(scan, c);
	case STATE_COLON:
		if (c == ':')
			return STATE_VALUE;
		if (c == '\n')
			return STATE_LINE;
		return c == ' ' || c == '\t' ? STATE_COLON : STATE_OTHER;
	case STATE_OTHER: return c == '\n' ? STATE_LINE : STATE_OTHER;
	case STATE_VALUE_LINE:
		if (c != ' ' && c != '\t')
			return STATE_DONE;
		return STATE_VALUE;
	case STATE_VALUE: keep_byte(scan, c); return c == '\n' ? STATE_VALUE_LINE : STATE_VALUE;
	case STATE_DONE: break;
	}
	return STATE_DONE;
}

/* How many bytes of another line end it not, and are all counted: they are passed over at once. */
static size_t skip_line(const struct header_scan *scan, const char *bytes, size_t len)
{
	size_t most = HEADER_SCAN_MAX - scan->seen < len ? HEADER_SCAN_MAX - scan->seen : len;
	const char *lf = memchr(bytes, '\n', most);
	size_t rest = lf ? (size_t)(lf - bytes) : most;
	const char *cr = memchr(bytes, '\r', rest);

	return cr ? (size_t)(cr - bytes) : rest;
}

/* Feeds bytes; CRs are not counted, so that CRLF and LF forms are cut at the same place. */
void header_feed(struct header_scan *scan, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && scan->state != STATE_DONE; i++) {
		if (scan->state == STATE_OTHER) {
			size_t passed = skip_line(scan, bytes + i, len - i);
			scan->seen += passed;
			i += passed;
			if (i == len)
				break;
		}
		if (scan->seen == HEADER_SCAN_MAX)
			scan->state = STATE_DONE;
		else
			scan->state = next_state(scan, bytes[i]);
		if (bytes[i] != '\r')
			scan->seen++;
	}
}

/* The hash of what was found. */
uint64_t header_message_id(const struct header_scan *scan)
{
	return header_hash_message_id(scan->value, scan->len);
}

/* The hash of a value, as the scan would have kept it. */
uint64_t header_hash_message_id(const char *value, size_t len)
{
	struct header_scan kept = {0};

	for (size_t i = 0; i < len; i++)
		keep_byte(&kept, value[i]);
	return kept.len ? digest_hash_id(kept.value, kept.len) : 0;
}
