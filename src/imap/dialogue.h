// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the server said while libcurl logged in: kept whole, bounded, and read afterwards for the
 * four things that libcurl does not tell: whether the greeting was PREAUTH, how the server called
 * itself in it, which capabilities hold after the login, and in which words the login was refused.
 */
#ifndef IMAP_DIALOGUE_H
#define IMAP_DIALOGUE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define IMAP_DIALOGUE_MAX (256u << 10)

/* All server lines so far, CR LF between. */
struct imap_dialogue {
	struct buf lines;
};

/* A piece of the dialogue; pieces point into it. */
struct imap_words {
	const char *bytes;
	size_t len;
};

/* Why a login failed, as the server put it. */
enum imap_refusal {
	IMAP_REFUSAL_NONE,  /* nothing was refused: no login was tried, or the line was cut */
	IMAP_REFUSAL_LOGIN, /* NO or BAD: the user or the secret is wrong */
	IMAP_REFUSAL_LATER, /* NO that passes by itself ([UNAVAILABLE], [INUSE], [LIMIT], ...) or
			       BYE */
};

void imap_dialogue_init(struct imap_dialogue *dialogue);
void imap_dialogue_free(struct imap_dialogue *dialogue);
/* Adds what came; what is past the bound is dropped. */
void imap_dialogue_add(struct imap_dialogue *dialogue, const char *bytes, size_t len);

bool imap_dialogue_is_preauth(const struct imap_dialogue *dialogue);
/* The greeting's words, its code included; bytes NULL where none came. */
struct imap_words imap_dialogue_greeting(const struct imap_dialogue *dialogue);
/*
 * The capability atoms told in the last tagged OK, or in an untagged line after the tagged line
 * before it; bytes NULL where there were none. Those told before the login do not count.
 */
struct imap_words imap_dialogue_capabilities(const struct imap_dialogue *dialogue);
/* The capability atoms told last, at any time: for saying what a server offers before the login. */
struct imap_words imap_dialogue_offer(const struct imap_dialogue *dialogue);
/* What was refused, and the server's words for it (code and text). */
enum imap_refusal imap_dialogue_refusal(const struct imap_dialogue *dialogue,
					struct imap_words *words);

/* Whether the blank-separated atoms hold this one, in any case. */
bool imap_words_have(struct imap_words words, const char *atom);

#endif
