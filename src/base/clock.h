// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The two clocks: one for time-outs, one for stamps that other programs see.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds that never go back (CLOCK_MONOTONIC). */
int64_t clock_ms(void);
/* Nanoseconds since the epoch, coarse as the kernel stamps files (CLOCK_REALTIME_COARSE). */
int64_t clock_wall_ns(void);
/* The whole time, whatever signals come: who must be stoppable polls stop_fd() with a time-out. */
void clock_sleep_ms(unsigned ms);

#endif
