// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Rule B5: which mailboxes were renamed. A case lists names as "NAME LOCAL REMOTE JOURNAL":
 *
 *	LOCAL    "-", or "i1:AB-D": there, its directory's inode 1 (0: not told), and the files of
 *	         the first, second and fourth of the journal's messages
 *	REMOTE   "-", or "v1:AB-D": there, UIDVALIDITY 1, UIDs 1, 2 and 4 and what they are;
 *	         "v1m7h9:..." with MAILBOXID 7 and HIGHESTMODSEQ 9
 *	JOURNAL  "-", or "i1v1m7:ABCD": what both sides had
 *
 * "/" for a side is a name that is taken and no mailbox; "left-out" in place of JOURNAL is one that
 * the channel does not take in. Each case is planned with its names in many orders, and what is
 * planned is carried out on the names.
 */
#include "planner-run.h"
#include "sync/planner.h"

#include "base/buf.h"
#include "mail/mailbox-name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAMES_MAX 6
#define ORDERS    20

struct rename_case {
	const char *title;
	const char *names[NAMES_MAX];
	const char *renames; /* "FROM -> TO on SIDE;", by FROM; on neither where both have it;
				"FROM (VIA) -> TO on remote;" where that has it under VIA */
	unsigned pull_lacks, push_lacks;
};

