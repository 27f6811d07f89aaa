// SPDX-License-Identifier: GPL-3.0-or-later
/* Scenes that a seed decides: no message and no mailbox is touched by two deeds that contradict. */
#include "scenes.h"

#include "chance.h"

#include <stddef.h>

#define MAILS_MAX 64
#define DEEDS_MAX 9
/* Of ten tokens one is of a message that has bare CRs, which no mail program writes. */
#define IS_RAW(token) ((token) % 10 == 7)

/* The last one is for deeds with whole mailboxes, and no other; what is there stays. */
static const char *const boxes[] = {"INBOX", "Work", "Work/deep", "Trash", "Play"};
#define BOXES 4
#define PLAY  4

static const char *const letters[] = {"", "S", "FS", "RS", "F"};
#define LETTERS (sizeof(letters) / sizeof(*letters))

struct mail {
	unsigned token;
	unsigned box;
};

struct drawn {
	struct rig *rig;
	uint64_t chance;
	unsigned token;               /* the last that was given out */
	struct mail mails[MAILS_MAX]; /* that no deed has touched yet */
	size_t len;
};

static const char *draw_letters(struct drawn *drawn)
{
	return letters[chance_below(&drawn->chance, LETTERS)];
}

/* One that either side's user may deliver. */
static unsigned next_token(struct drawn *drawn)
{
	drawn->token++;
	if (IS_RAW(drawn->token))
		drawn->token++;
	return drawn->token;
}

/* What both sides hold before anything happens: the same whenever it is drawn for a seed. */
static void draw_mails(struct rig *rig, struct drawn *drawn)
{
	*drawn = (struct drawn){.rig = rig, .chance = rig->seed};
	for (unsigned box = 0; box <= PLAY; box++)
		for (unsigned left = chance_below(&drawn->chance, box ? 5 : 9); left > 0; left--)
			drawn->mails[drawn->len++] = (struct mail){++drawn->token, box};
}

static void before(struct rig *rig)
{
	struct drawn drawn;

	draw_mails(rig, &drawn);
	for (unsigned box = 0; box <= PLAY; box++) {
		local_create(rig, boxes[box]);
		memory_create(rig->server, boxes[box], 0);
	}
	for (size_t i = 0; i < drawn.len; i++) {
		const struct mail *mail = &drawn.mails[i];
		const char *flags = draw_letters(&drawn);

		if (IS_RAW(mail->token) || chance_one_in(&drawn.chance, 2))
			remote_put(rig, boxes[mail->box], mail->token, flags);
		else
			local_put(rig, boxes[mail->box], mail->token, flags);
	}
}

/* Takes one that no deed has touched; false where none is left. */
static bool pick(struct drawn *drawn, struct mail *mail)
{
	size_t i;

	if (drawn->len == 0)
		return false;
	i = chance_below(&drawn->chance, (uint32_t)drawn->len);
	*mail = drawn->mails[i];
	drawn->mails[i] = drawn->mails[--drawn->len];
	return true;
}

/* A mailbox that is not the message's. */
static const char *draw_target(struct drawn *drawn, const struct mail *mail)
{
	unsigned hops = 1 + chance_below(&drawn->chance, BOXES - 1);

	return boxes[(mail->box + hops) % BOXES];
}

static const char *draw_box(struct drawn *drawn)
{
	return boxes[chance_below(&drawn->chance, BOXES)];
}

static void deliver(struct drawn *drawn)
{
	const char *box = draw_box(drawn), *flags = draw_letters(drawn);
	unsigned token = next_token(drawn), ways = chance_below(&drawn->chance, 5);

	if (ways != 1)
		remote_put(drawn->rig, box, token, flags);
	if (ways == 0 || ways == 1)
		local_put(drawn->rig, box, token, flags);
}

/* More than are synced one by one. */
static void deliver_many(struct drawn *drawn)
{
	const char *box = draw_box(drawn);
	bool here = chance_one_in(&drawn->chance, 2);

	for (int i = 0; i < 9; i++) {
		unsigned token = next_token(drawn);

		if (here)
			local_put(drawn->rig, box, token, draw_letters(drawn));
		else
			remote_put(drawn->rig, box, token, draw_letters(drawn));
	}
}

/* On one side, or on both. */
static void flag(struct drawn *drawn)
{
	unsigned ways = chance_below(&drawn->chance, 3);
	struct mail mail;

	if (!pick(drawn, &mail))
		return;
	if (ways != 0)
		local_flag(drawn->rig, boxes[mail.box], mail.token, draw_letters(drawn));
	if (ways != 1)
		remote_flag(drawn->rig, boxes[mail.box], mail.token, draw_letters(drawn),
			    chance_one_in(&drawn->chance, 4) ? "$Label1" : NULL);
}

