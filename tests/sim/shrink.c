// SPDX-License-Identifier: GPL-3.0-or-later
#include "shrink.h"

#include "world.h"

#include <string.h>

/* Keeps the smaller history where it fails as well. */
static bool keep(struct history *history, const struct history *smaller, const char *directory)
{
	char failure[512];

	if (history_run(smaller, directory, NULL, failure))
		return false;
	*history = *smaller;
	return true;
}

/* Leaves out chunks of len steps. */
static bool drop_chunks(struct history *history, size_t len, const char *directory)
{
	bool shrunk = false;

	for (size_t at = 0; at + len <= history->len;) {
		struct history smaller = *history;
		memmove(&smaller.steps[at], &smaller.steps[at + len],
			(smaller.len - at - len) * sizeof(*smaller.steps));
		smaller.len -= len;
		if (keep(history, &smaller, directory))
			shrunk = true;
		else
			at++;
	}
	return shrunk;
}

/* Makes one step plainer in one way; false where it is plain in that way. */
static bool plain(struct step *step, int way)
{
	const struct step before = *step;

	switch (way) {
	case 0: step->fault = FAULT_NONE; break;
	case 1: step->busy = 0; break;
	case 2: step->unheard = 0; break;
	case 3: step->after /= 2; break;
	case 4: step->flag = 0; break;
	case 5: step->mailbox = 0; break;
	case 6: step->message = 0; break;
	case 7: step->message %= 8; break;
	case 8: step->cautious = false; break;
	case 9: step->amid = 0; break;
	case 10: step->amid /= 2; break;
	default: step->seed = 3; break;
	}
	return memcmp(&before, step, sizeof(before)) != 0;
}

/* Makes steps plainer. */
static bool plain_steps(struct history *history, const char *directory)
{
	bool shrunk = false;

	for (size_t i = 0; i < history->len; i++)
		for (int way = 0; way < 12; way++) {
			struct history smaller = *history;
			if (plain(&smaller.steps[i], way))
				shrunk |= keep(history, &smaller, directory);
		}
	return shrunk;
}

/* Gives the sides all that they could have, one by one. */
static bool enable(struct history *history, const char *directory)
{
	bool shrunk = false;

	for (int way = 0; way < 13; way++) {
		struct history plainer = *history;
		struct memory_abilities *remote = &plainer.abilities[REMOTE];
		switch (way) {
		case 0: remote->uidplus = true; break;
		case 1: remote->condstore = remote->qresync = true; break;
		case 2: remote->atomic_move = true; break;
		case 3: remote->lacking.bits = 0; break;
		case 4: plainer.abilities[LOCAL].stamps = true; break;
		case 5: plainer.abilities[LOCAL].inodes = true; break;
		case 6: remote->object_ids = true; break;
		case 7: remote->append_max = 0; break;
		case 8: plainer.link = true; break;
		case 9: remote->same_validity = false; break;
		case 10: remote->lists_parents = false; break;
		case 11: plainer.deletion[LOCAL] = DELETION_EXPUNGE; break;
		default: plainer.deletion[REMOTE] = DELETION_EXPUNGE; break;
		}
		if (memcmp(&plainer, history, sizeof(plainer)) != 0)
			shrunk |= keep(history, &plainer, directory);
	}
	return shrunk;
}

void shrink(struct history *history, const char *directory)
{
	bool shrunk = true;

	while (shrunk) {
		shrunk = false;
		for (size_t len = history->len / 2; len; len /= 2)
			shrunk |= drop_chunks(history, len, directory);
		shrunk |= plain_steps(history, directory);
		shrunk |= enable(history, directory);
	}
}
