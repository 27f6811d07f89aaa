// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where a test can stop a run. Each durable step and each message to the server passes a named
 * point just before and just after its effect. In a build with --enable-faults the environment
 * decides: EVENMAIL_STOP_AT=n ends the process by SIGKILL at the n-th point passed, and
 * EVENMAIL_STOP_COUNT=FILE has the number of points passed written there at exit. Any other build
 * contains nothing of it.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef EVENMAIL_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
