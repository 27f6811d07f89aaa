// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A history: the sides, what is allowed, and the steps of users and runs, all decided by a seed. A
 * step names what it works on by a number that is taken modulo what there is, so that a history
 * still makes sense with steps left out.
 */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include "mail/policy.h"
#include "store/store-memory.h"

#include <stdint.h>
#include <stdio.h>

#define STEPS_MAX 40
/* What a server takes that does not take all; every eleventh message is larger. */
#define HISTORY_APPEND_MAX 300
/* What bulky messages have besides. */
#define HISTORY_BULK 6000

enum step_kind {
	STEP_DELIVER, /* a new message on one side */
	STEP_COPY,    /* one more of a message that exists already, anywhere */
	STEP_TWIN,    /* a new message on both sides at once */
	STEP_FLAG,    /* a flag is turned over */
	STEP_EXPUNGE,
	STEP_MOVE,     /* to another mailbox, perhaps as a new file, perhaps with another flag */
	STEP_SPREAD,   /* a message is copied to another mailbox of its side */
	STEP_CREATE,   /* a mailbox is made, perhaps one that was there before */
	STEP_DESTROY,  /* a mailbox is deleted, perhaps with all that is in it */
	STEP_RENAME,   /* a mailbox is renamed, with all below it, or two change their names */
	STEP_RESTORE,  /* what its user took away from the local side is there again */
	STEP_RENUMBER, /* the server gives a mailbox a new UIDVALIDITY */
	STEP_LOSE,     /* the journals are lost */
	STEP_RUN,      /* one run, which may break */
	STEP_REST,     /* runs until both sides are even; then they are looked at */
	STEP_KINDS,
};

enum fault {
	FAULT_NONE,
	FAULT_REMOTE, /* the line breaks */
	FAULT_LOCAL,  /* the disk fails */
	FAULT_KILL,   /* the process ends */
	FAULT_POWER,  /* and the machine with it */
	FAULT_SHUT,   /* a mailbox of one side cannot be opened in all of the run */
	FAULTS,
};

struct step {
	enum step_kind kind;
	enum side side;
	uint32_t mailbox, message, flag; /* modulo what there is; side and mailbox: of RUN too */
	/* RUN. */
	enum fault fault;
	uint32_t after;   /* steps of the stores and the journal until it strikes */
	uint32_t unheard; /* steps that are made all the same */
	uint64_t seed;    /* of a torn write and of what survives a power cut */
	uint64_t busy;    /* not 0: users are at work during the run, as this decides */
	uint32_t amid;    /* not 0: what follows is done before this step of the stores */
	bool cautious;    /* many deletions at once, and a mailbox's, are not allowed */
};

struct history {
	uint64_t seed;
	struct memory_abilities abilities[SIDES];
	enum policy_deletion deletion[SIDES];
	bool bulky; /* messages are so large that no journal costs more to read */
	bool link;  /* what the disk holds is linked, not fetched again */
	struct step steps[STEPS_MAX];
	size_t len;
};

void history_make(uint64_t seed, struct history *history);
/* A user's step, for one between runs or during one. */
struct step history_user_step(uint64_t *seed);
/* True for a step that can be done in the midst of a run. */
bool history_is_amid(const struct step *step);
void history_print_step(const struct step *step, FILE *out);
/* In words, a line for each step. */
void history_print(const struct history *history, FILE *out);

#endif
