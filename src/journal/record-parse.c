// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/record.h"

#include "base/hex.h"
#include "journal/escape.h"

#include <string.h>
#include <zlib.h>

/* What is left of a line, and whether all of it was right so far. */
struct fields {
	char *at;
	char *end;
	bool bad;
};

/* The next field: the bytes up to a blank or the end. Afterwards at is behind that blank. */
static size_t take_field(struct fields *fields, char **field)
{
	char *blank;

	*field = fields->at;
	if (fields->bad || fields->at > fields->end) {
		fields->bad = true;
		return 0;
	}
	blank = memchr(fields->at, ' ', (size_t)(fields->end - fields->at));
	if (blank == NULL)
		blank = fields->end;
	fields->at = blank + 1;
	if (blank == *field)
		fields->bad = true;
	return (size_t)(blank - *field);
}

#define UINT64_DIGITS (sizeof(uint64_most) - 1)

static const char uint64_most[] = "18446744073709551615";

/* Digits without leading zeros, at most max. Of texts of one length the later is the larger one. */
static uint64_t parse_uint(struct fields *fields, const char *text, size_t len, uint64_t max)
{
	uint64_t number = 0;

	if (len == 0 || len > UINT64_DIGITS || (len > 1 && text[0] == '0') ||
	    (len == UINT64_DIGITS && memcmp(text, uint64_most, len) > 0)) {
		fields->bad = true;
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - (unsigned)'0';

		fields->bad |= digit > 9;
		number = number * 10 + digit;
	}
	fields->bad |= number > max;
	return number;
}

/* The next field as a number. */
static uint64_t take_uint(struct fields *fields, uint64_t max)
{
	char *text;
	size_t len = take_field(fields, &text);

	return parse_uint(fields, text, len, max);
}

/* The next field as a number of 32 bits. */
static uint32_t take_u32(struct fields *fields)
{
	return (uint32_t)take_uint(fields, UINT32_MAX);
}

/* A number that may be negative; the smallest of all is none of ours (DATE_UNKNOWN). */
static int64_t parse_int(struct fields *fields, const char *text, size_t len)
{
	bool negative = len > 0 && text[0] == '-';
	int64_t number =
	    (int64_t)parse_uint(fields, text + negative, len - negative, (uint64_t)INT64_MAX);

	if (negative && number == 0)
		fields->bad = true;
	return negative ? -number : number;
}

/* The next field as a number with a sign. */
static int64_t take_int(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);

	return parse_int(fields, text, len);
}

/* Exactly that many small hexadecimal digits, 8 or 16. */
static uint64_t parse_hex(struct fields *fields, const char *text, size_t len, size_t digits)
{
	uint64_t number = 0;

	if (len != digits) {
		fields->bad = true;
		return 0;
	}
	for (size_t i = 0; i < len; i += 8) {
		uint32_t part;

		fields->bad |= !hex_read(text + i, &part);
		number = number << 32 | part;
	}
	return number;
}

/* A hash of 64 bits; the writers have "-" for 0. */
static uint64_t parse_hash(struct fields *fields, const char *text, size_t len)
{
	uint64_t hash;

	if (len == 1 && text[0] == '-')
		return 0;
	hash = parse_hex(fields, text, len, 16);
	if (hash == 0)
		fields->bad = true;
	return hash;
}

/* The next field as a hash. */
static uint64_t take_hash(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);

	return parse_hash(fields, text, len);
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Of eight bytes: 0x80 stays where one is below the blank, and where it is DEL. */
static uint64_t find_control(uint64_t word)
{
	uint64_t del = word ^ EACH_BYTE * 0x7f;

	return ((word - EACH_BYTE * ' ') & ~word) | ((del - EACH_BYTE) & ~del);
}

/* Eight bytes at a time. */
static bool has_control(const char *text, size_t len)
{
	uint64_t found = 0, word;

	for (; len >= 8; text += 8, len -= 8) {
		memcpy(&word, text, 8);
		found |= find_control(word);
	}
	word = EACH_BYTE * ' ';
	memcpy(&word, text, len);
	found |= find_control(word);
	return found & EACH_BYTE * 0x80;
}

/* A word; NULL for "-". Controls cannot be in it: their escapes can. */
static const char *take_text(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);

	if (fields->bad)
		return NULL;
	fields->bad = has_control(text, len);
	if (len == 1 && text[0] == '-')
		return NULL;
	if (escape_undo(text, len, &len) < 0)
		fields->bad = true;
	return text;
}

/* True where a field is that word. */
static bool field_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Only letters and keywords in their order are taken, so that each set of flags has one text. */
static struct flags take_flags(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);
	char again[FLAGS_LETTERS_MAX];
	bool others = false;
	struct flags flags = {0};
	uint32_t keywords = 0;

	if (field_is(text, len, "-"))
		return flags;
	const char *star = memchr(text, '*', len);
	size_t letters = star != NULL ? (size_t)(star - text) : len;

	flags = flags_from_letters(text, letters, &others);
	flags_letters(flags, again);
	if (others || !field_is(text, letters, again) ||
	    (star != NULL && !keywords_from_text(star, len - letters, '*', &keywords)))
		fields->bad = true;
	flags.keywords = keywords;
	return flags;
}

