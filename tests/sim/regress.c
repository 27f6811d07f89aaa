// SPDX-License-Identifier: GPL-3.0-or-later
#include "regress.h"

#include <string.h>

/* What a step names: see pick_mailbox() and pick() in world.c. */
#define INBOX    0
#define WORK_NEW 5 /* to deliver to */
#define WORK     1 /* to work in */

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
#define BREAK(how, steps)                                                                          \
	{                                                                                          \
		.kind = STEP_RUN, .fault = (how), .after = (steps), .seed = NOTHING                \
	}
#define POWER_CUT BREAK(FAULT_POWER, 0)
#define RUN                                                                                        \
	{                                                                                          \
		.kind = STEP_RUN                                                                   \
	}
#define RENUMBER                                                                                   \
	{                                                                                          \
		.kind = STEP_RENUMBER                                                              \
	}
#define REST                                                                                       \
	{                                                                                          \
		.kind = STEP_REST                                                                  \
	}

#define REGRESS_STEPS 10

/* Each ends in a REST besides. */
static const struct {
	const char *title;
	size_t len;
	struct step steps[REGRESS_STEPS];
} histories[] = {
    {"what a stopped run put in place is settled before it is a pair",
     6,
     {DELIVER(REMOTE, INBOX, 0), DELIVER(REMOTE, INBOX, 0), BREAK(FAULT_LOCAL, 5), REST, POWER_CUT,
      REST}},
    {"what a mail program delivered is settled before the server has it",
     4,
     {DELIVER(LOCAL, INBOX, 0), REST, POWER_CUT, REST}},
    {"a removal by a run that was killed is settled before it is forgotten",
     6,
     {DELIVER(REMOTE, INBOX, 0), REST, EXPUNGE(REMOTE, INBOX), BREAK(FAULT_KILL, 1), RUN,
      POWER_CUT}},
    {"flags that a killed run set are settled before they are agreed on",
     7,
     {DELIVER(REMOTE, INBOX, 0), REST, FLAG(REMOTE, 4), BREAK(FAULT_KILL, 2), RUN, POWER_CUT,
      REST}},
    {"a removal that could not be settled is not committed",
     6,
     {DELIVER(REMOTE, INBOX, 0), REST, EXPUNGE(REMOTE, INBOX), BREAK(FAULT_LOCAL, 1), POWER_CUT,
      REST}},
    {"a reset journal is not committed without its pairs",
     7,
     {DELIVER(LOCAL, INBOX, FLAG_SEEN | FLAG_FLAGGED), REST, RENUMBER, DELIVER(REMOTE, WORK_NEW, 0),
      BREAK(FAULT_LOCAL, 1), FLAG(REMOTE, 1), REST}},
    {"an even and empty mailbox that one side lost is made again",
     6,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, EXPUNGE(LOCAL, WORK), REST, DESTROY(LOCAL), REST}},
    {"a mailbox that both sides lost is forgotten",
     8,
     {DELIVER(LOCAL, WORK_NEW, 0), REST, EXPUNGE(LOCAL, WORK), EXPUNGE(REMOTE, WORK),
      DESTROY(LOCAL), DESTROY(REMOTE), REST, REST}},
};

const char *regress_history(size_t index, struct history *history)
{
	if (index >= sizeof(histories) / sizeof(*histories))
		return NULL;
	*history = (struct history){
	    .abilities = {[LOCAL] = {.atomic_move = true, .stamps = true},
			  [REMOTE] = {.uidplus = true,
				      .condstore = true,
				      .qresync = true,
				      .atomic_move = true}},
	    .len = histories[index].len,
	};
	memcpy(history->steps, histories[index].steps, history->len * sizeof(*history->steps));
	history->steps[history->len++].kind = STEP_REST;
	return histories[index].title;
}
