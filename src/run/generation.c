// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/generation.h"

#include "base/log.h"
#include "base/random.h"

/* What the journals know, and what the tree says under their key. */
static int read_both(const struct account *account, struct journal_generation *known,
		     uint64_t *number, struct error *err)
{
	*number = 0;
	if (journal_dir_generation(account->journals, known, err))
		return -1;
	if (!*known->key || !account->tree)
		return 0;
	return maildir_tree_generation(account->tree, known->key, number, err);
}

int generation_is_behind(const struct account *account, bool *behind, struct error *err)
{
	struct journal_generation known;
	uint64_t number;

	if (read_both(account, &known, &number, err))
		return -1;
	*behind = number < known.number;
	return 0;
}

int generation_raise(struct account *account, struct error *err)
{
	struct journal_generation known;
	uint64_t number;

	if (read_both(account, &known, &number, err))
		return -1;
	if (!*known.key)
		random_word(known.key, JOURNAL_KEY_SIZE - 1);
	known.number = (number > known.number ? number : known.number) + 1;
	if (maildir_tree_set_generation(account->tree, known.key, known.number, err))
		return -1;
	return journal_dir_set_generation(account->journals, &known, err);
}

/*
 * Whether an operation makes the journal say what a tree of before does not hold; one that is
 * stopped says nothing.
 */
static bool adds(const struct op *op)
{
	if (op->blocked)
		return false;
	switch (op->kind) {
	case OP_PAIR:
	case OP_COPY:
	case OP_MOVE:
	case OP_CLONE:
	case OP_CREATE:
	case OP_RENAME: return true;
	default: return false;
	}
}

void generation_follow(struct account *account)
{
	const struct channel *channel = &account->channel;
	bool added = false;
	struct error err;

	for (size_t i = 0; i < channel->len && !added; i++)
		for (size_t k = 0; k < channel->boxes[i].plan.len && !added; k++)
			added = adds(&channel->boxes[i].plan.ops[k]);
	if (added && generation_raise(account, &err))
		log_warn("%s: a tree restored from a backup will not be known as such: %s",
			 account->setup.name, err.text);
}
