// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/record.h"

#include "journal/escape.h"

#include <string.h>
#include <zlib.h>

const char *const record_gone_words[RECORD_GONE_WORDS] = {
    [0] = NULL,
    [1u << LOCAL] = "local",
    [1u << REMOTE] = "remote",
    [1u << LOCAL | 1u << REMOTE] = "both",
};

/* Appends a blank and a number; by hand, for a journal may have millions of them. */
static void put_number(struct buf *out, bool negative, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	if (negative)
		digits[--at] = '-';
	digits[--at] = ' ';
	buf_append(out, digits + at, sizeof(digits) - at);
}

/* Appends a blank and a number. */
static void put_uint(struct buf *out, uint64_t number)
{
	put_number(out, false, number);
}

/* The same with a sign where it is negative. */
static void put_int(struct buf *out, int64_t number)
{
	put_number(out, number < 0, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* Appends a blank and a number as exactly that many hexadecimal digits. */
static void put_hex(struct buf *out, uint64_t number, size_t digits)
{
	char text[17] = " ";

	for (size_t i = digits; i > 0; i--, number >>= 4)
		text[i] = "0123456789abcdef"[number & 15];
	buf_append(out, text, digits + 1);
}

/* Appends a blank and a text as one word; "-" stands for none. */
static void put_text(struct buf *out, const char *text)
{
	buf_putc(out, ' ');
	if (text == NULL || text[0] == '\0')
		buf_putc(out, '-');
	else if (strcmp(text, "-") == 0)
		buf_puts(out, "%2D");
	else
		escape_put(out, ESCAPE_WORD, text, strlen(text));
}

/* Appends a blank, the letters of flags, and keywords: '*' is the one that no keyword can hold. */
static void put_flags(struct buf *out, struct flags flags)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(flags, letters);
	if (!keywords_count(flags.keywords)) {
		put_text(out, letters);
		return;
	}
	buf_putc(out, ' ');
	buf_puts(out, letters);
	keywords_put(out, flags.keywords, "*");
}

/* Appends a blank and a size. */
static void put_size(struct buf *out, uint64_t size)
{
	if (size == SIZE_UNKNOWN)
		put_text(out, NULL);
	else
		put_uint(out, size);
}

/* Appends a blank and a date. */
static void put_date(struct buf *out, int64_t date)
{
	if (date == DATE_UNKNOWN)
		put_text(out, NULL);
	else
		put_int(out, date);
}

/* Appends a blank and a hash, or "-" for none. */
static void put_hash(struct buf *out, uint64_t hash)
{
	if (hash == 0)
		put_text(out, NULL);
	else
		put_hex(out, hash, 16);
}

/* Appends a blank and a digest. */
static void put_digest(struct buf *out, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE + 1] = " ";

	digest_to_hex(digest, hex + 1);
	buf_append(out, hex, DIGEST_HEX_SIZE);
}

/* It has no crc: the first transaction's covers it. */
void record_put_first(struct buf *out, const struct record_owner *owner)
{
	buf_append(out, RECORD_MAGIC, strlen(RECORD_MAGIC) - 1);
	put_text(out, owner->mailbox);
	put_text(out, owner->account);
	put_text(out, owner->tree);
	buf_putc(out, '\n');
}

/* The crc is that of all before the blank that precedes it. */
void record_put_channel(struct buf *out, const struct record_owner *owner)
{
	size_t start = out->len;

	buf_append(out, CHANNEL_MAGIC, strlen(CHANNEL_MAGIC) - 1);
	put_text(out, owner->account);
	put_text(out, owner->tree);
	put_hex(out, crc32_z(0, (const Bytef *)out->data + start, out->len - start), 8);
	buf_putc(out, '\n');
}

/* The name comes last, so that the eye finds it. */
void record_put_pair(struct buf *out, const struct pair *pair)
{
	buf_putc(out, 'p');
	put_uint(out, pair->uid);
	put_flags(out, pair->flags);
	put_size(out, pair->size);
	put_date(out, pair->date);
	put_hash(out, pair->message_id);
	put_hash(out, pair->email_id);
	if (digest_is_known(&pair->digest))
		put_digest(out, &pair->digest);
	else
		put_text(out, NULL);
	put_text(out, record_gone_words[pair->gone]);
	put_text(out, pair->name);
	buf_putc(out, '\n');
}

