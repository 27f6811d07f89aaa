// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/code.h"

#include "imap/parser.h"
#include "imap/response-mailbox.h"

#include <stdbool.h>
#include <string.h>

/* What a code holds after its name. */
enum code_shape {
	CODE_PLAIN,
	CODE_NUMBER,
	CODE_MODSEQ,
	CODE_ATOMS,
	CODE_ID,
	CODE_APPENDUID,
	CODE_COPYUID,
	CODE_MODIFIED,
};

struct code {
	const char *name;
	enum imap_code code;
	enum code_shape shape;
};

static const struct code codes[] = {
    {"ALERT", IMAP_CODE_ALERT, CODE_PLAIN},
    {"CAPABILITY", IMAP_CODE_CAPABILITY, CODE_ATOMS},
    {"UIDVALIDITY", IMAP_CODE_UIDVALIDITY, CODE_NUMBER},
    {"UIDNEXT", IMAP_CODE_UIDNEXT, CODE_NUMBER},
    {"HIGHESTMODSEQ", IMAP_CODE_HIGHESTMODSEQ, CODE_MODSEQ},
    {"NOMODSEQ", IMAP_CODE_NOMODSEQ, CODE_PLAIN},
    {"PERMANENTFLAGS", IMAP_CODE_PERMANENTFLAGS, CODE_ATOMS},
    {"READ-ONLY", IMAP_CODE_READ_ONLY, CODE_PLAIN},
    {"READ-WRITE", IMAP_CODE_READ_WRITE, CODE_PLAIN},
    {"CLOSED", IMAP_CODE_CLOSED, CODE_PLAIN},
    {"TRYCREATE", IMAP_CODE_TRYCREATE, CODE_PLAIN},
    {"NONEXISTENT", IMAP_CODE_NONEXISTENT, CODE_PLAIN},
    {"ALREADYEXISTS", IMAP_CODE_ALREADYEXISTS, CODE_PLAIN},
    {"OVERQUOTA", IMAP_CODE_OVERQUOTA, CODE_PLAIN},
    {"LIMIT", IMAP_CODE_LIMIT, CODE_PLAIN},
    {"TOOBIG", IMAP_CODE_TOOBIG, CODE_PLAIN},
    {"UNAVAILABLE", IMAP_CODE_UNAVAILABLE, CODE_PLAIN},
    {"INUSE", IMAP_CODE_INUSE, CODE_PLAIN},
    {"EXPUNGEISSUED", IMAP_CODE_EXPUNGEISSUED, CODE_PLAIN},
    {"SERVERBUG", IMAP_CODE_SERVERBUG, CODE_PLAIN},
    {"CLIENTBUG", IMAP_CODE_CLIENTBUG, CODE_PLAIN},
    {"CANNOT", IMAP_CODE_CANNOT, CODE_PLAIN},
    {"NOPERM", IMAP_CODE_NOPERM, CODE_PLAIN},
    {"AUTHENTICATIONFAILED", IMAP_CODE_AUTHENTICATIONFAILED, CODE_PLAIN},
    {"AUTHORIZATIONFAILED", IMAP_CODE_AUTHORIZATIONFAILED, CODE_PLAIN},
    {"EXPIRED", IMAP_CODE_EXPIRED, CODE_PLAIN},
    {"APPENDUID", IMAP_CODE_APPENDUID, CODE_APPENDUID},
    {"COPYUID", IMAP_CODE_COPYUID, CODE_COPYUID},
    {"MODIFIED", IMAP_CODE_MODIFIED, CODE_MODIFIED},
    {"MAILBOXID", IMAP_CODE_MAILBOXID, CODE_ID},
    {"THROTTLED", IMAP_CODE_THROTTLED, CODE_PLAIN},
    {"USEATTR", IMAP_CODE_USEATTR, CODE_PLAIN},
};

/*
 * Where a code's closing bracket is, the cursor being behind the opening one: the first that is in
 * neither a quoted string nor a list (some servers let flags hold "]"), or else just the first.
 */
static const char *code_find_end(const struct lex_cursor *cursor)
{
	bool quoted = false;
	bool listed = false;

	for (const char *at = cursor->at; at < cursor->end; at++) {
		switch (*at) {
		case '\\': at += quoted; break;
		case '"': quoted = !quoted; break;
		case '(': listed = listed || !quoted; break;
		case ')': listed = listed && quoted; break;
		case ']':
			if (!quoted && !listed)
				return at;
			break;
		default: break;
		}
	}
	return memchr(cursor->at, ']', (size_t)(cursor->end - cursor->at));
}

/* Takes a number that must fit. */
static int code_take_number(struct lex_cursor *cursor, uint64_t max, uint64_t *out,
			    struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind != LEX_ATOM || lex_number(token.bytes, token.len, max, out) < 0)
		return lex_malformed(&before, err, "a bad number in a response code");
	return 0;
}

/* Takes HIGHESTMODSEQ; Zimbra's -1 says that there is none. */
static int code_take_modseq(struct lex_cursor *cursor, struct imap_answer *answer,
			    struct error *err)
{
	struct lex_cursor ahead = *cursor;
	struct lex_token token;