static const struct rename_case cases[] = {
    /* On the server. */
    {"its MAILBOXID says so", {"Old i1:AB - i1v1m7:AB", "New - v9m7:AB -"}, "Old -> New on local;"},
    {"another MAILBOXID: it cannot be", {"Old i1:AB - i1v1m7:AB", "New - v1m8:AB -"}, ""},
    {"UIDVALIDITY, and each UID the same",
     {"Old i1:AB - i1v1:AB", "New - v1:AB -"},
     "Old -> New on local;"},
    {"and messages went and came meanwhile",
     {"Old i1:ABC - i1v1:ABC", "New - v1:-BCD -"},
     "Old -> New on local;"},
    {"another UIDVALIDITY", {"Old i1:AB - i1v1:AB", "New - v2:AB -"}, ""},
    {"a UIDVALIDITY that a third one has as well, and another under the old name",
     {"Old i1:AB v2:C i1v1:AB", "New - v1:AB -", "Else i2:C v1:C i2v1:C"},
     ""},
    {"and none under the old name",
     {"Old i1:AB - i1v1:AB", "New - v1:AB -", "Else i2:C v1:C i2v1:C"},
     ""},
    {"another under the old name, but the MAILBOXID says so",
     {"Old i1:AB v1m9:C i1v1m7:AB", "New - v1m7:AB -", "Else i2:C v1m8:C i2v1m8:C"},
     "Old -> New on local;"},
    {"another under the old name, and only the new one has the UIDVALIDITY",
     {"Old i1:AB v2:C i1v1:AB", "New - v1:AB -", "Else i2:C v3:C i2v3:C", "Here i4:D - -"},
     "Old -> New on local;"},
    {"the UIDs name other messages", {"Old i1:AB - i1v1:AB", "New - v1:AX -"}, ""},
    {"none of the messages is there", {"Old i1:AB - i1v1:AB", "New - v1:--CD -"}, ""},
    {"UIDNEXT went back", {"Old i1:ABC - i1v1:ABC", "New - v1:AB -"}, ""},
    {"HIGHESTMODSEQ went back", {"Old i1:AB - i1v1h9:AB", "New - v1h8:AB -"}, ""},
    {"it was empty, so no UID tells", {"Old i1: - i1v1:", "New - v1: -"}, ""},
    {"it was empty, but its id tells",
     {"Old i1: - i1v1m7:", "New - v1m7: -"},
     "Old -> New on local;"},
    {"its id is certain, whatever is in it",
     {"Old i1:AB - i1v1m7:AB", "New - v1m7:XY -"},
     "Old -> New on local;"},

    /* On the disk. */
    {"its inode says so, and a file of it",
     {"Old - v1:ABCD i1v1:ABCD", "New i1:A--- - -"},
     "Old -> New on remote;"},
    {"an inode that is used again", {"Old - v1:ABCD i1v1:ABCD", "New i1:---- - -"}, ""},
    {"no inode told, but most of its files",
     {"Old - v1:ABCD i0v1:ABCD", "New i5:ABC- - -"},
     "Old -> New on remote;"},
    {"half of them are not enough", {"Old - v1:ABCD i0v1:ABCD", "New i5:AB-- - -"}, ""},
    {"copied to another disk: another inode",
     {"Old - v1:ABCD i1v1:ABCD", "New i5:ABC- - -"},
     "Old -> New on remote;"},
    {"empty, and its inode", {"Old - v1: i1v1:", "New i1: - -"}, "Old -> New on remote;"},
    {"empty, and another inode", {"Old - v1: i1v1:", "New i5: - -"}, ""},

    /* On both. */
    {"to the same name", {"Old - - i1v1:AB", "New i1:AB v1:AB -"}, "Old -> New on neither;"},
    {"to different names: the local one wins",
     {"Old - - i1v1:AB", "Left i1:AB - -", "Right - v1:AB -"},
     "Old (Right) -> Left on remote;"},
    {"the same by ids, whatever is left in it",
     {"Old - - i1v1m7:AB", "Left i1:-B - -", "Right - v9m7:X -"},
     "Old (Right) -> Left on remote;"},
    {"empty, and known by its ids",
     {"Old - - i1v1m7:", "Left i1: - -", "Right - v1m7: -"},
     "Old (Right) -> Left on remote;"},
    {"to different names, but the files are others",
     {"Old - - i1v1:AB", "Left i1:-- - -", "Right - v1:AB -"},
     ""},
    {"or the messages",
     {"Old - - i1v1:AB", "Left i1:AB - -", "Right - v1:XY -"},
     ""},
    {"or the MAILBOXID", {"Old - - i1v1m7:AB", "Left i1:AB - -", "Right - v1m8:AB -"}, ""},
    {"or a third one has the UIDVALIDITY",
     {"Old - - i1v1:AB", "Left i1:AB - -", "Right - v1:AB -", "Else i2:C v1:C i2v1:C"},
     ""},
    {"or two directories may be it",
     {"Old - - i0v1:ABCD", "L1 i5:ABC- - -", "L2 i6:-BCD - -", "Right - v1:ABCD -"},
     ""},
    {"one of which is it by its inode",
     {"Old - - i1v1:ABCD", "L1 i1:A-C- - -", "L2 i6:ABCD - -", "Right - v1:ABCD -"},
     "Old (Right) -> L1 on remote;"},
    {"two mailboxes of the server may be it",
     {"Old - - i1v1:AB", "Left i1:AB - -", "R1 - v1:AB -", "R2 - v1:AB -"},
     ""},
    {"one of the server may have been two",
     {"O1 - - i1v1:AB", "O2 - - i2v1:AB", "L1 i1:AB - -", "L2 i2:AB - -", "Right - v1:AB -"},
     ""},
    {"but another that fits no better is no rival once it is refuted",
     {"Old - - i1v1m7:AB", "Left i1:AB - -", "R1 - v1m7:AB -", "R2 - v1:XY -"},
     "Old (R1) -> Left on remote;"},
    {"two at once, to different names",
     {"A - - i1v1:AB", "B - - i2v2:CD", "L1 i1:AB - -", "L2 i2:CD - -", "R1 - v1:AB -",
      "R2 - v2:CD -"},
     "A (R1) -> L1 on remote;B (R2) -> L2 on remote;"},
    {"one of the two is still there", {"Old i9:X - i1v1:AB", "Left i1:AB - -", "R - v1:AB -"}, ""},
    {"the server keeps the old name for those below it",
     {"Old - / i1v1:AB", "Left i1:AB - -", "Right - v1:AB -"},
     ""},
    {"with all that is below it, to different names",
     {"A - - i1v1:A", "A/S - - i2v2:B", "L i1:A - -", "L/S i2:B - -", "R - v1:A -",
      "R/S - v2:B -"},
     "A (R) -> L on remote;A/S (R/S) -> L/S on remote;"},
    {"the one name below the other",
     {"Old - - i1v1:AB", "Left i1:AB - -", "Left/Old - v1:AB -"},
     ""},
    {"or above it", {"Old - - i1v1:AB", "Right/Old i1:AB - -", "Right - v1:AB -"}, ""},
    {"one below the server's name is not of it: it would go along",
     {"A - - i1v1:A", "L i1:A - -", "R - v1:A -", "R/S i3:C v3:C i3v3:C"},
     ""},

    /* Not renamed. */
    {"the old one is still there", {"Old i1:AB v1:AB i1v1:AB", "New - v1:AB -"}, ""},
    {"the new one is not new", {"Old i1:AB - i1v1:AB", "New - v1:AB i2v1:AB"}, ""},
    {"deleted, and nothing came", {"Old i1:AB - i1v1:AB"}, ""},
    {"INBOX keeps its name", {"INBOX i1:AB - i1v1:AB", "New - v1:AB -"}, ""},
    {"and nothing becomes INBOX", {"Old i1:AB - i1v1:AB", "INBOX - v1:AB -"}, ""},
    {"below itself", {"Old i1:AB - i1v1:AB", "Old/New - v1:AB -"}, ""},
    {"out of the channel", {"Old i1:AB - i1v1:AB", "New - v1:AB left-out"}, ""},
    {"made anew under the old name",
     {"Old i1:AB v5:X i1v1:AB", "New - v1:AB -"},
     "Old -> New on local;"},
    {"a directory made anew under the old name",
     {"Old i5:X v1:AB i1v1:AB", "New i1:AB - -"},
     "Old -> New on remote;"},
    {"the server keeps the name for those below it",
     {"Old i1:AB / i1v1:AB", "New - v1:AB -"},
     "Old -> New on local;"},

    /* Among several. */
    {"two that may be it: none is", {"Old i1:AB - i1v1:AB", "N1 - v1:AB -", "N2 - v1:AB -"}, ""},
    {"one of which is it for certain",
     {"Old i1:AB - i1v1m7:AB", "N1 - v1m7:AB -", "N2 - v1:AB -"},
     "Old -> N1 on local;"},
    {"two that may have become it",
     {"O1 i1:AB - i1v1:AB", "O2 i2:AB - i2v1:AB", "New - v1:AB -"},
     ""},
    {"two names exchanged: both are known, so nothing is new",
     {"A i1:AB v2m2:CD i1v1m1:AB", "B i2:CD v1m1:AB i2v2m2:CD"},
     ""},
    {"two at once",
     {"A i1:AB - i1v1m1:AB", "B i2:CD - i2v2m2:CD", "X - v1m1:AB -", "Y - v2m2:CD -"},
     "A -> X on local;B -> Y on local;"},
    {"one on each side",
     {"A i1:AB - i1v1:AB", "B - v2:CD i2v2:CD", "X - v1:AB -", "Y i2:CD - -"},
     "A -> X on local;B -> Y on remote;"},

    {"two directories that may be it: none is",
     {"Old - v1:ABCD i0v1:ABCD", "N1 i5:ABC- - -", "N2 i6:-BCD - -"},
     ""},
    {"one of which is it by its inode",
     {"Old - v1:ABCD i1v1:ABCD", "N1 i1:A--- - -", "N2 i6:-BCD - -"},
     "Old -> N1 on remote;"},

    /* What is below. */
    {"one below took another name there: it would go along under its own",
     {"Old i1:A - i1v1:A", "Old/Sub i2:B - i2v2:B", "New - v1:A -", "New/Other - v2:B -"},
     "Old/Sub -> New/Other on local;"},
    {"the one below has the name that fits, and other messages",
     {"Old i1:A - i1v1:A", "Old/Sub i2:B - i2v2:B", "New - v1:A -", "New/Sub - v2:X -"},
     ""},
    {"a name below that is no mailbox goes along",
     {"Old i1:A - i1v1:A", "Old/Sub / - -", "New - v1:A -"},
     "Old -> New on local;"},
    {"with all that is below it",
     {"Old i1:A - i1v1:A", "Old/Sub i2:B - i2v2:B", "New - v1:A -", "New/Sub - v2:B -"},
     "Old -> New on local;Old/Sub -> New/Sub on local;"},
    {"but one below stayed: it would go along",
     {"Old i1:A - i1v1:A", "Old/Sub i2:B v2:B i2v2:B", "New - v1:A -"},
     ""},
    {"one below is left out of the channel: it would go along",
     {"Old i1:A - i1v1:A", "Old/Sub / - left-out", "New - v1:A -"},
     ""},
    {"one below went elsewhere: it would go along",
     {"Old i1:A - i1v1:A", "Old/Sub i2:B - i2v2:B", "New - v1:A -", "Sub - v2:B -"},
     "Old/Sub -> Sub on local;"},
    {"something is in the way", {"Old i1:A - i1v1:A", "New / v1:A -"}, ""},
    {"something is below the new name",
     {"Old i1:A - i1v1:A", "New - v1:A -", "New/Sub i5:B - i5v5:B"},
     ""},

    /* One after the other. */
    {"one goes below where another was: after that one",
     {"A i1:A - i1v1:A", "X i2:B - i2v2:B", "B - v1:A -", "A/X - v2:B -"},
     "A -> B on local;X -> A/X on local;"},
    {"the same on the disk",
     {"A - v1:A i1v1:A", "X - v2:B i2v2:B", "B i1:A - -", "A/X i2:B - -"},
     "A -> B on remote;X -> A/X on remote;"},
    {"each on another side",
     {"A i1:A - i1v1:A", "X - v2:B i2v2:B", "B - v1:A -", "A/X i2:B - -"},
     "X -> A/X on remote;"},
    {"one goes below another's new name: after that one",
     {"A i1:A - i1v1:A", "X i2:B - i2v2:B", "B/X - v2:B -", "B - v1:A -"},
     "A -> B on local;X -> B/X on local;"},
    {"three, each of which makes way for the next",
     {"A i1:A - i1v1:A", "B i2:B - i2v2:B", "C i3:C - i3v3:C", "D - v1:A -", "A/B - v2:B -",
      "B/C - v3:C -"},
     "A -> D on local;B -> A/B on local;C -> B/C on local;"},
    {"each below where the other was: no order does",
     {"A i1:A - i1v1:A", "B i2:B - i2v2:B", "B/A - v1:A -", "A/B - v2:B -"},
     ""},

    /* What the user allows. */
    {"no mailboxes here", {"Old i1:AB - i1v1:AB", "New - v1:AB -"}, "", CHANGE_MAILBOXES, 0},
    {"no mailboxes there, to different names",
     {"Old - - i1v1:AB", "Left i1:AB - -", "Right - v1:AB -"},
     "",
     0,
     CHANGE_MAILBOXES},
    {"no mailboxes there",
     {"Old i1:AB - i1v1:AB", "New - v1:AB -"},
     "Old -> New on local;",
     0,
     CHANGE_MAILBOXES},
    {"nothing else may change here",
     {"Old i1:AB - i1v1:AB", "New - v1:AB -"},
     "Old -> New on local;",
     CHANGE_ALL & ~CHANGE_MAILBOXES,
     CHANGE_ALL},
};

