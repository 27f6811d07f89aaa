// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where a test can stop a run. Each durable step and each message to the server passes a named
 * point just before and just after its effect. In a build with --enable-faults the environment
 * decides: EVENMAIL_STOP_AT=n ends the process by SIGKILL at the n-th point passed, and
 * EVENMAIL_STOP_COUNT=FILE has the number of points passed written there at exit. Bounds that only
 * large mailboxes would reach can be set there, too, for small ones to do. Any other build contains
 * nothing of it.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef EVENMAIL_FAULTS
#include <stdint.h>

void fault_point(const char *name);
/* The number that the environment has under that name, else the bound. */
uint64_t fault_bound(const char *name, uint64_t bound);
#else
#define fault_point(name)        ((void)0)
#define fault_bound(name, bound) (bound)
#endif

#endif
