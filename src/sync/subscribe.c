// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/subscribe.h"

#include "base/array.h"
#include "base/log.h"

void subscribe_wish(struct channel *channel, const char *remote, bool subscribed)
{
	if (channel->setup.policy.subscriptions)
		*array_push(channel->wishes, channel->wishes_len, channel->wishes_cap) =
		    (struct wish){remote, subscribed};
}

int subscribe_apply(struct channel *channel, struct error *err)
{
	struct store *store = channel->setup.stores[REMOTE];
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < channel->wishes_len && !rc; i++) {
		const struct wish *wish = &channel->wishes[i];
		const struct request request = {.kind = REQUEST_SUBSCRIBE,
						.mailbox = wish->remote,
						.unsubscribe = !wish->subscribed};
		rc = store_submit(store, &request, err);
	}
	while (!rc && channel->wishes_len && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE)
			log_warn("%s: %s", channel->setup.name, answer.error.text);
	}
	channel->wishes_len = 0;
	return rc;
}
