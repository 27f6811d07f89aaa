// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Cases of the planner as data (tests/planner, *.case): a situation and the operations that must
 * come of it. A case is a heading, some settings, and a row for each message:
 *
 *	case deleted on the server, expunged here
 *	policy pull=new,flags,deletions push=flags local=expunge remote=trash
 *	permanent remote=FS
 *	mailbox trash
 *	sides fixed
 *	# id base local remote : expected
 *	  1  S    S     -      : M2 remove local
 *
 * What is not set is as a user gets it who sets nothing. Flags are Maildir's letters and "*" before
 * each keyword, '.' for none; of a side in "permanent" "**" behind them means any keyword, "?*" any
 * but unheard where it is not named (mute). "policy safety=PERCENT,COUNT" lets the guard look at
 * the plans: what it stops ends with "blocked". "sides fixed": the case is not to be turned round.
 *
 *	base    '-': no pair; else the flags agreed on, with "!L", "!R" for a side known to lack it,
 *		or '~' where a run was about to remove it from the server
 *	local   '-': not there; else its flags; '?' after them: refused by the other side before;
 *	remote  "@F" after them: an APPENDING note remembers flags F; "ghost@F>=9": so does a note
 *		of a file that is not there, and its copy has a UID >= 9; "^F": so did a pair,
 *		until the journal was reset, "-^F": of a file that is not there;
 *		"!L", "!R" after them as in base
 *
 * A row without a pair that both sides hold is one message that sync/match.h has paired. Expected
 * are, in any order and with ';' between: "M1 forget", "M2 remove SIDE", "M2 trash SIDE",
 * "M3 agree FLAGS!L", "M4 flag SIDE +FLAGS -FLAGS", "M4 agree FLAGS", "M5 agree FLAGS",
 * "M6 pair FLAGS", "M7 copy SIDE FLAGS"; or, where nothing is to happen, "M8", "M9" or "nothing".
 *
 * A case may hold several mailboxes: a line "mailbox NAME" (capitalised; "trash" and "junk" may
 * follow) begins each, and an id counts in its mailbox only. It is the UID and the unique name at
 * once, so a file that keeps its name on its way has the same id in both mailboxes. "=A" behind an
 * id says which message it is; its size, date, Message-ID and digest are its own unless a line says
 * whose they are:
 *
 *	message B size=A date=A id=none email=A
 *
 * Mailboxes are given to the planner in any order unless a line says "order fixed": among equals
 * the first one counts. "survey partial": there are others, which were not looked at.
 *
 * As ever a server tells no digest, and none unless set the id of a message's content (EMAILID). A
 * mailbox with "consulted" behind it did not change, and of it only the pairs are known; one with
 * "unseen" could not be looked at, with "held" all the same it is known who holds what of it, with
 * "reset" its journal means nothing any more.
 *
 * Expected are also, on the row that is left, "V1 move SIDE -> MAILBOX/ID FLAGS" (flags on the
 * side that moved it belong to the row where it arrived), and, where the message is to be found
 * under another id, "V2 pair FLAGS as ID", "V2 flag ... as ID", "V2 agree ... as ID". "V3 clone
 * SIDE <- MAILBOX/ID FLAGS" and "V4 clone ..." name what is copied on that side, "had FLAGS"
 * follows where that has other flags, and "redate" where a file's date is not the message's. "V5
 * remove SIDE" needs a mailbox that is the trash. "policy link=no": nothing is copied on the
 * local side. "mailbox NAME gone=SIDE : RULE" is a mailbox that is gone on that side, and what
 * is to become of it.
 */
#ifndef TESTS_PLANNER_CASE_H
#define TESTS_PLANNER_CASE_H

#include "base/arena.h"
#include "mail/flags.h"
#include "mail/policy.h"
#include "sync/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One side of a row. */
struct case_side {
	bool there;
	struct flags flags;
	bool refused;
	bool ghost;
	bool former;
	unsigned gone; /* former: bits 1 << side */
	struct flags remembered;
	uint32_t floor;
};

/* What makes a message out; each is its own or another's. */
enum case_part {
	CASE_SIZE,
	CASE_DATE,
	CASE_ID,
	CASE_DIGEST,
	CASE_EMAIL, /* the server's own id of its content; nobody's where not set */
	CASE_PARTS,
};

#define CASE_LETTERS 26

struct case_row {
	size_t box;
	uint32_t id; /* its UID; "m7" is its name */
	char letter; /* which message it is, or '\0': one of its own */
	bool paired;
	struct flags base;
	unsigned gone; /* bits 1 << side */
	bool removing; /* a REMOVING note is there */
	struct case_side sides[SIDES];
	char **expected; /* operations as text, in no order */
	size_t expected_len, expected_cap;
	unsigned rules; /* bits 1 << rule that the expectation names */
	int line;
};

struct case_box {
	const char *name; /* NULL where there is but one */
	bool is_trash, is_junk;
	bool is_consulted; /* only its pairs are known */
	bool is_unseen;    /* it could not be looked at; */
	bool is_reset;     /* nor would its journal have told anything; */
	bool is_held;      /* and yet it is known what both sides hold */
	bool is_gone; /* on that side, and so much becomes of it */
	enum side gone;
	enum rule rule;
};

#define CASE_BOXES_MAX 8

struct planner_case {
	const char *file;
	int line;
	char *title;
	struct policy policy;
	struct flag_room permanent[SIDES];
	bool guarded, fixed, ordered, partial;
	/* Of each letter: whose part it has, '-' for nobody's. */
	char parts[CASE_LETTERS][CASE_PARTS];
	struct case_box boxes[CASE_BOXES_MAX];
	size_t boxes_len;
	struct case_row *rows; /* of all boxes */
	size_t len, cap;
};

struct case_file {
	struct arena arena;
	struct planner_case *cases;
	size_t len, cap;
};

/* What a user gets who sets nothing. */
struct policy case_policy(void);
/* A case without rows and settings; of one mailbox. */
struct planner_case case_begin(const char *file, int line, char *title);
/* "Work/7", or "7" where there is but one mailbox; in arena. */
const char *case_row_name(const struct planner_case *it, const struct case_row *row,
			  struct arena *arena);
/* Reads a file; fails the test where it is malformed, naming the line. */
void case_file_read(struct case_file *file, const char *path);
void case_file_free(struct case_file *file);
/* The case with its sides exchanged, expectations included; strings are in arena. */
struct planner_case case_swap(const struct planner_case *from, struct arena *arena);
/* An expectation as the other side has it; in arena. */
char *case_swap_text(const char *text, struct arena *arena);
/* The rule that an expectation names, RULE_NONE for "nothing". */
enum rule case_rule(const char *expected);

#endif