/* A name, and what is in it; words point into it. */
struct name {
	char text[96];
	const char *held[SIDES]; /* "AB-D" */
	const char *known;       /* the journal's */
	struct journal_head head;
	struct planner_name name;
};

/* Reads "i1", "v1", "m7" up to the ':'. Returns what is behind it. */
static const char *read_ids(const char *text, struct journal_head *out)
{
	while (*text != ':') {
		char kind = *text;
		unsigned long number = strtoul(text + 1, (char **)&text, 10);

		if (kind == 'i')
			out->inode = number;
		else if (kind == 'v')
			out->uidvalidity = (uint32_t)number;
		else if (kind == 'h')
			out->highestmodseq = number;
		else if (kind == 'm')
			out->mailbox_id = number;
		else
			fail_msg("no id: %c", kind);
	}
	out->uidnext = (uint32_t)strlen(text);
	return text + 1;
}

/* What one side has of a name. */
static void read_held(struct name *name, enum side side, const char *text)
{
	struct journal_head ids = {0};

	name->name.at[side] = name->name.name;
	name->name.occupies[side] = *text != '-';
	name->held[side] = "";
	if (*text == '-' || *text == '/')
		return;
	name->name.exists[side] = true;
	name->held[side] = read_ids(text, &ids);
	name->name.listed[side].inode = ids.inode;
	name->name.listed[side].mailbox_id = ids.mailbox_id;
	if (side == REMOTE) {
		name->name.listed[side].uidvalidity = ids.uidvalidity;
		name->name.listed[side].uidnext = ids.uidnext;
		name->name.listed[side].modseq = ids.highestmodseq;
	}
}

