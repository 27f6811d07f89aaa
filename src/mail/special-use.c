// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/special-use.h"

#include "mail/ascii.h"

#include <assert.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *word;
	unsigned use;
} uses[] = {
    {"\\All", SPECIAL_USE_ALL},       {"\\Archive", SPECIAL_USE_ARCHIVE},
    {"\\Drafts", SPECIAL_USE_DRAFTS}, {"\\Flagged", SPECIAL_USE_FLAGGED},
    {"\\Junk", SPECIAL_USE_JUNK},     {"\\Sent", SPECIAL_USE_SENT},
    {"\\Trash", SPECIAL_USE_TRASH},
};

const char special_use_words[] = "\\All, \\Archive, \\Drafts, \\Flagged, \\Junk, \\Sent, \\Trash";

/* Attributes have no case. */
unsigned special_use_of(const char *word)
{
	for (size_t i = 0; i < COUNT(uses); i++)
		if (ascii_is_word(word, strlen(word), uses[i].word))
			return uses[i].use;
	return 0;
}

/* As RFC 6154 writes it. */
const char *special_use_word(unsigned use)
{
	size_t i = 0;

	while (uses[i].use != use) {
		i++;
		assert(i < COUNT(uses));
	}
	return uses[i].word;
}
