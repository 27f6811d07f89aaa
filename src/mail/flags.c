// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/flags.h"

#include "mail/ascii.h"

/* In the order of the letters, which is that of the bits. */
static const struct {
	uint32_t bit;
	char letter;
	const char *atom;
} flag_names[] = {
    {FLAG_DRAFT, 'D', "\\Draft"},        {FLAG_FLAGGED, 'F', "\\Flagged"},
    {FLAG_FORWARDED, 'P', "$Forwarded"}, {FLAG_ANSWERED, 'R', "\\Answered"},
    {FLAG_SEEN, 'S', "\\Seen"},          {FLAG_DELETED, 'T', "\\Deleted"},
};

#define FLAG_COUNT (sizeof(flag_names) / sizeof(flag_names[0]))

/* Whether both sets are the same. */
bool flags_equal(struct flags a, struct flags b)
{
	return a.bits == b.bits && a.keywords == b.keywords;
}

/* Whether there is none in it. */
bool flags_are_none(struct flags flags)
{
	return !flags.bits && !flags.keywords;
}

/* What a has and b has not. */
struct flags flags_minus(struct flags a, struct flags b)
{
	return (struct flags){a.bits & ~b.bits, keywords_minus(a.keywords, b.keywords)};
}

/* What either has. */
struct flags flags_union(struct flags a, struct flags b)
{
	return (struct flags){a.bits | b.bits, keywords_union(a.keywords, b.keywords)};
}

/* What both have. */
struct flags flags_intersect(struct flags a, struct flags b)
{
	return (struct flags){a.bits & b.bits, keywords_intersect(a.keywords, b.keywords)};
}

/*
 * The three-way merge: a bit that a side changed is flipped, and two sides that changed it agree.
 */
struct flags flags_merge(struct flags base, struct flags local, struct flags remote)
{
	uint32_t changed = (base.bits ^ local.bits) | (base.bits ^ remote.bits);

	return (struct flags){base.bits ^ changed,
			      keywords_merge(base.keywords, local.keywords, remote.keywords)};
}

/* Those of a set that a side takes. */
static uint32_t takes(const struct flag_room *room, uint32_t set)
{
	if (!room->any_keyword)
		set = keywords_intersect(set, room->keywords);
	return keywords_minus(set, room->refused);
}

/* Those of a set whose absence means something. */
static uint32_t answers_for(const struct flag_room *room, uint32_t set)
{
	if (!room->any_keyword || room->mute)
		set = keywords_intersect(set, room->keywords);
	return keywords_minus(set, room->refused);
}

/* Silence of who has no say means "as agreed" and not "removed". */
struct flags flags_heard(struct flags base, struct flags shown, const struct flag_room *room)
{
	uint32_t silent = keywords_minus(base.keywords, answers_for(room, base.keywords));

	return (struct flags){(shown.bits & room->bits) | (base.bits & ~room->bits),
			      keywords_union(shown.keywords, silent)};
}

/* What it has no room for stays as it is there. */
struct flags flags_reach(struct flags shown, struct flags target, const struct flag_room *room)
{
	uint32_t fixed = keywords_minus(shown.keywords, takes(room, shown.keywords));

	return (struct flags){(target.bits & room->bits) | (shown.bits & ~room->bits),
			      keywords_union(takes(room, target.keywords), fixed)};
}

/* As long as there is no room for a flag nobody can have agreed to change it. */
struct flags flags_settled(struct flags base, struct flags reach, const struct flag_room *room)
{
	uint32_t silent = keywords_minus(base.keywords, takes(room, base.keywords));

	return (struct flags){(reach.bits & room->bits) | (base.bits & ~room->bits),
			      keywords_union(reach.keywords, silent)};
}

/* A keyword that it refused is none of these: there will be no room for that again. */
struct flags flags_lost(struct flags base, struct flags shown, const struct flag_room *room)
{
	const struct flags hidden = flags_minus(base, shown);
	uint32_t keywords = keywords_minus(hidden.keywords, room->refused);

	return (struct flags){hidden.bits & ~room->bits,
			      keywords_minus(keywords, takes(room, keywords))};
}

bool flag_room_equal(const struct flag_room *a, const struct flag_room *b)
{
	return a->bits == b->bits && a->any_keyword == b->any_keyword && a->mute == b->mute &&
	       a->keywords == b->keywords && a->refused == b->refused;
}

/* Nothing is concluded from what is not known. */
struct flags flags_known(struct flags flags)
{
	if (flags.keywords == KEYWORDS_UNKNOWN)
		flags.keywords = 0;
	return flags;
}

/* Writes the Maildir letters. */
void flags_letters(struct flags flags, char out[FLAGS_LETTERS_MAX])
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		if (flags.bits & flag_names[i].bit)
			*out++ = flag_names[i].letter;
	}
	*out = '\0';
}

/* The bit of a Maildir letter, or 0. */
static uint32_t letter_bit(char letter)
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		if (flag_names[i].letter == letter)
			return flag_names[i].bit;
	}
	return 0;
}

/* Reads Maildir letters in any order. */
struct flags flags_from_letters(const char *letters, size_t len, bool *others)
{
	struct flags flags = {0};

	*others = false;
	for (size_t i = 0; i < len; i++) {
		uint32_t bit = letter_bit(letters[i]);

		flags.bits |= bit;
		if (!bit)
			*others = true;
	}
	return flags;
}

/* Writes the flags as IMAP atoms. */
void flags_to_imap(struct flags flags, struct buf *out)
{
	const char *separator = "";

	for (size_t i = 0; i < FLAG_COUNT; i++) {
		if (!(flags.bits & flag_names[i].bit))
			continue;
		buf_puts(out, separator);
		buf_puts(out, flag_names[i].atom);
		separator = " ";
	}
	for (size_t i = 0; i < keywords_count(flags.keywords); i++) {
		buf_puts(out, separator);
		buf_puts(out, keywords_name(flags.keywords, i));
		separator = " ";
	}
}

/* The flag of an IMAP atom. */
struct flags flag_from_imap(const char *atom, size_t len)
{
	for (size_t i = 0; i < FLAG_COUNT; i++) {
		if (ascii_is_word(atom, len, flag_names[i].atom))
			return (struct flags){.bits = flag_names[i].bit};
	}
	return (struct flags){.keywords = keywords_of(atom, len)};
}