	if (lex_token(&ahead, false, &token, err) == 0 && lex_is_word(&token, "-1")) {
		answer->code = IMAP_CODE_NOMODSEQ;
		return 0;
	}
	return code_take_number(cursor, UINT64_MAX, &answer->code_number, err);
}

/* Takes "(id)"; any other shape is as if there were none. */
static void code_take_id(struct lex_cursor *cursor, struct imap_answer *answer)
{
	if (response_take_id(cursor, &answer->code_number) < 0)
		answer->code = IMAP_CODE_OTHER;
}

/*
 * Takes a set of UIDs whose order carries meaning. A uidset sorts, so a set that is not ascending
 * as it stands would pair wrong messages: it is refused.
 */
static int code_take_ordered(struct lex_cursor *cursor, struct uidset *set)
{
	struct lex_token token;
	uint64_t last = 0;

	if (lex_token(cursor, false, &token, NULL) < 0 || token.kind != LEX_ATOM ||
	    uidset_parse(set, token.bytes, token.len, IMAP_RANGES_MAX) < 0)
		return -1;
	for (size_t i = 0, from = 0; i <= token.len; i++) {
		uint64_t number = 0;

		if (i < token.len && token.bytes[i] != ',' && token.bytes[i] != ':')
			continue;
		if (lex_number(token.bytes + from, i - from, UINT32_MAX, &number) < 0 ||
		    number <= last)
			return -1;
		last = number;
		from = i + 1;
	}
	return 0;
}

/* Takes APPENDUID or COPYUID; where it makes no sense it is as if there were none. */
static void code_take_uidplus(struct response *response, struct lex_cursor *cursor, bool copy,
			      struct imap_answer *answer)
{
	if (code_take_number(cursor, UINT32_MAX, &answer->code_number, NULL) < 0 ||
	    answer->code_number == 0 || code_take_ordered(cursor, &response->uids) < 0)
		goto senseless;
	answer->uids = &response->uids;
	if (!copy)
		return;
	if (code_take_ordered(cursor, &response->uids_to) < 0 ||
	    uidset_count(&response->uids) != uidset_count(&response->uids_to))
		goto senseless;
	answer->uids_to = &response->uids_to;
	return;
senseless:
	answer->code = IMAP_CODE_OTHER;
	answer->code_number = 0;
	answer->uids = NULL;
}

/* Takes the UIDs that a conditional STORE left alone. */
static int code_take_modified(struct response *response, struct lex_cursor *cursor,
			      struct imap_answer *answer, struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind != LEX_ATOM ||
	    uidset_parse(&response->uids, token.bytes, token.len, IMAP_RANGES_MAX) < 0)
		return lex_malformed(&before, err, "a bad set of UIDs");
	answer->uids = &response->uids;
	return 0;
}

/* Takes what a known code holds. */
static int code_take(struct response *response, enum code_shape shape, struct lex_cursor *cursor,
		     struct imap_answer *answer, struct error *err)
{
	switch (shape) {
	case CODE_PLAIN: lex_rest(cursor, &answer->code_text.bytes, &answer->code_text.len); break;
	case CODE_NUMBER: return code_take_number(cursor, UINT32_MAX, &answer->code_number, err);
	case CODE_MODSEQ: return code_take_modseq(cursor, answer, err);
	case CODE_ATOMS:
		if (response_join(response, cursor, &answer->code_text, NULL) < 0)
			answer->code = IMAP_CODE_OTHER;
		break;
	case CODE_ID: code_take_id(cursor, answer); break;
	case CODE_APPENDUID: code_take_uidplus(response, cursor, false, answer); break;
	case CODE_COPYUID: code_take_uidplus(response, cursor, true, answer); break;
	case CODE_MODIFIED: return code_take_modified(response, cursor, answer, err);
	}
	return 0;
}

/* Reads what stands between the square brackets. */
static int code_read_inside(struct response *response, struct lex_cursor *cursor,
			    struct imap_answer *answer, struct error *err)
{
	struct lex_token name;

	struct imap_string whole = {cursor->at, (size_t)(cursor->end - cursor->at)};
	int rc = 0;

	answer->code = IMAP_CODE_OTHER;
	if (lex_token(cursor, false, &name, NULL) < 0)
		name.kind = LEX_END;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (!lex_is_word(&name, codes[i].name))
			continue;
		answer->code = codes[i].code;
		rc = code_take(response, codes[i].shape, cursor, answer, err);
		break;
	}
	if (answer->code == IMAP_CODE_OTHER)
		answer->code_text = whole;
	return rc;
}

/* Reads an optional code and the text after it; a bracket that never closes is text. */
int code_read(struct response *response, struct lex_cursor *cursor, struct imap_answer *answer,
	      struct error *err)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	if (cursor->at < cursor->end && *cursor->at == '[') {
		struct lex_cursor inside = {cursor->at + 1, cursor->end};
		const char *close = code_find_end(&inside);

		if (close) {
			inside.end = close;
			cursor->at = close + 1;
			if (code_read_inside(response, &inside, answer, err) < 0)
				return -1;
		}
	}
	lex_rest(cursor, &answer->text.bytes, &answer->text.len);
	return 0;
}
