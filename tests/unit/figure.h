// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What suites count for the end of a run's output, and how much longer tests/soak lets them work:
 * the same as tests/e2e/figures.py.
 */
#ifndef UNIT_FIGURE_H
#define UNIT_FIGURE_H

#include <stdint.h>

/* Appends a line to the file that EVENMAIL_FIGURES names, if it does: tests/run sums them. */
void figure_note(const char *suite, uint64_t count, const char *what);
/* The count, times what EVENMAIL_SOAK says. */
uint64_t figure_longer(uint64_t count);
/* Where a suite's seeds begin: others for each EVENMAIL_SEED, always the same without one. */
uint64_t figure_seed(uint64_t first);

#endif
