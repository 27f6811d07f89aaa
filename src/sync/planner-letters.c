// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Each local mailbox has a table of its own that says which keyword a letter in a file's name means
 * (maildir/keywords.h). A mail program that moves a file knows nothing of it and takes the letters
 * along: by the table of where it came to they are other keywords, which nobody gave it.
 */
#include "sync/planner.h"

/* Whether a letter is among those of a message's keywords. */
static bool is_set(struct flags letter, uint32_t keywords)
{
	return letter.keywords && !keywords_minus(letter.keywords, keywords);
}

bool planner_letters_came_along(const struct flags *from, const struct flags *to, uint32_t agreed,
				uint32_t read)
{
	if (!from || !to)
		return false;
	for (size_t i = 0; i < KEYWORD_LETTERS; i++)
		if (to[i].keywords && is_set(from[i], agreed) != is_set(to[i], read))
			return false;
	return true;
}