/* The commonest change, and so the shortest record. */
void record_put_flags(struct buf *out, uint32_t uid, struct flags flags)
{
	buf_putc(out, 'f');
	put_uint(out, uid);
	put_flags(out, flags);
	buf_putc(out, '\n');
}

/* A pair is named by its UID. */
void record_put_forget(struct buf *out, uint32_t uid)
{
	buf_putc(out, 'd');
	put_uint(out, uid);
	buf_putc(out, '\n');
}

/* A Message-ID that was not asked for and a digest that is not known are "?". */
void record_put_note(struct buf *out, const struct journal_note *note)
{
	buf_putc(out, RECORD_NOTES[note->kind]);
	put_text(out, side_name(note->side));
	put_uint(out, note->uid);
	put_text(out, note->name);
	put_uint(out, note->uidvalidity);
	put_uint(out, note->floor);
	put_flags(out, note->flags);
	put_size(out, note->identity.size);
	put_date(out, note->identity.date);
	if (note->identity.has_message_id)
		put_hash(out, note->identity.message_id);
	else
		put_text(out, "?");
	put_hash(out, note->identity.email_id);
	if (note->identity.has_digest)
		put_digest(out, &note->identity.digest);
	else
		put_text(out, "?");
	put_text(out, note->text);
	buf_putc(out, '\n');
}

/* Both keys, as the caller gave them. */
void record_put_end_note(struct buf *out, enum journal_note_kind kind, uint32_t uid,
			 const char *name)
{
	const char letter[] = {RECORD_NOTES[kind], '\0'};

	buf_putc(out, 'e');
	put_text(out, letter);
	put_uint(out, uid);
	put_text(out, name);
	buf_putc(out, '\n');
}

/* It has no fields. */
void record_put_reset(struct buf *out)
{
	buf_puts(out, "z\n");
}

/* Keywords alone. */
void record_put_refused(struct buf *out, enum side side, uint32_t keywords)
{
	buf_putc(out, 'k');
	put_text(out, side_name(side));
	put_flags(out, (struct flags){.keywords = keywords});
	buf_putc(out, '\n');
}

/* Where it takes every keyword, none is named. */
void record_put_room(struct buf *out, const struct flag_room *room)
{
	buf_putc(out, 'r');
	put_flags(out, (struct flags){room->bits, room->keywords});
	put_text(out, room->any_keyword ? "any" : "named");
	buf_putc(out, '\n');
}

/* What is there of the transaction is in out. */
void record_put_commit(struct buf *out, size_t start, uint64_t sequence,
		       const struct journal_head *head)
{
	uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)out->data + start, out->len - start);

	record_put_commit_after(out, crc, sequence, head);
}

/* The first crc is the transaction's, the second that of this line alone. */
void record_put_commit_after(struct buf *out, uint32_t crc, uint64_t sequence,
			     const struct journal_head *head)
{
	size_t line = out->len;

	buf_putc(out, 'c');
	put_uint(out, sequence);
	put_uint(out, head->uidvalidity);
	put_uint(out, head->uidnext);
	put_uint(out, head->highestmodseq);
	put_uint(out, head->remote_messages);
	put_hash(out, head->mailbox_id);
	put_int(out, head->cur_ns);
	put_int(out, head->new_ns);
	put_uint(out, head->inode);
	put_int(out, head->when);
	put_uint(out, head->pairs);
	put_uint(out, head->notes);
	put_uint(out, head->policy);
	put_text(out, head->even ? "even" : "uneven");
	put_hex(out, crc32_z(crc, (const Bytef *)out->data + line, out->len - line), 8);
	put_hex(out, crc32_z(0, (const Bytef *)out->data + line, out->len - line), 8);
	buf_putc(out, '\n');
}
