// SPDX-License-Identifier: GPL-3.0-or-later
#include "regress.h"

#include <string.h>

/* What a step names: see pick_name() and pick() in user.c. */
#define INBOX     0
#define WORK_NEW  5 /* to deliver to */
#define TRASH_NEW 7
#define WORK      1 /* to work in */
#define TRASH     2
#define PLAY      3 /* once something was called so */

/* A seed under which nothing survives a power cut that was not settled. */
#define NOTHING 3

#define DELIVER(where, box, flags)                                                                 \
	{                                                                                          \
		.kind = STEP_DELIVER, .side = (where), .mailbox = (box), .flag = (flags)           \
	}
#define FLAG(where, bit)                                                                           \
	{                                                                                          \
		.kind = STEP_FLAG, .side = (where), .flag = (bit)                                  \
	}
#define EXPUNGE(where, box)                                                                        \
	{                                                                                          \
		.kind = STEP_EXPUNGE, .side = (where), .mailbox = (box)                            \
	}
#define DESTROY(where)                                                                             \
	{                                                                                          \
		.kind = STEP_DESTROY, .side = (where)                                              \
	}
#define DESTROY_FULL(where)                                                                        \
	{                                                                                          \
		.kind = STEP_DESTROY, .side = (where), .flag = 1                                   \
	}
#define DESTROY_TRASH(where)                                                                       \
	{                                                                                          \
		.kind = STEP_DESTROY, .side = (where), .mailbox = TRASH - 1                        \
	}
#define AGAIN(where, token)                                                                        \
	{                                                                                          \
		.kind = STEP_COPY, .side = (where), .message = (token)                             \
	}
/* The file as it is; hops is to how many names further on, less one. */
#define MOVE(where, box, hops)                                                                     \
	{                                                                                          \
		.kind = STEP_MOVE, .side = (where), .mailbox = (box), .flag = 64 * (hops) + 1      \
	}
#define MOVE_ANEW(where, box)                                                                      \
	{                                                                                          \
		.kind = STEP_MOVE, .side = (where), .mailbox = (box)                               \
	}
#define RENAME(where, box, name)                                                                   \
	{                                                                                          \
		.kind = STEP_RENAME, .side = (where), .mailbox = (box), .flag = (name)             \
	}
#define TO_PLAY 0
#define TO_WORK 1
#define TO_ARCHIVE 3
#define RENAME_BELOW(where, box, above)                                                            \
	{                                                                                          \
		.kind = STEP_RENAME, .side = (where), .mailbox = (box), .message = 6,              \
		.flag = (above)                                                                    \
	}
#define SWAP(where, box, other)                                                                    \
	{                                                                                          \
		.kind = STEP_RENAME, .side = (where), .mailbox = (box), .message = 5,              \
		.flag = (other)                                                                    \
	}
#define TWIN(box)                                                                                  \
	{                                                                                          \
		.kind = STEP_TWIN, .mailbox = (box)                                                \
	}
#define BREAK(how, steps)                                                                          \
	{                                                                                          \
		.kind = STEP_RUN, .fault = (how), .after = (steps), .seed = NOTHING                \
	}
#define POWER_CUT BREAK(FAULT_POWER, 0)
#define RUN                                                                                        \
	{                                                                                          \
		.kind = STEP_RUN                                                                   \
	}
#define RUN_AND(steps)                                                                             \
	{                                                                                          \
		.kind = STEP_RUN, .amid = (steps)                                                  \
	}
#define SHUT(where, box)                                                                           \
	{                                                                                          \
		.kind = STEP_RUN, .fault = FAULT_SHUT, .side = (where), .mailbox = (box)           \
	}
#define BRING_BACK(box)                                                                            \
	{                                                                                          \
		.kind = STEP_RESTORE, .mailbox = (box)                                             \
	}
#define RENUMBER                                                                                   \
	{                                                                                          \
		.kind = STEP_RENUMBER                                                              \
	}
#define REST                                                                                       \
	{                                                                                          \
		.kind = STEP_REST                                                                  \
	}

#define REGRESS_STEPS 11

/* Three small messages and one that a small server does not take. */
#define DELIVER_LARGE(box)                                                                         \
	DELIVER(LOCAL, INBOX, 0), DELIVER(LOCAL, INBOX, 0), DELIVER(LOCAL, INBOX, 0),              \
	    DELIVER(LOCAL, (box), 0)