/* A size, or "-". */
static uint64_t take_size(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);

	return field_is(text, len, "-") ? SIZE_UNKNOWN
					: parse_uint(fields, text, len, SIZE_UNKNOWN - 1);
}

/* A date, or "-". */
static int64_t take_date(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);

	return field_is(text, len, "-") ? DATE_UNKNOWN : parse_int(fields, text, len);
}

/* A digest, or the word for one that is not known. True where it is known. */
static bool take_digest(struct fields *fields, const char *none, struct digest *digest)
{
	char *text;
	size_t len = take_field(fields, &text);

	if (field_is(text, len, none))
		return false;
	if (digest_from_hex(digest, text, len) < 0)
		fields->bad = true;
	return true;
}

/* A UID, which is never 0. */
static uint32_t take_uid(struct fields *fields)
{
	uint32_t uid = take_u32(fields);

	if (uid == 0)
		fields->bad = true;
	return uid;
}

/* One of record_gone_words, or "-". */
static unsigned take_gone(struct fields *fields)
{
	const char *word = take_text(fields);

	if (word == NULL)
		return 0;
	for (unsigned gone = 1; gone < RECORD_GONE_WORDS; gone++)
		if (strcmp(word, record_gone_words[gone]) == 0)
			return gone;
	fields->bad = true;
	return 0;
}

/* All of a pair; its name must be there. */
static void take_pair(struct fields *fields, struct pair *pair)
{
	pair->uid = take_uid(fields);
	pair->flags = take_flags(fields);
	pair->size = take_size(fields);
	pair->date = take_date(fields);
	pair->message_id = take_hash(fields);
	pair->email_id = take_hash(fields);
	take_digest(fields, "-", &pair->digest);
	pair->gone = take_gone(fields);
	pair->name = take_text(fields);
	if (pair->name == NULL)
		fields->bad = true;
}

/* What a note knows of its message. */
static void take_identity(struct fields *fields, struct identity *identity)
{
	char *text;
	size_t len;

	identity->size = take_size(fields);
	identity->date = take_date(fields);
	len = take_field(fields, &text);
	identity->has_message_id = !field_is(text, len, "?");
	if (identity->has_message_id)
		identity->message_id = parse_hash(fields, text, len);
	identity->email_id = take_hash(fields);
	identity->has_digest = take_digest(fields, "?", &identity->digest);
}

/* The kind of a letter. */
static enum journal_note_kind parse_note_kind(struct fields *fields, char letter)
{
	static const char letters[] = RECORD_NOTES;
	const char *at = memchr(letters, letter, strlen(letters));

	if (at == NULL)
		fields->bad = true;
	return at != NULL ? (enum journal_note_kind)(at - letters) : JOURNAL_PUBLISHING;
}

/* A note that has neither UID nor name could never be ended. */
static void take_note_key(struct fields *fields, struct journal_note *note)
{
	note->uid = take_u32(fields);
	note->name = take_text(fields);
	if (note->uid == 0 && note->name == NULL)
		fields->bad = true;
}

/* "local" or "remote". */
static enum side take_side(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);
	enum side side = field_is(text, len, side_name(REMOTE)) ? REMOTE : LOCAL;

	if (!field_is(text, len, side_name(side)))
		fields->bad = true;
	return side;
}

/* Flags, and "any" or "named". */
static void take_room(struct fields *fields, struct flag_room *room)
{
	const struct flags flags = take_flags(fields);
	char *text;
	size_t len = take_field(fields, &text);

	*room = (struct flag_room){.bits = flags.bits,
				   .any_keyword = field_is(text, len, "any"),
				   .keywords = flags.keywords};
	if (room->any_keyword ? room->keywords != 0 : !field_is(text, len, "named"))
		fields->bad = true;
}

/* All of a note. */
static void take_note(struct fields *fields, char letter, struct journal_note *note)
{
	note->kind = parse_note_kind(fields, letter);
	note->side = take_side(fields);
	take_note_key(fields, note);
	note->uidvalidity = take_u32(fields);
	note->floor = take_u32(fields);
	note->flags = take_flags(fields);
	take_identity(fields, &note->identity);
	note->text = take_text(fields);
}

/* Which note ends. */
static void take_end_note(struct fields *fields, struct journal_note *note)
{
	char *text;
	size_t len = take_field(fields, &text);

	if (len != 1)
		fields->bad = true;
	else
		note->kind = parse_note_kind(fields, text[0]);
	take_note_key(fields, note);
}

/* All fields were there, and no more. */
static int end_fields(const struct fields *fields)
{
	return fields->bad || fields->at != fields->end + 1 ? -1 : 0;
}

