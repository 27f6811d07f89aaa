// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/keywords.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "mail/ascii.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX ((size_t)4 << 20) /* of all sets together: 8 MiB */

struct word {
	const char *name;
	const char *folded;
};

/* Members ascending by their folded names. */
struct set {
	uint16_t *members;
	size_t len;
};

/* All words and sets that were ever seen; nothing leaves it, so what was read of it stays. */
static struct {
	pthread_mutex_t lock;
	struct word words[KEYWORDS_MAX];
	size_t words_len;
	struct map by_name;
	struct set *sets; /* that of number n is sets[n - 1] */
	size_t len, cap;
	struct map by_members;
	size_t members;
	bool warned_of_words;
	bool warned_of_sets;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* RFC 9051: flag-keyword is an atom. */
bool keywords_is_name(const char *name, size_t len)
{
	if (!len || len > KEYWORD_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ascii_is_printable(name[i]) || strchr(" (){%*\"\\]", name[i]))
			return false;
	return true;
}

/* Warns once: a server that floods is not to flood the log as well. */
static void warn_once(bool *warned, const char *what, unsigned max)
{
	if (!*warned)
		log_warn("there are more than %u %s: the rest is left alone", max, what);
	*warned = true;
}

/* The number of a word, KEYWORDS_MAX where there is no room for a new one. */
static size_t find_word(const char *name, size_t len)
{
	char folded[KEYWORD_BYTES_MAX + 1];
	size_t index;

	for (size_t i = 0; i < len; i++)
		folded[i] = ascii_lower(name[i]);
	if (map_get(&table.by_name, folded, len, &index))
		return index;
	if (table.words_len == KEYWORDS_MAX) {
		warn_once(&table.warned_of_words, "different keywords", KEYWORDS_MAX);
		return KEYWORDS_MAX;
	}
	table.words[table.words_len] =
	    (struct word){.name = xstrndup(name, len), .folded = xstrndup(folded, len)};
	map_put(&table.by_name, table.words[table.words_len].folded, len, table.words_len);
	return table.words_len++;
}

/* The number of the set of these members. */
static uint32_t find_set(const uint16_t *members, size_t len)
{
	const char *key = (const char *)members;
	size_t size = len * sizeof(*members), index;

	if (!len)
		return 0;
	if (map_get(&table.by_members, key, size, &index))
		return (uint32_t)index;
	if (table.len == KEYWORDS_SETS_MAX || table.members + len > MEMBERS_MAX) {
		warn_once(&table.warned_of_sets, "different sets of keywords", KEYWORDS_SETS_MAX);
		return KEYWORDS_UNKNOWN;
	}
	struct set set = {.members = xmalloc(size), .len = len};
	memcpy(set.members, members, size);
	*array_push(table.sets, table.len, table.cap) = set;
	table.members += len;
	map_put(&table.by_members, (const char *)set.members, size, table.len);
	return (uint32_t)table.len;
}

/* The set of a number. */
static struct set get_set(uint32_t number)
{
	return number && number <= table.len ? table.sets[number - 1] : (struct set){0};
}

uint32_t keywords_of(const char *name, size_t len)
{
	uint32_t set = 0;

	if (!keywords_is_name(name, len))
		return 0;
	pthread_mutex_lock(&table.lock);
	size_t word = find_word(name, len);
	if (word < KEYWORDS_MAX)
		set = find_set(&(uint16_t){(uint16_t)word}, 1);
	pthread_mutex_unlock(&table.lock);
	return set;
}

/* What of two sets goes into a third. */
enum part {
	ONLY_A = 1,
	ONLY_B = 2,
	BOTH = 4,
};

/* Walks two ascending lists at once; the number of members, or KEYWORDS_SET_MAX + 1. */
static size_t walk(const struct set *a, const struct set *b, unsigned parts,
		   uint16_t out[KEYWORDS_SET_MAX])
{
	size_t i = 0, k = 0, len = 0;

	while (i < a->len || k < b->len) {
		int order = i == a->len   ? 1
			    : k == b->len ? -1
					  : strcmp(table.words[a->members[i]].folded,
						   table.words[b->members[k]].folded);
		enum part part = order < 0 ? ONLY_A : order > 0 ? ONLY_B : BOTH;
		uint16_t member = order <= 0 ? a->members[i] : b->members[k];
		i += order <= 0;
		k += order >= 0;
		if (!(parts & part))
			continue;
		if (len == KEYWORDS_SET_MAX)
			return KEYWORDS_SET_MAX + 1;
		out[len++] = member;
	}
	return len;
}

/* Makes a third of two. */
static uint32_t combine(uint32_t a, uint32_t b, unsigned parts)
{
	uint16_t members[KEYWORDS_SET_MAX];
	uint32_t made = KEYWORDS_UNKNOWN;

	if (a == KEYWORDS_UNKNOWN || b == KEYWORDS_UNKNOWN)
		return KEYWORDS_UNKNOWN;
	pthread_mutex_lock(&table.lock);
	const struct set left = get_set(a), right = get_set(b);
	size_t len = walk(&left, &right, parts, members);
	if (len <= KEYWORDS_SET_MAX)
		made = find_set(members, len);
	pthread_mutex_unlock(&table.lock);
	return made;
}

uint32_t keywords_union(uint32_t a, uint32_t b)
{
	if (a == b || !b)
		return a;
	return a ? combine(a, b, ONLY_A | ONLY_B | BOTH) : b;
}

uint32_t keywords_minus(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return a;
	return a == b && a != KEYWORDS_UNKNOWN ? 0 : combine(a, b, ONLY_A);
}

uint32_t keywords_intersect(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return 0;
	return a == b ? a : combine(a, b, BOTH);
}

uint32_t keywords_differ(uint32_t a, uint32_t b)
{
	return a == b && a != KEYWORDS_UNKNOWN ? 0 : combine(a, b, ONLY_A | ONLY_B);
}

/* A keyword that a side changed is flipped, and two sides that changed it agree. */
uint32_t keywords_merge(uint32_t base, uint32_t local, uint32_t remote)
{
	uint32_t changed =
	    keywords_union(keywords_differ(base, local), keywords_differ(base, remote));

	return keywords_differ(base, changed);
}

size_t keywords_count(uint32_t set)
{
	if (!set)
		return 0;
	pthread_mutex_lock(&table.lock);
	size_t len = get_set(set).len;
	pthread_mutex_unlock(&table.lock);
	return len;
}

const char *keywords_name(uint32_t set, size_t index)
{
	pthread_mutex_lock(&table.lock);
	const struct set found = get_set(set);
	const char *name = index < found.len ? table.words[found.members[index]].name : "";
	pthread_mutex_unlock(&table.lock);
	return name;
}

bool keywords_left_out(void)
{
	pthread_mutex_lock(&table.lock);
	bool left_out = table.warned_of_words || table.warned_of_sets;
	pthread_mutex_unlock(&table.lock);
	return left_out;
}

void keywords_put(struct buf *out, uint32_t set, const char *before)
{
	size_t count = keywords_count(set);

	for (size_t i = 0; i < count; i++) {
		buf_puts(out, before);
		buf_puts(out, keywords_name(set, i));
	}
}

/* Whether a name comes after another one in the order of sets. */
static bool is_after(const char *name, size_t len, const char *last, size_t last_len)
{
	size_t i = 0;

	while (i < len && i < last_len && ascii_lower(name[i]) == ascii_lower(last[i]))
		i++;
	if (i == len || i == last_len)
		return len > last_len;
	return ascii_lower(name[i]) > ascii_lower(last[i]);
}

bool keywords_from_text(const char *text, size_t len, char before, uint32_t *set)
{
	const char *end = text + len, *last = text;
	size_t last_len = 0;

	*set = 0;
	while (text < end) {
		if (*text != before)
			return false;
		text++;
		const char *next = memchr(text, before, (size_t)(end - text));
		size_t name_len = (size_t)((next ? next : end) - text);
		if (!keywords_is_name(text, name_len) || !is_after(text, name_len, last, last_len))
			return false;
		*set = keywords_union(*set, keywords_of(text, name_len));
		last = text;
		last_len = name_len;
		text += name_len;
	}
	return true;
}
