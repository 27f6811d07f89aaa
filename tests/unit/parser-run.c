// SPDX-License-Identifier: GPL-3.0-or-later
#include "parser-run.h"

#include "base/alloc.h"
#include "base/text.h"
#include "mail/digest.h"
#include "mail/header.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const code_names[] = {
    [IMAP_CODE_NONE] = "",
    [IMAP_CODE_OTHER] = "OTHER",
    [IMAP_CODE_ALERT] = "ALERT",
    [IMAP_CODE_CAPABILITY] = "CAPABILITY",
    [IMAP_CODE_UIDVALIDITY] = "UIDVALIDITY",
    [IMAP_CODE_UIDNEXT] = "UIDNEXT",
    [IMAP_CODE_HIGHESTMODSEQ] = "HIGHESTMODSEQ",
    [IMAP_CODE_NOMODSEQ] = "NOMODSEQ",
    [IMAP_CODE_PERMANENTFLAGS] = "PERMANENTFLAGS",
    [IMAP_CODE_READ_ONLY] = "READ-ONLY",
    [IMAP_CODE_READ_WRITE] = "READ-WRITE",
    [IMAP_CODE_CLOSED] = "CLOSED",
    [IMAP_CODE_TRYCREATE] = "TRYCREATE",
    [IMAP_CODE_NONEXISTENT] = "NONEXISTENT",
    [IMAP_CODE_ALREADYEXISTS] = "ALREADYEXISTS",
    [IMAP_CODE_OVERQUOTA] = "OVERQUOTA",
    [IMAP_CODE_LIMIT] = "LIMIT",
    [IMAP_CODE_TOOBIG] = "TOOBIG",
    [IMAP_CODE_UNAVAILABLE] = "UNAVAILABLE",
    [IMAP_CODE_INUSE] = "INUSE",
    [IMAP_CODE_EXPUNGEISSUED] = "EXPUNGEISSUED",
    [IMAP_CODE_SERVERBUG] = "SERVERBUG",
    [IMAP_CODE_CLIENTBUG] = "CLIENTBUG",
    [IMAP_CODE_CANNOT] = "CANNOT",
    [IMAP_CODE_NOPERM] = "NOPERM",
    [IMAP_CODE_AUTHENTICATIONFAILED] = "AUTHENTICATIONFAILED",
    [IMAP_CODE_AUTHORIZATIONFAILED] = "AUTHORIZATIONFAILED",
    [IMAP_CODE_EXPIRED] = "EXPIRED",
    [IMAP_CODE_APPENDUID] = "APPENDUID",
    [IMAP_CODE_COPYUID] = "COPYUID",
    [IMAP_CODE_MODIFIED] = "MODIFIED",
    [IMAP_CODE_MAILBOXID] = "MAILBOXID",
    [IMAP_CODE_THROTTLED] = "THROTTLED",
    [IMAP_CODE_USEATTR] = "USEATTR",
};

static void show_string(struct buf *out, const char *name, struct imap_string string)
{
	if (!string.bytes)
		return;
	buf_printf(out, " %s=<", name);
	text_escape(out, string.bytes, string.len, 300);
	buf_putc(out, '>');
}

static void show_uids(struct buf *out, const char *name, const struct uidset *uids)
{
	size_t next = 0;

	if (!uids)
		return;
	buf_printf(out, " %s=", name);
	if (uids->len > 0)
		uidset_format(uids, &next, 300, out);
}

/* The ids that tests know by their hash; another one is Gmail's number. */
static void show_id(struct buf *out, const char *name, uint64_t id)
{
	char longest[255];

	memset(longest, 'x', sizeof(longest));
	if (id == digest_hash_id("F1", 2))
		buf_printf(out, " %s=<F1>", name);
	else if (id == digest_hash_id("M-6_d9", 6))
		buf_printf(out, " %s=<M-6_d9>", name);
	else if (id == digest_hash_id(longest, sizeof(longest)))
		buf_printf(out, " %s=<longest>", name);
	else
		buf_printf(out, " %s=%" PRIu64, name, id);
}