static void read_name(struct name *name, const char *text)
{
	char *rest = name->text;

	*name = (struct name){.known = ""};
	assert_true(strlen(text) < sizeof(name->text));
	strncpy(name->text, text, sizeof(name->text) - 1);
	name->name.name = strsep(&rest, " ");
	read_held(name, LOCAL, strsep(&rest, " "));
	read_held(name, REMOTE, strsep(&rest, " "));
	assert_non_null(rest);
	name->name.left_out = !strcmp(rest, "left-out");
	if (*rest == '-' || name->name.left_out)
		return;
	name->known = read_ids(rest, &name->head);
	name->name.head = &name->head;
}

/* What a look into the new mailbox finds, as sync/rename.c counts it. */
static struct planner_likeness look(const struct name *from, const struct name *to, enum side side)
{
	struct planner_likeness alike = {.expected = strlen(from->known)};
	size_t held = strlen(to->held[side]);

	for (size_t i = 0; i < alike.expected && i < held; i++) {
		if (to->held[side][i] == '-')
			continue;
		alike.found += side == LOCAL || to->held[side][i] == from->known[i];
		alike.others += side == REMOTE && to->held[side][i] != from->known[i];
	}
	return alike;
}

/* Reads the names in an order that the seed decides; 0: as written. */
static size_t read_names(const struct rename_case *it, uint64_t seed, struct name *names)
{
	size_t order[NAMES_MAX], len = 0;

	for (; len < NAMES_MAX && it->names[len]; len++)
		order[len] = len;
	for (size_t i = len; seed && i > 1; i--) {
		size_t other = run_random(&seed, (uint32_t)i), kept = order[i - 1];
		order[i - 1] = order[other];
		order[other] = kept;
	}
	for (size_t i = 0; i < len; i++)
		read_name(&names[i], it->names[order[i]]);
	return len;
}

