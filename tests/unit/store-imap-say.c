// SPDX-License-Identifier: GPL-3.0-or-later
#include "store-imap-say.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>

void store_imap_say_uids(struct buf *out, const char *word, const struct uidset *uids)
{
	buf_puts(out, word);
	for (size_t next = 0; next < uids->len;)
		uidset_format(uids, &next, 10000, out);
}

static void say_flags(struct buf *out, const char *word, struct flags flags)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(flags, letters);
	buf_printf(out, " %s=%s", word, letters);
	keywords_put(out, flags.keywords, "*");
}

static void say_stamp(struct buf *out, const struct stamp *stamp)
{
	buf_printf(out, " v=%" PRIu32 " n=%" PRIu32 " m=%" PRIu32, stamp->uidvalidity,
		   stamp->uidnext, stamp->messages);
	if (stamp->modseq)
		buf_printf(out, " q=%" PRIu64, stamp->modseq);
	if (stamp->mailbox_id)
		buf_printf(out, " id=%016" PRIx64, stamp->mailbox_id);
}

/* One message of a scan or an identification. */
static void say_message(struct buf *out, const struct answer *answer)
{
	const struct identity *identity = &answer->message.identity;

	buf_printf(out, "message uid=%" PRIu32, answer->message.key.uid);
	say_flags(out, "flags", answer->message.flags);
	if (identity->size != SIZE_UNKNOWN)
		buf_printf(out, " size=%" PRIu64, (uint64_t)identity->size);
	if (identity->date != DATE_UNKNOWN)
		buf_printf(out, " date=%" PRId64, identity->date);
	if (identity->has_message_id)
		buf_printf(out, " id=%s", identity->message_id ? "some" : "none");
	if (identity->email_id)
		buf_printf(out, " email=%016" PRIx64, identity->email_id);
}

/* The end of a request. */
static void say_done(struct buf *out, const struct answer *answer)
{
	buf_puts(out, "done");
	if (answer->stamp.uidvalidity || answer->stamp.uidnext) {
		buf_puts(out, answer->complete ? " complete" : " delta");
		say_stamp(out, &answer->stamp);
		const struct flags permanent = {answer->permanent.bits, answer->permanent.keywords};
		say_flags(out, "permanent", permanent);
	}
	if (answer->created.uid)
		buf_printf(out, " created=%" PRIu32 "/%" PRIu32, answer->created.uid,
			   answer->uidvalidity);
	keywords_put(out, answer->refused_keywords, " refused*");
	if (answer->steps || answer->target_steps)
		buf_printf(out, " steps=%" PRIu32 "/%" PRIu32, answer->steps, answer->target_steps);
	if (answer->doubtful)
		buf_puts(out, " doubtful");
	if (answer->others)
		buf_puts(out, " others");
	if (answer->refused)
		store_imap_say_uids(out, " refused=", answer->refused);
	if (answer->error.kind != ERROR_NONE)
		buf_printf(out, " error %d/%d%s: %s", answer->error.kind, answer->error.scope,
			   answer->error.sys == ENOENT	 ? " gone"
			   : answer->error.sys == EEXIST ? " taken"
							 : "",
			   answer->error.text);
}

bool store_imap_say(const struct answer *answer, struct buf *out, struct buf *body)
{
	buf_reset(out);
	switch (answer->kind) {
	case ANSWER_MAILBOX:
		buf_printf(out, "mailbox \"%s\"", text_show(answer->mailbox));
		if (answer->attributes)
			buf_printf(out, " attributes=%x", answer->attributes);
		say_stamp(out, &answer->stamp);
		break;
	case ANSWER_MESSAGE: say_message(out, answer); break;
	case ANSWER_VANISHED: store_imap_say_uids(out, "vanished ", answer->uids); break;
	case ANSWER_BODY: buf_append(body, answer->data, answer->len); return false;
	case ANSWER_BODY_END:
		buf_printf(out, "body uid=%" PRIu32 " size=%" PRIu64 " \"", answer->message.key.uid,
			   answer->message.key.uid ? (uint64_t)answer->message.identity.size
						   : UINT64_C(0));
		if (body->len > 100)
			buf_printf(out, "%zu bytes", body->len);
		else if (body->len)
			text_escape(out, body->data, body->len, 100);
		buf_putc(out, '"');
		buf_reset(body);
		break;
	case ANSWER_MOVED:
		buf_printf(out, "moved %" PRIu32 " to %" PRIu32 " of %" PRIu32,
			   answer->message.key.uid, answer->created.uid, answer->uidvalidity);
		break;
	case ANSWER_DONE: say_done(out, answer); break;
	}
	buf_printf(out, " @%" PRIu64, answer->ticket);
	return true;
}
