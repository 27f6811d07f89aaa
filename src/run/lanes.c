// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/lanes.h"

#include "base/alloc.h"
#include "base/log.h"
#include "store/store-imap.h"
#include "store/store-maildir.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct pool;

struct worker {
	struct pool *pool;
	pthread_t thread;
	struct lane lane;
	uint64_t done; /* the last work that it took part in */
};

/* What is to be done. */
struct work {
	uint64_t number; /* counts up */
	void (*call)(void *context, struct lane *lane); /* NULL: nothing */
	void *context;
	unsigned busy; /* workers that are at it */
};

struct pool {
	struct lanes lanes; /* first: what the sync layer is given */
	struct lanes_setup setup;
	pthread_mutex_t lock;   /* of all below */
	pthread_cond_t changed; /* work, or the end, for workers; idleness for the main lane */
	atomic_bool over;       /* is set with the lock, and looked at by logins without */
	struct work work;
	struct worker *workers;
	unsigned len; /* threads that were begun */
};

/* Opens the lane's sessions. */
static int open_lane(struct worker *worker, struct error *err)
{
	struct pool *pool = worker->pool;
	struct keeper_login login;
	struct imap_config config;

	keeper_begin(pool->setup.keeper, &login, &config);
	config.give_up = &pool->over;
	if (store_imap_connect(worker->lane.stores[REMOTE], &config, err))
		return -1;
	worker->lane.stores[LOCAL] = store_maildir_open(pool->setup.tree, true);
	return 0;
}

static void close_lane(struct worker *worker)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		store_close(&worker->lane.stores[side]);
}

/* Waits for work that the worker has not taken part in; false where there will be none. */
static bool await_work(struct worker *worker, struct work *work)
{
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	while (!atomic_load(&pool->over) &&
	       (!pool->work.call || worker->done == pool->work.number))
		pthread_cond_wait(&pool->changed, &pool->lock);
	bool found = !atomic_load(&pool->over);
	if (found)
		pool->work.busy++;
	*work = pool->work;
	pthread_mutex_unlock(&pool->lock);
	return found;
}

/* Takes part in work, and tells when it is done. A lane that is lost is closed before. */
static void take_part(struct worker *worker, const struct work *work)
{
	struct pool *pool = worker->pool;

	work->call(work->context, &worker->lane);
	if (worker->lane.lost)
		close_lane(worker);
	pthread_mutex_lock(&pool->lock);
	worker->done = work->number;
	pool->work.busy--;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* A worker's life. */
static void *run_worker(void *context)
{
	struct worker *worker = context;
	struct pool *pool = worker->pool;
	struct error err;
	struct work work;

	if (open_lane(worker, &err) == 0) {
		while (!worker->lane.lost && await_work(worker, &work))
			take_part(worker, &work);
	} else if (!atomic_load(&pool->over)) {
		log_info("%s: goes on with fewer connections: %s", pool->setup.name, err.text);
	}
	close_lane(worker);
	return NULL;
}

/* Begins one more thread. Signals stay with those who wait for them. */
static int begin_worker(struct pool *pool)
{
	struct worker *worker = &pool->workers[pool->len];
	sigset_t all, before;

	*worker = (struct worker){.pool = pool, .lane.extra = true};
	worker->lane.stores[REMOTE] = store_imap_twin(pool->setup.remote);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&worker->thread, NULL, run_worker, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		log_info("%s: goes on with fewer connections: no thread: %s", pool->setup.name,
			 strerror(rc));
		close_lane(worker);
		return -1;
	}
	pool->len++;
	return 0;
}

/* Those that stand already take part, however many are asked for. */
static void lanes_begin(struct lanes *lanes, unsigned count,
			void (*call)(void *context, struct lane *lane), void *context)
{
	struct pool *pool = (struct pool *)lanes;

	pthread_mutex_lock(&pool->lock);
	pool->work.number++;
	pool->work.call = call;
	pool->work.context = context;
	while (pool->len < count && pool->len < lanes->max && begin_worker(pool) == 0)
		;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

/* Who is still logging in comes too late. */
static void lanes_end(struct lanes *lanes)
{
	struct pool *pool = (struct pool *)lanes;

	pthread_mutex_lock(&pool->lock);
	pool->work.call = NULL;
	while (pool->work.busy)
		pthread_cond_wait(&pool->changed, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

struct lanes *lanes_open(const struct lanes_setup *setup)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	pool->lanes = (struct lanes){.max = setup->max, .begin = lanes_begin, .end = lanes_end};
	pool->setup = *setup;
	pool->workers = xcalloc(setup->max, sizeof(*pool->workers));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	return &pool->lanes;
}

void lanes_close(struct lanes **lanes)
{
	struct pool *pool = (struct pool *)*lanes;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->over, true);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->len; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool);
	*lanes = NULL;
}