/* What is not as it is for most. */
enum variant {
	VARIANT_NONE,
	VARIANT_SMALL, /* the server does not take large messages */
	VARIANT_TRASH, /* what is deleted remotely goes to the local trash */
	VARIANT_POOR,  /* the server has neither UIDPLUS nor ids */
	VARIANT_PLAIN, /* the server has ids, and nothing else */
	VARIANT_SAME,  /* the server tells mailboxes apart by nothing but their names */
	VARIANT_BULKY, /* messages are large */
	VARIANT_FEW,   /* the server has no room for keywords */
};

/* Each ends in a REST besides. */
static const struct {
	const char *title;
	size_t len;
	enum variant variant;
	struct step steps[REGRESS_STEPS];
} histories[] = {
    {"what a stopped run put in place is settled before it is a pair",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0), BREAK(FAULT_LOCAL, 5), REST, POWER_CUT,
      REST}},
    {"what a mail program delivered is settled before the server has it",
     4,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), REST, POWER_CUT, REST}},
    {"a removal by a run that was killed is settled before it is forgotten",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), REST, EXPUNGE(REMOTE, INBOX), BREAK(FAULT_KILL, 1), RUN,
      POWER_CUT}},
    {"flags that a killed run set are settled before they are agreed on",
     7,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), REST, FLAG(REMOTE, 4), BREAK(FAULT_KILL, 2), RUN, POWER_CUT,
      REST}},
    {"what moved on the server to a mailbox that it does not open stays here",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), TWIN(WORK_NEW), REST, MOVE(REMOTE, INBOX, 0),
      SHUT(REMOTE, WORK), REST}},
    {"a file that moved to a mailbox that the server does not open stays on the server",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), TWIN(WORK_NEW), REST, DELIVER(REMOTE, WORK_NEW, 0),
      MOVE(LOCAL, INBOX, 0), SHUT(REMOTE, WORK), REST}},
    {"a file that moved to a mailbox that cannot be read stays on the server",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), TWIN(WORK_NEW), REST, MOVE(LOCAL, INBOX, 0), SHUT(LOCAL, WORK),
      REST}},
    {"a removal that could not be settled is not committed",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), REST, EXPUNGE(REMOTE, INBOX), BREAK(FAULT_LOCAL, 1), POWER_CUT,
      REST}},
    {"a reset journal is not committed without its pairs",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, FLAG_SEEN | FLAG_FLAGGED), REST, RENUMBER, DELIVER(REMOTE, WORK_NEW, 0),
      BREAK(FAULT_LOCAL, 1), FLAG(REMOTE, 1), REST}},
    {"an even and empty mailbox that one side lost is made again",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, EXPUNGE(LOCAL, WORK), REST, DESTROY(LOCAL), REST}},
    {"a mailbox that both sides lost is forgotten",
     8,
     VARIANT_NONE,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, EXPUNGE(LOCAL, WORK), EXPUNGE(REMOTE, WORK),
      DESTROY(LOCAL), DESTROY(REMOTE), REST, REST}},
    {"a mailbox that was deleted keeps what the server never took",
     7,
     VARIANT_SMALL,
     {DELIVER_LARGE(WORK_NEW), REST, DESTROY(REMOTE), REST}},
    {"what the server would not take is forgotten with its mailbox",
     6,
     VARIANT_SMALL,
     {DELIVER_LARGE(WORK_NEW), RUN, DESTROY_FULL(LOCAL)}},
    {"what the server would not take is a pair once it is there",
     7,
     VARIANT_SMALL,
     {DELIVER_LARGE(INBOX), REST, AGAIN(REMOTE, 3), DELIVER(LOCAL, INBOX, 0)}},
    {"a mailbox that went while its run's deletions went there is made again",
     7,
     VARIANT_TRASH,
     {TWIN(TRASH_NEW), TWIN(WORK_NEW), REST, EXPUNGE(REMOTE, WORK), MOVE(REMOTE, TRASH, 0),
      DESTROY_TRASH(REMOTE), REST}},
    {"what a run moved to a mailbox that it made is known by that mailbox's UIDVALIDITY",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), REST, MOVE(LOCAL, INBOX, 0), DELIVER(REMOTE, INBOX, 0),
      BREAK(FAULT_LOCAL, 1), RENAME(REMOTE, WORK, TO_PLAY), TWIN(WORK_NEW)}},
    {"a message that is moved back while nobody knew that it had moved is not deleted",
     5,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), REST, MOVE(LOCAL, INBOX, 0), BREAK(FAULT_KILL, 5),
      MOVE(LOCAL, WORK, 1)}},
    {"what is yet to be made does not follow a rename",
     5,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), REST, DELIVER(REMOTE, TRASH_NEW, 0),
      RENAME(REMOTE, WORK, TO_PLAY), RENAME_BELOW(REMOTE, TRASH, WORK)}},
    {"a mailbox that takes the name above its own is not renamed to that",
     4,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), REST, RENAME(LOCAL, WORK, TO_PLAY),
      RENAME(LOCAL, PLAY, TO_WORK)}},
    {"a mailbox that goes below where another was is renamed after that one",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), RENAME(REMOTE, WORK, TO_PLAY), DELIVER(REMOTE, TRASH_NEW, 0),
      REST, RENAME(REMOTE, PLAY, TO_WORK), RENAME_BELOW(REMOTE, TRASH, PLAY)}},
    {"of two mailboxes that each go below where the other was the messages move",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, WORK_NEW, 0), DELIVER(LOCAL, TRASH_NEW, 0), REST,
      RENAME(REMOTE, TRASH, TO_ARCHIVE), RENAME_BELOW(REMOTE, WORK, TRASH),
      RENAME_BELOW(REMOTE, PLAY, WORK)}},
    {"a renamed mailbox is looked at, for a run between knew another by its old name",
     5,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, TRASH_NEW, 0), REST, SWAP(LOCAL, WORK, TRASH),
      DESTROY_FULL(REMOTE)}},
    {"what was moved on the server after its file is settled before that",
     7,
     VARIANT_NONE,
     {TWIN(TRASH_NEW), RUN, EXPUNGE(LOCAL, TRASH), AGAIN(LOCAL, 0), REST, POWER_CUT, REST}},
    {"what was moved to a mailbox of an old name is seen before anything is removed",
     5,
     VARIANT_NONE,
     {DELIVER(REMOTE, TRASH_NEW, 0), DELIVER(REMOTE, INBOX, 0), REST,
      RENAME(REMOTE, TRASH, TO_PLAY), MOVE(REMOTE, INBOX, 1)}},
    {"two mailboxes that each side has one of are made where they lack",
     7,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, TRASH_NEW, 0), REST, MOVE(LOCAL, WORK, 0),
      DESTROY(LOCAL), MOVE(REMOTE, TRASH, 1), DESTROY_TRASH(REMOTE)}},
    {"a new mailbox of the same UIDVALIDITY as one that was empty is not that one",
     9,
     VARIANT_SAME,
     {DELIVER(REMOTE, TRASH_NEW, 0), REST, EXPUNGE(REMOTE, TRASH), REST,
      {.kind = STEP_RENUMBER, .mailbox = TRASH}, DELIVER(LOCAL, TRASH_NEW, 0),
      DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, WORK_NEW, 0)}},
    {"a new mailbox with the inode of one that was empty is not that one",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, EXPUNGE(LOCAL, WORK), REST, DESTROY(LOCAL),
      DELIVER(LOCAL, TRASH_NEW, 0), DELIVER(REMOTE, WORK_NEW, 0)}},
    /* Every ninth message has none. */
    {"a message without Message-ID that came from the server is known by its id where it goes",
     11,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0),
      DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0),
      DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, WORK_NEW, 0), REST,
      MOVE(REMOTE, WORK, 0)}},
    {"a file that is back is new where a killed run had removed its message",
     5,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), REST, EXPUNGE(LOCAL, INBOX), BREAK(FAULT_KILL, 5),
      BRING_BACK(INBOX)}},
    {"a file that is back is new where a killed run had moved its message",
     5,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), REST, MOVE_ANEW(LOCAL, INBOX), BREAK(FAULT_KILL, 10),
      BRING_BACK(INBOX)}},
    {"a file is not moved to where the journal had it before the server numbered that anew",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0), MOVE(LOCAL, INBOX, 0), BRING_BACK(INBOX), REST, RENUMBER,
      EXPUNGE(LOCAL, WORK)}},
    {"a new mailbox's UIDs are not those of the one before it",
     5,
     VARIANT_NONE,
     {{.kind = STEP_DELIVER, .side = REMOTE, .mailbox = 16067},
      {.kind = STEP_MOVE, .side = REMOTE},
      {.kind = STEP_SPREAD, .side = REMOTE, .flag = 8318},
      {.kind = STEP_RUN, .fault = FAULT_KILL, .after = 18, .busy = 10298607256405431471u},
      {.kind = STEP_SPREAD, .flag = 9785}}},
    {"a file that arrives under the name of one that was just taken away is no pair yet",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, INBOX, 0),
      {.kind = STEP_MOVE, .flag = 18423},
      BRING_BACK(INBOX),
      RUN,
      {.kind = STEP_DELIVER, .mailbox = 29027},
      {.kind = STEP_RUN, .busy = 12403589608109865871u}}},
    {"a file that is a new pair where it was another one keeps its flags",
     6,
     VARIANT_POOR,
     {{.kind = STEP_DELIVER, .mailbox = 3035},
      {.kind = STEP_MOVE, .flag = 55603},
      BRING_BACK(INBOX),
      REST,
      {.kind = STEP_MOVE, .side = REMOTE, .mailbox = 46700},
      {.kind = STEP_MOVE, .flag = 38127}}},
    {"a mailbox that has another's place at the end of a run has not got its pairs",
     9,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, TRASH_NEW, 0), REST, EXPUNGE(REMOTE, TRASH),
      DELIVER(LOCAL, WORK_NEW, 0), RUN_AND(14), SWAP(REMOTE, WORK, TRASH),
      {.kind = STEP_COPY, .mailbox = WORK_NEW, .message = 2}, SHUT(REMOTE, TRASH)}},
    {"what came from a mailbox that the server does not open is no ghost's other half",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, TRASH_NEW, 0), BREAK(FAULT_KILL, 7), MOVE(LOCAL, TRASH, 0), AGAIN(REMOTE, 0),
      SHUT(REMOTE, TRASH), MOVE(REMOTE, INBOX, 1), SHUT(REMOTE, INBOX)}},
    {"a mailbox that is deleted while it is filled does not undo what came to others",
     5,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, WORK_NEW, 0), RUN_AND(14), DESTROY_FULL(LOCAL),
      EXPUNGE(LOCAL, INBOX)}},
    {"a file that is back is forgotten before it is sent",
     7,
     VARIANT_PLAIN,
     {{.kind = STEP_DELIVER, .mailbox = 8901},
      REST,
      {.kind = STEP_RUN, .fault = FAULT_POWER, .after = 3, .busy = 12654188700405128859u},
      {.kind = STEP_MOVE, .flag = 46784},
      {.kind = STEP_RUN, .busy = 15192102876527612197u},
      {.kind = STEP_RUN, .fault = FAULT_REMOTE, .unheard = 2},
      BREAK(FAULT_KILL, 8)}},
    {"a file that is back in a mailbox that the server does not open keeps its other end",
     7,
     VARIANT_NONE,
     {DELIVER(LOCAL, 29838, 0),
      RUN,
      {.kind = STEP_FLAG},
      {.kind = STEP_FLAG, .side = REMOTE, .flag = 29600},
      {.kind = STEP_MOVE, .flag = 51535},
      {.kind = STEP_RUN,
       .fault = FAULT_POWER,
       .after = 11,
       .seed = NOTHING,
       .busy = 12638636979832492579u},
      SHUT(REMOTE, 57907)}},
    {"a mailbox made anew is not known by what was seen of the one before it",
     8,
     VARIANT_SMALL,
     {DELIVER(LOCAL, 12407, 0),
      DELIVER(LOCAL, INBOX, 0),
      {.kind = STEP_RUN, .busy = 8709509200077054183u},
      {.kind = STEP_MOVE},
      {.kind = STEP_RUN, .busy = 17270366029973685279u},
      DELIVER(LOCAL, 33778, 0),
      RUN,
      {.kind = STEP_RENAME, .side = REMOTE, .mailbox = 32293, .message = 5, .flag = 35471}}},
    {"a mailbox made anew, which nobody heard of, leaves the old one's pairs under its UIDVALIDITY",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, 40593, 0),
      RUN,
      {.kind = STEP_COPY, .flag = 23329},
      {.kind = STEP_RUN, .busy = 11123335118212395201u},
      {.kind = STEP_EXPUNGE, .mailbox = 20450},
      {.kind = STEP_RUN, .fault = FAULT_REMOTE, .unheard = 1}}},
    {"two mailboxes that exchange their names on the server keep what is theirs",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), DELIVER(REMOTE, TRASH_NEW, 0), DELIVER(REMOTE, TRASH_NEW, 0),
      REST, SWAP(REMOTE, WORK, TRASH), RUN}},
    {"what was moved here before the server numbered that anew is there once",
     6,
     VARIANT_NONE,
     {DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, WORK_NEW, 0), REST, MOVE(LOCAL, INBOX, 0),
      RENUMBER, RUN}},
    {"a mailbox that comes under the name that another is to get is not taken for that",
     6,
     VARIANT_NONE,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, RENAME(REMOTE, WORK, TO_PLAY), DELIVER(LOCAL, WORK_NEW, 0),
      RUN_AND(2),
      {.kind = STEP_SPREAD, .mailbox = WORK, .message = 1, .flag = PLAY - WORK}}},
    {"what is paired in a mailbox that gets another name before it is durable is not counted on",
     7,
     VARIANT_NONE,
     {DELIVER(REMOTE, WORK_NEW, 0), REST, TWIN(WORK_NEW), RUN_AND(6), RENAME(LOCAL, WORK, TO_PLAY),
      REST, POWER_CUT}},
    {"two directories that exchange their names, and again while a run is there, are read again",
     9,
     VARIANT_FEW,
     {{.kind = STEP_TWIN, .mailbox = 21824},
      MOVE_ANEW(LOCAL, INBOX),
      {.kind = STEP_TWIN, .side = REMOTE, .mailbox = 11289},
      EXPUNGE(LOCAL, 32618),
      REST,
      {.kind = STEP_RENAME, .side = REMOTE},
      DELIVER(REMOTE, INBOX, 0),
      {.kind = STEP_RENAME, .mailbox = 346, .message = 5, .flag = 4257},
      {.kind = STEP_RUN, .busy = 13813863372765374699u}}},
    {"a mailbox that the server has again as it was is listed in full, for pairs of it are forgotten",
     7,
     VARIANT_BULKY,
     {{.kind = STEP_RUN, .busy = 18258668642025436623u},
      RUN,
      {.kind = STEP_MOVE, .mailbox = 17953, .flag = 27050},
      REST,
      {.kind = STEP_RUN, .busy = 12928663361113596839u},
      DELIVER(LOCAL, 59072, 0),
      {.kind = STEP_RUN, .busy = 6826131619711839253u}}},
};

