// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two messages may be one unless the first property that is known of both differs; where there is
 * none they may be, too. Which properties are known makes a few kinds of messages. So the keys of
 * all copies that wait are in one map, each under its kind, and each removal is looked up once for
 * each kind that there is.
 */
#include "sync/guard.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which they decide. */
enum property {
	EMAIL_ID,
	DIGEST,
	MESSAGE_ID,
	SIZE,
	PROPERTIES,
};

#define KINDS (1u << PROPERTIES)

/* One property of a message of one kind; its bytes are the key. */
struct key {
	uint32_t kind;
	uint32_t property;
	struct digest value; /* or a number in its first bytes */
};

struct waiting {
	struct key *keys;
	size_t len, cap;
	struct map map;
	bool kinds[KINDS];
};

/* Which properties are known, as bits. */
static unsigned kind_of(const struct identity *identity)
{
	bool has_digest = identity->has_digest && digest_is_known(&identity->digest);

	return (unsigned)(identity->email_id != 0) << EMAIL_ID | (unsigned)has_digest << DIGEST |
	       (unsigned)(identity->message_id != 0) << MESSAGE_ID |
	       (unsigned)(identity->size != SIZE_UNKNOWN) << SIZE;
}

static struct key key_of(const struct identity *identity, unsigned kind, enum property property)
{
	const uint64_t numbers[] = {[EMAIL_ID] = identity->email_id,
				    [MESSAGE_ID] = identity->message_id,
				    [SIZE] = identity->size};
	struct key key = {.kind = kind, .property = property};

	if (property == DIGEST)
		key.value = identity->digest;
	else
		memcpy(&key.value, &numbers[property], sizeof(*numbers));
	return key;
}

/* Takes up what waits to be copied to side. */
static void collect(const struct planner_box *boxes, size_t len, enum side side,
		    struct waiting *waiting)
{
	for (size_t i = 0; i < len; i++) {
		const struct plan *plan = boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			const struct op *op = &plan->ops[k];
			if (op->kind != OP_COPY || op->side != side || !op->blocked)
				continue;
			const struct identity identity = plan_identity(op);
			unsigned kind = kind_of(&identity);
			waiting->kinds[kind] = true;
			for (enum property property = 0; property < PROPERTIES; property++)
				if (kind & 1u << property)
					*array_push(waiting->keys, waiting->len, waiting->cap) =
					    key_of(&identity, kind, property);
		}
	}
	for (size_t i = 0; i < waiting->len; i++)
		map_put(&waiting->map, (const char *)&waiting->keys[i], sizeof(*waiting->keys), i);
}

/* Whether any that waits may be that message. */
static bool is_awaited(const struct waiting *waiting, const struct identity *identity)
{
	unsigned own = kind_of(identity);

	for (unsigned kind = 0; kind < KINDS; kind++) {
		enum property property = 0;
		size_t index;
		if (!waiting->kinds[kind])
			continue;
		while (property < PROPERTIES && !(own & kind & 1u << property))
			property++;
		if (property == PROPERTIES)
			return true;
		const struct key key = key_of(identity, kind, property);
		if (map_get(&waiting->map, (const char *)&key, sizeof(key), &index))
			return true;
	}
	return false;
}

/* Blocks on side what may be among them. */
static void block_removals(const struct planner_box *box, enum side side,
			   const struct waiting *waiting)
{
	for (size_t i = 0; i < box->plan->len; i++) {
		struct op *op = &box->plan->ops[i];
		if (!op_removes(op, side))
			continue;
		const struct pair *pair = planner_pair(&box->input, op->uid);
		const struct identity identity = pair ? pair_identity(pair) : (struct identity){0};
		op->blocked |= pair && is_awaited(waiting, &identity);
	}
}

void guard_block_departures(const struct planner_box *boxes, size_t len)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct waiting waiting = {0};
		collect(boxes, len, side, &waiting);
		for (size_t i = 0; i < len; i++)
			block_removals(&boxes[i], side, &waiting);
		free(waiting.keys);
		map_free(&waiting.map);
	}
}