static void show_code(struct buf *out, const struct imap_answer *answer)
{
	static const char *const statuses[] = {"OK", "NO", "BAD", "PREAUTH"};

	if (answer->kind != IMAP_BYE)
		buf_printf(out, " %s", statuses[answer->status]);
	if (answer->code != IMAP_CODE_NONE)
		buf_printf(out, " [%s]", code_names[answer->code]);
	if (answer->code == IMAP_CODE_MAILBOXID)
		show_id(out, "id", answer->code_number);
	else if (answer->code_number > 0)
		buf_printf(out, " n=%" PRIu64, answer->code_number);
	show_string(out, "code", answer->code_text);
	show_uids(out, "uids", answer->uids);
	show_uids(out, "to", answer->uids_to);
	show_string(out, "text", answer->text);
}

static void show_fetch(struct buf *out, const struct imap_fetch *fetch)
{
	buf_printf(out, "fetch %u", fetch->sequence);
	if (fetch->has & IMAP_HAS_UID)
		buf_printf(out, " uid=%u", fetch->uid);
	if (fetch->has & IMAP_HAS_FLAGS) {
		char letters[FLAGS_LETTERS_MAX];

		flags_letters(fetch->flags, letters);
		buf_printf(out, " flags=%s", letters);
		keywords_put(out, fetch->flags.keywords, "*");
	}
	if (fetch->has & IMAP_HAS_MODSEQ)
		buf_printf(out, " modseq=%" PRIu64, fetch->modseq);
	if (fetch->has & IMAP_HAS_DATE)
		buf_printf(out, " date=%" PRId64, fetch->date);
	if (fetch->has & IMAP_HAS_SIZE)
		buf_printf(out, " size=%" PRIu64, fetch->size);
	if (fetch->has & IMAP_HAS_MESSAGE_ID)
		buf_printf(out, " id=%s",
			   fetch->message_id == header_hash_message_id("<a@b>", 5) ? "<a@b>"
			   : fetch->message_id == 0                                ? "none"
										   : "?");
	if (fetch->has & IMAP_HAS_EMAIL_ID)
		show_id(out, "email", fetch->email_id);
	if (fetch->has & IMAP_HAS_BODY)
		buf_printf(out, " body=%" PRIu64, fetch->body_size);
	if (fetch->has & IMAP_HAS_NIL_BODY)
		buf_puts(out, " nil-body");
}

static void show_status(struct buf *out, const struct imap_mailbox_status *mailbox)
{
	if (mailbox->has & IMAP_HAS_UIDVALIDITY)
		buf_printf(out, " uidvalidity=%u", mailbox->uidvalidity);
	if (mailbox->has & IMAP_HAS_UIDNEXT)
		buf_printf(out, " uidnext=%u", mailbox->uidnext);
	if (mailbox->has & IMAP_HAS_MESSAGES)
		buf_printf(out, " messages=%u", mailbox->messages);
	if (mailbox->has & IMAP_HAS_HIGHESTMODSEQ)
		buf_printf(out, " modseq=%" PRIu64, mailbox->highestmodseq);
	if (mailbox->has & IMAP_HAS_MAILBOX_ID)
		show_id(out, "id", mailbox->mailbox_id);
}

static void show_delimiter(struct buf *out, char delimiter)
{
	if (delimiter != '\0')
		buf_printf(out, " delimiter=%c", delimiter);
}

static void show_namespaces(struct buf *out, const struct imap_answer *answer)
{
	for (size_t i = 0; i < answer->namespaces_len; i++) {
		const struct imap_namespace *namespace = &answer->namespaces[i];
		char owner[] = {(char)('0' + namespace->owner), '\0'};

		show_string(out, owner, namespace->prefix);
		show_delimiter(out, namespace->delimiter);
	}
}

