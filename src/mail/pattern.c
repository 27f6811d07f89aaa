// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/pattern.h"

#include "mail/ascii.h"

#include <string.h>

/* How many leading bytes of the name are INBOX, so have no case. */
static size_t inbox_len(const char *name)
{
	size_t first = strcspn(name, "/");

	return ascii_is_word(name, first, "INBOX") ? first : 0;
}

/* Where a wildcard can be made to take one more byte. */
struct retry {
	const char *pattern; /* behind the wildcard; NULL: there is none */
	const char *name;    /* the first byte that it has not taken */
};

/*
 * Matches without recursion. Only the last wildcard of a kind is ever lengthened: to lengthen an
 * earlier '*' gives the later one nothing that it could not take itself, and a '%' cannot leave the
 * component in which the earlier '%' stands as well.
 */
static bool pattern_matches(const char *pattern, const char *name)
{
	const char *caseless_end = name + inbox_len(name);
	struct retry any = {0}, component = {0};

	for (;;) {
		if (*pattern == '*') {
			any = (struct retry){++pattern, name};
			component = (struct retry){0};
			continue;
		}
		if (*pattern == '%') {
			component = (struct retry){++pattern, name};
			continue;
		}
		if (*pattern == *name || (name < caseless_end && *pattern &&
					  ascii_lower(*pattern) == ascii_lower(*name))) {
			if (!*name)
				return true;
			pattern++;
			name++;
			continue;
		}
		if (component.pattern && *component.name && *component.name != '/') {
			name = ++component.name;
			pattern = component.pattern;
		} else if (any.pattern && *any.name) {
			name = ++any.name;
			pattern = any.pattern;
			component = (struct retry){0};
		} else {
			return false;
		}
	}
}

/* The pattern that decides about a mailbox, or NULL. */
static const char *find_deciding(const char *const *patterns, size_t count, const char *name)
{
	while (count--)
		if (pattern_matches(patterns[count] + (patterns[count][0] == '!'), name))
			return patterns[count];
	return NULL;
}

/* Whether the mailbox is taken in. */
bool mailbox_patterns_match(const char *const *patterns, size_t count, const char *name)
{
	const char *pattern = find_deciding(patterns, count, name);

	return pattern ? *pattern != '!' : count == 0 || patterns[0][0] == '!';
}

/* Whether it is meant. */
bool mailbox_patterns_name(const char *const *patterns, size_t count, const char *name)
{
	const char *pattern = find_deciding(patterns, count, name);

	return pattern && !strchr("!*%", *pattern);
}