const char *regress_history(size_t index, struct history *history)
{
	if (index >= sizeof(histories) / sizeof(*histories))
		return NULL;
	*history = (struct history){
	    .abilities = {[LOCAL] = {.atomic_move = true, .stamps = true, .inodes = true},
			  [REMOTE] = {.uidplus = true,
				      .condstore = true,
				      .qresync = true,
				      .object_ids = true,
				      .atomic_move = true}},
	    .link = true,
	    .len = histories[index].len,
	};
	memcpy(history->steps, histories[index].steps, history->len * sizeof(*history->steps));
	history->bulky = histories[index].variant == VARIANT_BULKY;
	if (histories[index].variant == VARIANT_FEW)
		history->abilities[REMOTE].lacking.bits = FLAG_FORWARDED;
	if (histories[index].variant == VARIANT_SMALL)
		history->abilities[REMOTE].append_max = HISTORY_APPEND_MAX;
	if (histories[index].variant == VARIANT_TRASH)
		history->deletion[LOCAL] = DELETION_TRASH;
	if (histories[index].variant == VARIANT_POOR)
		history->abilities[REMOTE].uidplus = history->abilities[REMOTE].object_ids = false;
	if (histories[index].variant == VARIANT_PLAIN)
		history->abilities[REMOTE] = (struct memory_abilities){.object_ids = true};
	if (histories[index].variant == VARIANT_SAME) {
		history->abilities[REMOTE].object_ids = false;
		history->abilities[REMOTE].same_validity = true;
	}
	history->steps[history->len++].kind = STEP_REST;
	return histories[index].title;
}
