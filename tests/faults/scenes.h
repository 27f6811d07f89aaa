// SPDX-License-Identifier: GPL-3.0-or-later
/* What the two sides are up to when a run is stopped or fails. */
#ifndef FAULTS_SCENES_H
#define FAULTS_SCENES_H

#include "rig.h"

struct scene {
	const char *name; /* NULL: it is drawn */
	void (*before)(struct rig *rig); /* then both sides are made even; NULL: a first run */
	void (*then)(struct rig *rig);
	struct memory_abilities abilities;
	enum policy_deletion deletion;
	const char *compact_at; /* NULL: as always */
	uint64_t seed;          /* of one that is drawn */
};

extern const struct scene scenes[];
extern const size_t scenes_len;

/* Makes one of what a seed decides. */
void scene_draw(uint64_t seed, struct scene *scene);

#endif
