// SPDX-License-Identifier: GPL-3.0-or-later
/* Makes a history that fails as small as it can be and still fail. */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "history.h"

void shrink(struct history *history, const char *directory);

#endif
