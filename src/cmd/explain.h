// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * evenmail explain: what both sides and the journal hold of a mailbox or of a message, and what a
 * sync would do about it, by which rule.
 *
 * explain.c surveys and plans as `plan` does; explain-find.c finds the messages that were asked for
 * in what that leaves; explain-text.c and explain-json.c say it.
 */
#ifndef CMD_EXPLAIN_H
#define CMD_EXPLAIN_H

#include "journal/journal.h"
#include "sync/channel.h"

/* What a message is asked for by. A Message-ID may be a file's name as well. */
struct explain_word {
	const char *name; /* unique name, or NULL for a UID; the len bytes count */
	size_t len;
	uint32_t uid;    /* or 0 */
	uint64_t ids[2]; /* hashes of the Message-ID, as it is and in "<>"; or 0 */
};

/* Reads UID, Message-ID, or a file's path or name. -1: ERROR_USAGE, it is none of them. */
int explain_read_word(const char *text, struct explain_word *word, struct error *err);

/* Where everything about one mailbox stands. */
struct explain_scene {
	const struct channel *channel; /* planned */
	const struct box *box;
	const struct journal *journal; /* as it is on the disk: a survey changes that of the box */
};

/* What is known of one message. */
struct sighting {
	uint32_t uid;                    /* or 0 */
	const char *name;                /* or NULL */
	const struct pair *pair;         /* the journal's, or NULL */
	bool there[SIDES];               /* the side holds it */
	struct flags flags[SIDES];       /* where it does */
	struct identity identity[SIDES]; /* likewise; size and date as far as they are known */
};

struct sighting_list {
	struct sighting *rows;
	size_t len, cap;
};

/* The messages that the word fits; freed by free(list->rows). */
void explain_find(const struct explain_scene *scene, const struct explain_word *word,
		  struct sighting_list *list);

/* The next operation after *at that concerns the message, or NULL; *box is where it is planned. */
struct op_place {
	size_t box, op; /* all zero is the start */
};
const struct op *explain_next_op(const struct explain_scene *scene, const struct sighting *sighting,
				 struct op_place *at, const struct box **box);
/* True where the journal's note is about the message. */
bool explain_is_note_of(const struct journal_note *note, const struct sighting *sighting);
/* Why nothing is to be done about a message: a rule or RULE_NONE, and *text. */
enum rule explain_why_not(const struct explain_scene *scene, const struct sighting *sighting,
			  const char **text);

/* Operations of one kind, by one rule. */
struct op_count {
	const struct op *op;    /* the first of them */
	const struct box *from; /* a move into the mailbox: whence; else NULL */
	size_t count;
};

struct op_count_list {
	struct op_count *rows;
	size_t len, cap;
};

/* What the plans mean to do to the mailbox; freed by free(list->rows). */
void explain_count(const struct explain_scene *scene, struct op_count_list *list);
/* How the side stands now, and whether it may have changed since both were even. */
struct stamp explain_stamp(const struct explain_scene *scene, enum side side, bool *changed);
/* "\Sent", ...: the name of one of enum mailbox_attribute, "" for no bit of it. */
const char *explain_attribute(unsigned bit);

void explain_print_mailbox(const struct explain_scene *scene);
void explain_print_message(const struct explain_scene *scene, const struct sighting *sighting);
void explain_put_mailbox(const struct explain_scene *scene);
void explain_put_message(const struct explain_scene *scene, const struct sighting *sighting);

#endif
