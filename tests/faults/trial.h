// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One trial, in a process of its own: sets a scene, lets a run be stopped or fail, lets two more
 * run undisturbed, and holds what they end with against the end of a scene that nothing disturbed.
 */
#ifndef FAULTS_TRIAL_H
#define FAULTS_TRIAL_H

#include "scenes.h"

#include <stdbool.h>
#include <stdint.h>

/* What disturbs a run. */
struct way {
	const char *name;
	const char *with;  /* of struct fault_plan; NULL: a stop */
	const char *where; /* of struct fault_plan */
	int sys;           /* what the error must tell; 0: nobody may hear of it */
	bool stop;         /* it ends by SIGKILL, */
	bool again;        /* and so does the run after it, somewhere; */
	bool dies;         /* or it ends by itself, for want of memory */
};

extern const struct way ways[];
extern const size_t ways_len;

struct trial {
	const struct scene *scene;
	const struct way *way;
	uint64_t at;
	bool loud; /* all that is logged is shown */
};

struct verdict {
	bool struck;         /* false: the run passed fewer of them */
	unsigned lost;       /* messages, after the next run */
	unsigned doubled;
	bool stuck;          /* later runs end with an error */
	char failure[2048];  /* what is wrong, or "" */
	char where[1024];    /* the call that failed */
	char error[2048];     /* what the run said to it */
};

void trial_run(const struct trial *trial, struct verdict *verdict);

#endif
