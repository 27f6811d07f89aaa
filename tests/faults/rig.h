// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The whole engine in one process: a real Maildir tree and real journals in a directory of its own,
 * a server in memory, their users, and the listing of both sides that tells what a run came to.
 *
 * Messages are made of numbers (tokens), from which content and date follow; users name a message
 * by mailbox and token.
 */
#ifndef FAULTS_RIG_H
#define FAULTS_RIG_H

#include "base/buf.h"
#include "base/fault.h"
#include "mail/policy.h"
#include "scratch.h"
#include "store/store-memory.h"

#define LISTING_MAX (256 * 1024)

struct rig {
	char root[SCRATCH_PATH]; /* holds mail and state */
	struct memory *server;
	struct policy policy;
	unsigned files;   /* made by the local user */
	unsigned process; /* runs so far: each has a process id of its own */
	uint64_t seed;    /* of a scene that is drawn */
};

/* What became of a run. */
struct outcome {
	bool whole;       /* no step of it failed, in no mailbox */
	bool even;        /* and it left nothing undone */
	size_t ops;       /* planned */
	uint64_t changes; /* that the server saw */
	int left_open;    /* descriptors more than before */
	char error[2048];  /* the first, or "" */
	char struck[1024]; /* the call that was made to fail, or "" */
};

/* On a tree of its own, with nothing in it. */
void rig_open(struct rig *rig, const struct memory_abilities *abilities);
/* Removes all that is there. */
void rig_close(struct rig *rig);
/* With what is to disturb it; NULL: nothing. */
void rig_run(struct rig *rig, const struct fault_plan *plan, struct outcome *outcome);
/*
 * A line for each message of both sides, sorted: "local MAILBOX TOKEN FLAGS DATE"; and one for each
 * mailbox and each file that no run should leave.
 */
void rig_list(const struct rig *rig, struct buf *out);

void local_create(struct rig *rig, const char *mailbox);
/* flags: letters of Maildir, ASCII order; in new where there are none. */
void local_put(struct rig *rig, const char *mailbox, unsigned token, const char *flags);
void local_flag(struct rig *rig, const char *mailbox, unsigned token, const char *flags);
void local_remove(struct rig *rig, const char *mailbox, unsigned token);
void local_move(struct rig *rig, const char *mailbox, unsigned token, const char *target);
void local_copy(struct rig *rig, const char *mailbox, unsigned token, const char *target);
void local_rename(struct rig *rig, const char *mailbox, const char *target);
/* With all messages in it. */
void local_destroy(struct rig *rig, const char *mailbox);
/* Gives the letters from 'a' on to these keywords, as another program would. */
void local_name_keywords(struct rig *rig, const char *mailbox, const char *lines);

void remote_put(struct rig *rig, const char *mailbox, unsigned token, const char *flags);
/* Adds keyword, too, unless NULL. */
void remote_flag(struct rig *rig, const char *mailbox, unsigned token, const char *flags,
		 const char *keyword);
void remote_remove(struct rig *rig, const char *mailbox, unsigned token);
void remote_move(struct rig *rig, const char *mailbox, unsigned token, const char *target);
void remote_copy(struct rig *rig, const char *mailbox, unsigned token, const char *target);

#endif