/* On one side, the other re-flags it perhaps; or on both. */
static void take_away(struct drawn *drawn)
{
	unsigned ways = chance_below(&drawn->chance, 5);
	struct mail mail;

	if (!pick(drawn, &mail))
		return;
	if (ways == 3)
		local_flag(drawn->rig, boxes[mail.box], mail.token, draw_letters(drawn));
	if (ways == 4)
		remote_flag(drawn->rig, boxes[mail.box], mail.token, draw_letters(drawn), NULL);
	if (ways == 0 || ways == 1 || ways == 4)
		local_remove(drawn->rig, boxes[mail.box], mail.token);
	if (ways == 0 || ways == 2 || ways == 3)
		remote_remove(drawn->rig, boxes[mail.box], mail.token);
}

/* To another mailbox; its flags may change, too. */
static void move(struct drawn *drawn)
{
	struct mail mail;
	const char *target;

	if (!pick(drawn, &mail))
		return;
	target = draw_target(drawn, &mail);
	if (chance_one_in(&drawn->chance, 2)) {
		local_move(drawn->rig, boxes[mail.box], mail.token, target);
		if (chance_one_in(&drawn->chance, 4))
			local_flag(drawn->rig, target, mail.token, draw_letters(drawn));
	} else {
		remote_move(drawn->rig, boxes[mail.box], mail.token, target);
		if (chance_one_in(&drawn->chance, 4))
			remote_flag(drawn->rig, target, mail.token, draw_letters(drawn), NULL);
	}
}

static void copy(struct drawn *drawn)
{
	struct mail mail;
	const char *target;

	if (!pick(drawn, &mail))
		return;
	target = draw_target(drawn, &mail);
	if (IS_RAW(mail.token) || chance_one_in(&drawn->chance, 2))
		remote_copy(drawn->rig, boxes[mail.box], mail.token, target);
	else
		local_copy(drawn->rig, boxes[mail.box], mail.token, target);
}

/* What happens to a mailbox as a whole, once in a scene at most. */
static void change_mailbox(struct drawn *drawn)
{
	struct rig *rig = drawn->rig;

	switch (chance_below(&drawn->chance, 8)) {
	case 0: local_destroy(rig, boxes[PLAY]); break;
	case 1: memory_destroy(rig->server, boxes[PLAY]); break;
	case 2: memory_renumber(rig->server, boxes[PLAY]); break;
	case 3: local_create(rig, "Here/below"); break;
	case 4: memory_create(rig->server, "There/below", 0); break;
	case 6: local_rename(rig, boxes[PLAY], "Played"); break;
	case 7: memory_rename(rig->server, boxes[PLAY], "Played/deep"); break;
	default: break;
	}
}

/* How often which, in parts of all. */
static const struct {
	void (*deed)(struct drawn *drawn);
	uint32_t parts;
} deeds[] = {{deliver, 8}, {deliver_many, 1}, {flag, 7}, {take_away, 6}, {move, 7}, {copy, 3}};
#define PARTS 32

static void then(struct rig *rig)
{
	struct drawn drawn;

	draw_mails(rig, &drawn);
	drawn.chance = ~rig->seed;
	change_mailbox(&drawn);
	for (size_t i = 0; i < drawn.len;)
		if (drawn.mails[i].box == PLAY)
			drawn.mails[i] = drawn.mails[--drawn.len];
		else
			i++;
	for (unsigned left = 2 + chance_below(&drawn.chance, DEEDS_MAX - 1); left > 0; left--) {
		uint32_t part = chance_below(&drawn.chance, PARTS);
		size_t i = 0;

		while (part >= deeds[i].parts)
			part -= deeds[i++].parts;
		deeds[i].deed(&drawn);
	}
}

void scene_draw(uint64_t seed, struct scene *scene)
{
	uint64_t chance = seed ^ UINT64_C(0x5ce9e);

	*scene = (struct scene){.seed = seed, .before = before, .then = then};
	scene->abilities = (struct memory_abilities){.uidplus = !chance_one_in(&chance, 3),
						     .condstore = !chance_one_in(&chance, 3),
						     .atomic_move = !chance_one_in(&chance, 3),
						     .object_ids = !chance_one_in(&chance, 2)};
	scene->abilities.qresync = scene->abilities.condstore && !chance_one_in(&chance, 3);
	scene->deletion = chance_one_in(&chance, 4) ? DELETION_TRASH : DELETION_EXPUNGE;
	scene->compact_at = chance_one_in(&chance, 4) ? "200" : NULL;
}