/* All candidates, each looked into. */
static size_t find_candidates(const struct rename_case *it, const struct name *names,
			      const struct planner_name *plain, size_t len, planner_may_be *may_be,
			      struct planner_rename *list)
{
	const struct policy policy = {
	    .change = {CHANGE_ALL & ~it->pull_lacks, CHANGE_ALL & ~it->push_lacks}};
	size_t count = 0;

	for (size_t from = 0; from < len; from++)
		for (size_t to = 0; to < len; to++) {
			struct planner_rename rename;

			if (from == to || !may_be(&policy, &plain[from], &plain[to], &rename))
				continue;
			rename.from = from;
			rename.to = to;
			for (enum side side = LOCAL; side < SIDES; side++)
				if (rename.renamed[side])
					rename.alike[side] = look(&names[from], &names[to], side);
			list[count++] = rename;
		}
	return count;
}

/* Tells the renames by the names that go. */
static void tell(const struct planner_name *names, const struct planner_rename *list, size_t len,
		 struct buf *out)
{
	const char *lines[NAMES_MAX];
	struct arena arena = {0};

	for (size_t i = 0; i < len; i++) {
		const bool *renamed = list[i].renamed;
		const char *where = renamed[LOCAL] && renamed[REMOTE] ? "neither"
				    : renamed[LOCAL]                  ? "remote"
								      : "local";
		size_t at = i;
		const struct planner_name *from = &names[list[i].from], *met = from->met;
		for (; at && strcmp(lines[at - 1], from->name) > 0; at--)
			lines[at] = lines[at - 1];
		lines[at] = arena_printf(&arena, "%s%s%s%s -> %s on %s;", from->name,
					 met ? " (" : "", met ? met->name : "", met ? ")" : "",
					 names[list[i].to].name, where);
	}
	for (size_t i = 0; i < len; i++)
		buf_puts(out, lines[i]);
	arena_free(&arena);
}

