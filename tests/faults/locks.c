// SPDX-License-Identifier: GPL-3.0-or-later
#include "locks.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#define HELD_MAX 8

static pthread_mutex_t *held[HELD_MAX];
static size_t held_len;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int rc = __real_pthread_mutex_lock(mutex);

	assert(held_len < HELD_MAX);
	held[held_len++] = mutex;
	return rc;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	for (size_t i = 0; i < held_len; i++)
		if (held[i] == mutex) {
			held[i] = held[--held_len];
			break;
		}
	return __real_pthread_mutex_unlock(mutex);
}

void locks_release(void)
{
	while (held_len > 0)
		__real_pthread_mutex_unlock(held[--held_len]);
}
