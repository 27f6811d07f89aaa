// SPDX-License-Identifier: GPL-3.0-or-later
/* Random bytes from the kernel. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

uint64_t random_u64(void);
/* len letters of [A-Za-z0-9] and a NUL. */
void random_word(char *out, size_t len);

#endif