/* Renames one mailbox, and with it all that is below it, as a server and a directory do. */
static void rename_one(struct arena *arena, const struct planner_name *names, const char **at,
		       size_t len, enum side side, const char *from, const char *to)
{
	size_t prefix = strlen(from);

	for (size_t i = 0; i < len; i++)
		if (names[i].occupies[side] &&
		    (!strcmp(at[i], to) || mailbox_name_is_below(at[i], to)))
			fail_msg("%s is to be renamed to %s, where %s is", from, to, at[i]);
	for (size_t i = 0; i < len; i++)
		if (names[i].occupies[side] &&
		    (!strcmp(at[i], from) || mailbox_name_is_below(at[i], from)))
			at[i] = arena_printf(arena, "%s%s", to, at[i] + prefix);
}

/* One after the other, as sync/rename.c does; then each has its new name, and no other one has. */
static void carry_out(const struct planner_name *names, size_t len,
		      const struct planner_rename *list, size_t count, enum side side)
{
	const char *at[NAMES_MAX], *wanted[NAMES_MAX];
	struct arena arena = {0};

	for (size_t i = 0; i < len; i++)
		at[i] = wanted[i] = names[i].at[side];
	for (size_t i = 0; i < count; i++) {
		size_t from = list[i].from;
		if (list[i].renamed[side])
			continue;
		wanted[from] = names[list[i].to].at[side];
		if (strcmp(at[from], wanted[from]) != 0)
			rename_one(&arena, names, at, len, side, at[from], wanted[from]);
	}
	for (size_t i = 0; i < len; i++)
		if (names[i].exists[side])
			assert_string_equal(at[i], wanted[i]);
	arena_free(&arena);
}

static void try_order(const struct rename_case *it, uint64_t seed)
{
	struct planner_rename list[NAMES_MAX * NAMES_MAX];
	struct planner_name plain[NAMES_MAX];
	struct name names[NAMES_MAX];
	struct buf told;
	size_t len = read_names(it, seed, names), count;

	for (size_t i = 0; i < len; i++)
		plain[i] = names[i].name;
	count = find_candidates(it, names, plain, len, planner_may_be_half, list);
	planner_meet(plain, len, list, count);
	count = find_candidates(it, names, plain, len, planner_may_be_renamed, list);
	planner_renames(plain, len, list, &count);
	assert_true(count <= NAMES_MAX);
	buf_init(&told, 1000);
	tell(plain, list, count, &told);
	if (strcmp(told.data, it->renames) != 0)
		fail_msg("%s (order %u): expected \"%s\", planned \"%s\"", it->title,
			 (unsigned)seed, it->renames, told.data);
	buf_free(&told);
	for (enum side side = LOCAL; side < SIDES; side++)
		carry_out(plain, len, list, count, side);
}

static void renames_by_the_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (uint64_t seed = 0; seed <= ORDERS; seed++)
			try_order(&cases[i], seed);
}

