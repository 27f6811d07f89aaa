// SPDX-License-Identifier: GPL-3.0-or-later
/* Histories that went wrong once, made small and kept. */
#ifndef SIM_REGRESS_H
#define SIM_REGRESS_H

#include "history.h"

/* The index-th, and what it is about; NULL past the last. */
const char *regress_history(size_t index, struct history *history);

#endif