/* The letter tells what follows it. */
int record_parse(char *line, size_t len, struct record *record)
{
	struct fields fields = {line, line + len, false};
	char *kind;

	*record = (struct record){0};
	if (take_field(&fields, &kind) != 1)
		return -1;
	switch (kind[0]) {
	case 'p':
		record->kind = RECORD_PAIR;
		take_pair(&fields, &record->pair);
		break;
	case 'f':
		record->kind = RECORD_FLAGS;
		record->pair.uid = take_uid(&fields);
		record->pair.flags = take_flags(&fields);
		break;
	case 'd':
		record->kind = RECORD_FORGET;
		record->pair.uid = take_uid(&fields);
		break;
	case 'e':
		record->kind = RECORD_END_NOTE;
		take_end_note(&fields, &record->note);
		break;
	case 'k':
		record->kind = RECORD_REFUSED;
		record->note.side = take_side(&fields);
		record->note.flags = take_flags(&fields);
		break;
	case 'r':
		record->kind = RECORD_ROOM;
		take_room(&fields, &record->room);
		break;
	case 'z': record->kind = RECORD_RESET; break;
	default:
		record->kind = RECORD_NOTE;
		take_note(&fields, kind[0], &record->note);
		break;
	}
	return end_fields(&fields);
}

/* Begins behind the word and version that a file must begin with. */
static struct fields begin_fields(char *line, size_t len, const char *magic)
{
	struct fields fields = {line, line + len, false};

	if (len < strlen(magic) || memcmp(line, magic, strlen(magic)) != 0)
		fields.bad = true;
	else
		fields.at += strlen(magic);
	return fields;
}

/* Account and tree, "" for none. */
static void take_owner(struct fields *fields, struct record_owner *owner)
{
	owner->account = take_text(fields);
	owner->tree = take_text(fields);
	if (owner->account == NULL)
		owner->account = "";
	if (owner->tree == NULL)
		owner->tree = "";
}

/* A file without a mailbox is nobody's. */
int record_parse_first(char *line, size_t len, struct record_owner *owner)
{
	struct fields fields = begin_fields(line, len, RECORD_MAGIC);

	owner->mailbox = take_text(&fields);
	take_owner(&fields, owner);
	if (owner->mailbox == NULL)
		return -1;
	return end_fields(&fields);
}

/* The crc is reckoned before fields are undone in place. */
int record_parse_channel(char *line, size_t len, struct record_owner *owner)
{
	char *last = memrchr(line, ' ', len);
	uint32_t crc =
	    last != NULL ? (uint32_t)crc32_z(0, (Bytef *)line, (size_t)(last - line)) : 0;
	struct fields fields = begin_fields(line, len, CHANNEL_MAGIC);
	char *text;
	size_t field;

	owner->mailbox = NULL;
	take_owner(&fields, owner);
	field = take_field(&fields, &text);
	if (parse_hex(&fields, text, field, 8) != crc)
		return -1;
	return end_fields(&fields);
}

/* "even" or "uneven". */
static bool take_even(struct fields *fields)
{
	char *text;
	size_t len = take_field(fields, &text);
	bool even = field_is(text, len, "even");

	if (!even && !field_is(text, len, "uneven"))
		fields->bad = true;
	return even;
}

/* The fields of a head, in their order. */
static void take_head(struct fields *fields, struct journal_head *head)
{
	head->uidvalidity = take_u32(fields);
	head->uidnext = take_u32(fields);
	head->highestmodseq = take_uint(fields, UINT64_MAX);
	head->remote_messages = take_u32(fields);
	head->mailbox_id = take_hash(fields);
	head->cur_ns = take_int(fields);
	head->new_ns = take_int(fields);
	head->inode = take_uint(fields, UINT64_MAX);
	head->when = take_int(fields);
	head->pairs = take_uint(fields, UINT64_MAX);
	head->notes = take_uint(fields, UINT64_MAX);
	head->policy = take_u32(fields);
	head->even = take_even(fields);
}

/* Works on a copy, for the fields' parser may write. */
int record_parse_commit(const char *line, size_t len, struct record_commit *commit)
{
	char copy[RECORD_COMMIT_MAX];
	struct fields fields;
	char *text;
	size_t field;
	uint64_t own;

	*commit = (struct record_commit){0};
	if (len < 2 || len >= sizeof(copy) || line[0] != 'c' || line[1] != ' ')
		return -1;
	memcpy(copy, line, len);
	fields = (struct fields){copy + 2, copy + len, false};
	commit->sequence = take_uint(&fields, UINT64_MAX);
	take_head(&fields, &commit->head);
	field = take_field(&fields, &text);
	commit->crc = (uint32_t)parse_hex(&fields, text, field, 8);
	if (fields.bad)
		return -1;
	/* Neither crc covers the blank before it: put_hex() writes that. */
	commit->covered = (size_t)(text - copy) - 1;
	field = take_field(&fields, &text);
	own = parse_hex(&fields, text, field, 8);
	if (end_fields(&fields) < 0 ||
	    own != crc32_z(0, (const Bytef *)line, (size_t)(text - copy) - 1))
		return -1;
	return 0;
}