/* What is listed under the old name, the journal's head, and what the new name's mailbox is. */
struct doubt {
	const char *title;
	struct journal_head head;
	bool exists[SIDES];
	struct stamp old[SIDES], new;
	enum side renamed;
	bool from_left_out;
	bool may;
};

static const struct doubt doubts[] = {
    {"UIDNEXT was not told then",
     .head = {.uidvalidity = 1},
     .exists = {true, false},
     .new = {.uidvalidity = 1, .uidnext = 5},
     .renamed = REMOTE},
    {"no UIDVALIDITY was known",
     .head = {.uidnext = 2},
     .exists = {true, false},
     .new = {.uidvalidity = 1, .uidnext = 2},
     .renamed = REMOTE},
    {"the old one is left out of the channel",
     .head = {.mailbox_id = 1},
     .exists = {true, false},
     .new = {.mailbox_id = 1},
     .renamed = REMOTE,
     .from_left_out = true},
    {"no inode told of what is there under the old name",
     .head = {.inode = 1},
     .exists = {true, true},
     .new = {.inode = 1},
     .renamed = LOCAL},
    {"and none known",
     .exists = {true, true},
     .old = {[LOCAL] = {.inode = 1}},
     .new = {.inode = 1},
     .renamed = LOCAL},
    {"no MAILBOXID told of what is there under the old name, and no UIDVALIDITY",
     .head = {.mailbox_id = 1, .uidvalidity = 1},
     .exists = {true, true},
     .new = {.mailbox_id = 1},
     .renamed = REMOTE},
    {"and none known",
     .head = {.uidvalidity = 0},
     .exists = {true, true},
     .old = {[REMOTE] = {.mailbox_id = 1, .uidvalidity = 1}},
     .new = {.mailbox_id = 1},
     .renamed = REMOTE},
    {"another UIDVALIDITY under the old name: made anew",
     .head = {.uidvalidity = 1, .uidnext = 2},
     .exists = {true, true},
     .old = {[REMOTE] = {.uidvalidity = 5}},
     .new = {.uidvalidity = 1, .uidnext = 2},
     .renamed = REMOTE,
     .may = true},
};

static void does_not_rename_what_is_there(void **state)
{
	const struct policy policy = {.change = {CHANGE_ALL, CHANGE_ALL}};
	struct planner_rename rename;

	(void)state;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(*doubts); i++) {
		const struct doubt *it = &doubts[i];
		struct planner_name from = {
		    .name = "Old", .head = &it->head, .left_out = it->from_left_out};
		struct planner_name to = {.name = "New"};
		for (enum side side = LOCAL; side < SIDES; side++) {
			from.exists[side] = it->exists[side];
			from.listed[side] = it->old[side];
		}
		to.exists[it->renamed] = true;
		to.listed[it->renamed] = it->new;
		if (planner_may_be_renamed(&policy, &from, &to, &rename) != it->may)
			fail_msg("%s", it->title);
	}
}

/* `map` gives names that lie below each other there others here. */
static void sees_by_the_names_there_what_would_go_along(void **state)
{
	struct planner_name names[] = {
	    {.name = "Old",
	     .at = {"Old", "Old"},
	     .exists = {true, false},
	     .occupies = {true, false}},
	    {.name = "Else",
	     .at = {"Old/Sub", "Else"},
	     .exists = {true, true},
	     .occupies = {true, true}},
	    {.name = "New",
	     .at = {"New", "New"},
	     .exists = {false, true},
	     .occupies = {false, true}},
	};
	struct planner_rename list[] = {
	    {.from = 0, .to = 2, .renamed = {false, true}, .sure = {false, true}}};
	size_t len = 1;

	(void)state;
	planner_renames(names, 3, list, &len);
	assert_int_equal(len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(does_not_rename_what_is_there),
	    cmocka_unit_test(sees_by_the_names_there_what_would_go_along),
	    cmocka_unit_test(renames_by_the_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
