// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include <stdlib.h>

void channel_open(struct channel *channel, const struct channel_setup *setup)
{
	*channel = (struct channel){.setup = *setup, .lock = PTHREAD_MUTEX_INITIALIZER};
}

void channel_close(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		box_free(&channel->boxes[i]);
	free(channel->boxes);
	free(channel->left_out);
	free(channel->wishes);
	arena_free(&channel->arena);
	*channel = (struct channel){0};
}