static void show_answer(struct buf *out, const struct imap_answer *answer)
{
	static const char *const plain[] = {
	    [IMAP_CONTINUE] = "continue",     [IMAP_CAPABILITY] = "capability",
	    [IMAP_ENABLED] = "enabled",       [IMAP_FLAGS] = "flags",
	    [IMAP_NAMESPACE] = "namespace",   [IMAP_LIST] = "list",
	    [IMAP_LSUB] = "lsub",
	    [IMAP_STATUS] = "mailbox-status", [IMAP_SEARCH] = "search",
	    [IMAP_VANISHED] = "vanished",     [IMAP_MALFORMED] = "malformed",
	    [IMAP_OTHER] = "other",
	};

	switch (answer->kind) {
	case IMAP_TAGGED: buf_printf(out, "tagged %u", answer->tag); break;
	case IMAP_STATUS_LINE: buf_puts(out, "status"); break;
	case IMAP_BYE: buf_puts(out, "bye"); break;
	case IMAP_EXISTS: buf_printf(out, "exists %u", answer->number); break;
	case IMAP_EXPUNGE: buf_printf(out, "expunge %u", answer->number); break;
	case IMAP_FETCH: show_fetch(out, &answer->fetch); break;
	case IMAP_BODY_DATA: break;
	default: buf_puts(out, plain[answer->kind]); break;
	}
	switch (answer->kind) {
	case IMAP_TAGGED:
	case IMAP_STATUS_LINE:
	case IMAP_BYE: show_code(out, answer); break;
	case IMAP_OTHER:
		if (answer->number > 0)
			buf_printf(out, " %u", answer->number);
		show_string(out, "name", answer->name);
		show_string(out, "text", answer->text);
		break;
	case IMAP_LIST:
	case IMAP_LSUB:
		buf_printf(out, " attributes=%x", answer->attributes);
		show_delimiter(out, answer->delimiter);
		show_string(out, "name", answer->name);
		break;
	case IMAP_NAMESPACE: show_namespaces(out, answer); break;
	case IMAP_MALFORMED: assert_true(answer->text.len > 0); break;
	case IMAP_STATUS:
		show_string(out, "name", answer->name);
		show_status(out, &answer->mailbox);
		break;
	case IMAP_SEARCH: show_uids(out, "uids", answer->uids); break;
	case IMAP_VANISHED:
		buf_puts(out, answer->earlier ? " earlier" : "");
		show_uids(out, "uids", answer->uids);
		break;
	case IMAP_CONTINUE:
	case IMAP_CAPABILITY:
	case IMAP_ENABLED:
	case IMAP_FLAGS: show_string(out, "text", answer->text); break;
	default: break;
	}
	buf_putc(out, '\n');
}

void run_start(struct run *run)
{
	*run = (struct run){.parser = imap_parser_open()};
	buf_init(&run->out, 16u << 20);
	buf_init(&run->body, 16u << 20);
}

void run_end(struct run *run)
{
	imap_parser_close(&run->parser);
	assert_null(run->parser);
	buf_free(&run->out);
	buf_free(&run->body);
}

/* Writes what an answer says; the pieces of a body are put together until its FETCH comes. */
static void run_take(struct run *run, const struct imap_answer *answer)
{
	if (answer->kind == IMAP_BODY_DATA) {
		assert_true(answer->fetch.has & IMAP_HAS_BODY);
		assert_true(answer->data.len > 0);
		buf_append(&run->body, answer->data.bytes, answer->data.len);
		return;
	}
	if (answer->kind == IMAP_FETCH) {
		if (answer->fetch.has & IMAP_HAS_BODY)
			assert_int_equal(run->body.len, answer->fetch.body_size);
		if (run->body.len > 0)
			show_string(&run->out, "data",
				    (struct imap_string){run->body.data, run->body.len});
		buf_puts(&run->out, run->body.len > 0 ? "\n" : "");
		buf_reset(&run->body);
	}
	show_answer(&run->out, answer);
}

/* Feeds one piece and takes all that comes of it. */
void run_feed(struct run *run, const char *bytes, size_t len)
{
	char *piece = xmalloc(len > 0 ? len : 1);
	struct imap_answer answer;
	struct error err = {0};
	int rc;

	memcpy(piece, bytes, len);
	imap_parser_feed(run->parser, piece, len);
	while ((rc = imap_parser_next(run->parser, &answer, &err)) == 1)
		run_take(run, &answer);
	free(piece);
	if (rc == 0 || run->failed) {
		assert_int_equal(rc < 0, run->failed);
		return;
	}
	run->failed = true;
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_true(strlen(err.text) > 0);
	buf_puts(&run->out, "error\n");
}

void run_check(const struct parser_case *c, size_t cut, size_t step)
{
	struct run run;

	run_start(&run);
	if (cut > 0)
		run_feed(&run, c->in, cut);
	for (size_t at = cut; at < c->len; at += step)
		run_feed(&run, c->in + at, step < c->len - at ? step : c->len - at);
	if (strcmp(run.out.data, c->out) != 0)
		print_error("case %s\ncut at %zu, then by %zu\n", text_show(c->in), cut, step);
	assert_string_equal(run.out.data, c->out);
	run_end(&run);
}
