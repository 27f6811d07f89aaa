// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/explain.h"

#include "cmd/json-line.h"
#include "cmd/note.h"
#include "cmd/report.h"
#include "sync/head.h"

#include <stdlib.h>
#include <string.h>

/* The head of it all. */
static void begin(const struct explain_scene *scene, struct line *line)
{
	line_begin(line, "explain", scene->channel->setup.name, scene->box->name);
}

/* Opens the object of that key. */
static void begin_object(struct line *line, const char *key)
{
	json_key(&line->json, key);
	json_object(&line->json);
}

/* Opens the array of that key. */
static void begin_array(struct line *line, const char *key)
{
	json_key(&line->json, key);
	json_array(&line->json);
}

/* What one side holds of a message. */
static void put_held(struct line *line, const struct sighting *it, enum side side)
{
	const struct identity *identity = &it->identity[side];

	if (!it->there[side])
		return;
	begin_object(line, side_name(side));
	if (side == REMOTE)
		line_count(line, "uid", it->uid);
	else
		line_text(line, "name", it->name);
	line_flags(line, it->flags[side]);
	if (identity->size != SIZE_UNKNOWN)
		line_count(line, "size", identity->size);
	if (identity->date != DATE_UNKNOWN)
		line_time(line, "date", identity->date);
	json_end_object(&line->json);
}

/* What was begun with it, or went wrong. */
static void put_notes(struct line *line, const struct explain_scene *scene,
		      const struct sighting *it)
{
	size_t len;
	const struct journal_note *notes = journal_notes(scene->journal, &len);

	begin_array(line, "notes");
	for (size_t i = 0; i < len; i++) {
		if (!explain_is_note_of(&notes[i], it))
			continue;
		json_object(&line->json);
		note_put(line, &notes[i]);
		json_end_object(&line->json);
	}
	json_end_array(&line->json);
}

/* What is to be done; true where that is anything. */
static bool put_plan(struct line *line, const struct explain_scene *scene,
		     const struct sighting *it)
{
	struct op_place at = {0};
	const struct box *box;
	const struct op *op;
	bool any = false;

	begin_array(line, "plan");
	for (; (op = explain_next_op(scene, it, &at, &box)); any = true) {
		json_object(&line->json);
		report_put_op(line, scene->channel, op);
		if (box != scene->box)
			line_text(line, "from", box->name);
		line_text(line, "why", rule_text(op->rule));
		json_end_object(&line->json);
	}
	json_end_array(&line->json);
	return any;
}

/* "rule" where there is one, and "why". */
static void put_rule(struct line *line, enum rule rule, const char *text)
{
	if (rule != RULE_NONE)
		line_text(line, "rule", rule_name(rule));
	line_text(line, "why", text);
}

void explain_put_message(const struct explain_scene *scene, const struct sighting *sighting)
{
	const char *text;
	struct line line;

	begin(scene, &line);
	for (enum side side = LOCAL; side < SIDES; side++)
		put_held(&line, sighting, side);
	if (sighting->pair) {
		begin_object(&line, "journal");
		pair_put(&line, sighting->pair);
		json_end_object(&line.json);
	}
	put_notes(&line, scene, sighting);
	if (!put_plan(&line, scene, sighting)) {
		enum rule rule = explain_why_not(scene, sighting, &text);
		put_rule(&line, rule, text);
	}
	line_end(&line);
}

/* What a side's stamp tells. */
static void put_stamp(struct line *line, enum side side, const struct stamp *stamp)
{
	if (side == LOCAL) {
		line_time(line, "cur_ns", stamp->cur_ns);
		line_time(line, "new_ns", stamp->new_ns);
		return;
	}
	line_count(line, "uidvalidity", stamp->uidvalidity);
	line_count(line, "uidnext", stamp->uidnext);
	line_count(line, "highestmodseq", stamp->modseq);
	line_count(line, "messages", stamp->messages);
}

/* One side of a mailbox. */
static void put_side(struct line *line, const struct explain_scene *scene, enum side side)
{
	const struct box *box = scene->box;
	bool changed;
	const struct stamp stamp = explain_stamp(scene, side, &changed);

	begin_object(line, side_name(side));
	line_bool(line, "exists", box->exists[side]);
	if (strcmp(box->at[side], box->name) != 0)
		line_text(line, "as", box->at[side]);
	if (side == REMOTE) {
		begin_array(line, "attributes");
		for (unsigned bit = 1; bit && bit <= box->attributes; bit <<= 1)
			if (box->attributes & bit)
				json_string(&line->json, explain_attribute(bit));
		json_end_array(&line->json);
	}
	if (box->exists[side]) {
		line_bool(line, "changed", changed);
		put_stamp(line, side, &stamp);
	}
	json_end_object(&line->json);
}

/* How both stood when they were last even. */
static void put_journal(struct line *line, const struct explain_scene *scene)
{
	const struct journal_head *head = journal_head(scene->journal);

	if (!head->when)
		return;
	begin_object(line, "journal");
	line_time(line, "last_sync", head->when);
	line_bool(line, "even", head->even);
	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct stamp then = head_stamp(head, side);
		put_stamp(line, side, &then);
	}
	line_count(line, "pairs", head->pairs);
	line_count(line, "notes", head->notes);
	json_end_object(&line->json);
}

/* The plans, counted. */
static void put_counts(struct line *line, const struct explain_scene *scene)
{
	struct op_count_list list = {0};

	explain_count(scene, &list);
	begin_array(line, "plan");
	for (size_t i = 0; i < list.len; i++) {
		const struct op *op = list.rows[i].op;
		json_object(&line->json);
		line_text(line, "op", op_name(op->kind));
		line_text(line, "side", side_name(op->side));
		line_text(line, "rule", rule_name(op->rule));
		if (op->kind == OP_CLONE)
			line_text(line, "from", scene->channel->boxes[op->target].name);
		if (op->kind == OP_RENAME)
			line_text(line, "to", op->there.name);
		if (op->kind == OP_MOVE)
			line_text(line, "to", scene->channel->boxes[op->target].name);
		line_bool(line, "blocked", op->blocked);
		if (list.rows[i].from)
			line_text(line, "from", list.rows[i].from->name);
		line_text(line, "why", rule_text(op->rule));
		line_count(line, "count", list.rows[i].count);
		json_end_object(&line->json);
	}
	json_end_array(&line->json);
	free(list.rows);
}

void explain_put_mailbox(const struct explain_scene *scene)
{
	const struct box *box = scene->box;
	struct line line;

	begin(scene, &line);
	for (enum side side = LOCAL; side < SIDES; side++)
		put_side(&line, scene, side);
	put_journal(&line, scene);
	if (box->rule != RULE_NONE)
		put_rule(&line, box->rule, rule_text(box->rule));
	report_put_verdicts(&line, box);
	put_counts(&line, scene);
	line_count(&line, "refused", box->plan.refused);
	if (box->error.kind != ERROR_NONE)
		line_text(&line, "error", box->error.text);
	line_end(&line);
}
