// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/keeper.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct keeper {
	const struct imap_config *config;
	pthread_mutex_t lock;
	char *secret; /* NULL: none yet */
	size_t len;
};

struct keeper *keeper_open(const struct imap_config *config)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));

	keeper->config = config;
	pthread_mutex_init(&keeper->lock, NULL);
	return keeper;
}

/* Wipes what is kept. */
static void forget(struct keeper *keeper)
{
	if (!keeper->secret)
		return;
	explicit_bzero(keeper->secret, keeper->len);
	munmap(keeper->secret, keeper->len);
	keeper->secret = NULL;
}

/* Keeps a secret. Without a page for it every login asks for itself. */
static void keep(struct keeper *keeper, const char *secret, size_t len)
{
	void *page;

	forget(keeper);
	if (!len)
		return;
	page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	/* Each of the three is one more wall; where the system has no such wall it is left out. */
	mlock(page, len);
	madvise(page, len, MADV_DONTDUMP);
	madvise(page, len, MADV_WIPEONFORK);
	memcpy(page, secret, len);
	keeper->secret = page;
	keeper->len = len;
}

/* imap/session.h's way to a secret. Those who come while the command runs wait for it. */
static int get_secret(void *context, bool token, struct buf *out, struct error *err)
{
	struct keeper_login *login = context;
	struct keeper *keeper = login->keeper;
	const struct imap_config *config = keeper->config;
	size_t before = out->len;
	int rc;

	pthread_mutex_lock(&keeper->lock);
	if (keeper->secret && !login->asked) {
		rc = buf_append(out, keeper->secret, keeper->len);
	} else {
		rc = config->secret(config->secret_context, token, out, err);
		if (!rc)
			keep(keeper, out->data + before, out->len - before);
	}
	login->asked = true;
	pthread_mutex_unlock(&keeper->lock);
	return rc;
}

void keeper_begin(struct keeper *keeper, struct keeper_login *login, struct imap_config *config)
{
	*login = (struct keeper_login){.keeper = keeper};
	*config = *keeper->config;
	if (!config->secret)
		return;
	config->secret = get_secret;
	config->secret_context = login;
}

void keeper_close(struct keeper **keeper)
{
	if (!*keeper)
		return;
	forget(*keeper);
	pthread_mutex_destroy(&(*keeper)->lock);
	free(*keeper);
	*keeper = NULL;
}
