// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A run that dies in memory that others share leaves locked what it had locked. Runs here have one
 * thread.
 */
#ifndef FAULTS_LOCKS_H
#define FAULTS_LOCKS_H

/* Unlocks what the dead held. */
void locks_release(void);

#endif
