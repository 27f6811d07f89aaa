// SPDX-License-Identifier: GPL-3.0-or-later
/* What the two sides are up to when a run is stopped or fails. */
#ifndef FAULTS_SCENES_H
#define FAULTS_SCENES_H

#include "rig.h"

struct scene {
	const char *name;
	void (*before)(struct rig *rig); /* then both sides are made even; NULL: a first run */
	void (*then)(struct rig *rig);
	struct memory_abilities abilities;
	enum policy_deletion deletion;
	const char *compact_at; /* NULL: as always */
};

extern const struct scene scenes[];
extern const size_t scenes_len;

#endif
