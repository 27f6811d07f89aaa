// SPDX-License-Identifier: GPL-3.0-or-later
#include "planner-case.h"

#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELDS_MAX 32

/* Where the reader is, for messages. */
struct place {
	const char *file;
	int line;
};

/* A case that cannot be read is a failure, never skipped. */
static void refuse(const struct place *place, const char *what, const char *text)
{
	fail_msg("%s:%d: %s: %s", place->file, place->line, what, text);
}

struct policy case_policy(void)
{
	return (struct policy){.change = {CHANGE_ALL, CHANGE_ALL},
			       .deletion = {DELETION_EXPUNGE, DELETION_EXPUNGE},
			       .safety_percent = POLICY_SAFETY_PERCENT,
			       .safety_count = POLICY_SAFETY_COUNT,
			       .link = true};
}

struct planner_case case_begin(const char *file, int line, char *title)
{
	return (struct planner_case){.file = file,
				     .line = line,
				     .title = title,
				     .policy = case_policy(),
				     .permanent = {{.bits = FLAG_ALL, .any_keyword = true},
						   {.bits = FLAG_ALL, .any_keyword = true}},
				     .boxes_len = 1};
}

const char *case_row_name(const struct planner_case *it, const struct case_row *row,
			  struct arena *arena)
{
	const char *box = it->boxes[row->box].name;

	return arena_printf(arena, "%s%s%u", box ? box : "", box ? "/" : "", row->id);
}

/* Reads letters up to a mark or the end; '.' is none. Returns what follows. */
static const char *read_flags(const struct place *place, const char *text, struct flags *out)
{
	size_t len = strcspn(text, "!?@>~^");
	uint32_t keywords;
	bool others;

	*out = (struct flags){0};
	if (len == 1 && *text == '.')
		return text + 1;
	size_t letters = strcspn(text, "*!?@>~^");
	*out = flags_from_letters(text, letters, &others);
	if (others || !len || !keywords_from_text(text + letters, len - letters, '*', &keywords))
		refuse(place, "no flags", text);
	out->keywords = keywords;
	return text + len;
}

/* "!L", "!R": bits of sides. */
static unsigned read_gone(const struct place *place, const char *text)
{
	unsigned gone = 0;

	for (; *text; text += 2) {
		if (text[0] != '!' || (text[1] != 'L' && text[1] != 'R'))
			refuse(place, "no gone mark", text);
		gone |= 1u << (text[1] == 'L' ? LOCAL : REMOTE);
	}
	return gone;
}

/* What one side holds. */
static struct case_side read_side(const struct place *place, const char *text)
{
	struct case_side side = {.there = true, .floor = 1};

	if (!strcmp(text, "-"))
		return (struct case_side){0};
	if (!strncmp(text, "-^", 2)) {
		side.there = false;
		text++;
	} else if (!strncmp(text, "ghost", 5)) {
		side.ghost = true;
		text += 5;
	} else {
		text = read_flags(place, text, &side.flags);
	}
	if (*text == '^')
		side.former = true;
	if (*text == '@' || side.former)
		text = read_flags(place, text + 1, &side.remembered);
	if (side.former && *text == '!') {
		side.gone = read_gone(place, text);
		return side;
	}
	if (side.ghost)
		side.flags = side.remembered;
	if (!strncmp(text, ">=", 2))
		side.floor = (uint32_t)strtoul(text + 2, (char **)&text, 10);
	if (*text == '?') {
		side.refused = true;
		text++;
	}
	if (*text)
		refuse(place, "left over", text);
	return side;
}

/* "new,flags": bits of enum policy_change. */
static unsigned read_changes(const struct place *place, char *text)
{
	static const char *const names[] = {"new", "flags", "deletions", "mailboxes"};
	unsigned change = 0;
	char *rest = text;

	for (char *name; (name = strsep(&rest, ",")) && *name;) {
		unsigned bit = 0;
		for (unsigned i = 0; i < 4; i++)
			if (!strcmp(name, names[i]))
				bit = 1u << i;
		if (!bit)
			refuse(place, "no change", name);
		change |= bit;
	}
	return change;
}

/* The flags that a side can keep. */
static void read_room(const struct place *place, char *text, struct flag_room *room)
{
	struct flags flags;
	size_t len = strlen(text);

	*room = (struct flag_room){0};
	if (len > 2 && (!strcmp(text + len - 2, "**") || !strcmp(text + len - 2, "?*"))) {
		room->any_keyword = true;
		room->mute = text[len - 2] == '?';
		text[len - 2] = '\0';
	}
	if (*read_flags(place, text, &flags))
		refuse(place, "left over", text);
	room->bits = flags.bits;
	room->keywords = flags.keywords;
}

static enum policy_deletion read_deletion(const struct place *place, const char *text)
{
	if (!strcmp(text, "expunge"))
		return DELETION_EXPUNGE;
	if (!strcmp(text, "trash"))
		return DELETION_TRASH;
	if (strcmp(text, "keep") != 0)
		refuse(place, "no deletion", text);
	return DELETION_KEEP;
}

/* "50,20": the guard's bounds, and that there is a guard. */
static void read_safety(const struct place *place, struct planner_case *it, const char *text)
{
	if (sscanf(text, "%u,%u", &it->policy.safety_percent, &it->policy.safety_count) != 2)
		refuse(place, "no percent,count", text);
	it->guarded = true;
}

/* One "key=value" of a policy or permanent line. */
static void read_setting(const struct place *place, struct planner_case *it, bool policy,
			 char *setting)
{
	char *value = setting;
	const char *key = strsep(&value, "=");

	if (!value)
		refuse(place, "no key=value", setting);
	else if (policy && !strcmp(key, "pull"))
		it->policy.change[LOCAL] = read_changes(place, value);
	else if (policy && !strcmp(key, "push"))
		it->policy.change[REMOTE] = read_changes(place, value);
	else if (policy && !strcmp(key, "safety"))
		read_safety(place, it, value);
	else if (policy && !strcmp(key, "link"))
		it->policy.link = !strcmp(value, "yes");
	else if (policy && !strcmp(key, "local"))
		it->policy.deletion[LOCAL] = read_deletion(place, value);
	else if (policy && !strcmp(key, "remote"))
		it->policy.deletion[REMOTE] = read_deletion(place, value);
	else if (!policy && !strcmp(key, "local"))
		read_room(place, value, &it->permanent[LOCAL]);
	else if (!policy && !strcmp(key, "remote"))
		read_room(place, value, &it->permanent[REMOTE]);
	else
		refuse(place, "no such setting", key);
}

/* The part after ':'. */
static void read_expected(const struct place *place, struct arena *arena, struct case_row *row,
			  char *text)
{
	char *rest = text;

	for (char *op; (op = strsep(&rest, ";"));) {
		while (*op == ' ')
			op++;
		for (size_t len = strlen(op); len && op[len - 1] == ' ';)
			op[--len] = '\0';
		if (!*op)
			refuse(place, "an empty expectation", text);
		row->rules |= 1u << case_rule(op);
		if (strcmp(op, "nothing") != 0 && strcmp(op, "M8") != 0 && strcmp(op, "M9") != 0)
			*array_push(row->expected, row->expected_len, row->expected_cap) =
			    arena_strdup(arena, op);
		else if (rest || row->expected_len)
			refuse(place, "nothing and something", text);
	}
}

/* Splits at blanks. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
	size_t len = 0;

	for (char *field; len < FIELDS_MAX && (field = strsep(&line, " \t"));)
		if (*field)
			fields[len++] = field;
	return len;
}

/* "7", "7=A". */
static void read_id(const struct place *place, struct case_row *row, const char *text)
{
	char *rest;

	row->id = (uint32_t)strtoul(text, &rest, 10);
	if (*rest == '=' && rest[1] >= 'A' && rest[1] <= 'Z' && !rest[2])
		row->letter = rest[1];
	else if (*rest)
		refuse(place, "no id", text);
}

/* One message. */
static void read_row(const struct place *place, struct arena *arena, struct planner_case *it,
		     char *line)
{
	char *fields[FIELDS_MAX], *expected = line;
	struct case_row *row = array_push(it->rows, it->len, it->cap);

	strsep(&expected, ":");
	*row = (struct case_row){.line = place->line, .box = it->boxes_len - 1};
	if (!expected || split(line, fields) != 4) {
		refuse(place, "a row is: id base local remote : expected", line);
		return;
	}
	read_id(place, row, fields[0]);
	row->paired = strcmp(fields[1], "-") != 0;
	if (row->paired) {
		const char *marks = read_flags(place, fields[1], &row->base);
		row->removing = *marks == '~';
		row->gone = read_gone(place, marks + row->removing);
	}
	row->sides[LOCAL] = read_side(place, fields[2]);
	row->sides[REMOTE] = read_side(place, fields[3]);
	read_expected(place, arena, row, expected);
	for (size_t i = 0; i + 1 < it->len; i++)
		if (it->rows[i].id == row->id && it->rows[i].box == row->box)
			refuse(place, "an id twice", fields[0]);
	const struct case_box *box = &it->boxes[row->box];
	if (box->is_gone && row->sides[box->gone].there)
		refuse(place, "the mailbox is gone there", fields[0]);
}

/* "message B size=A id=none". */
static void read_message(const struct place *place, struct planner_case *it, char **fields,
			 size_t len)
{
	static const char *const names[CASE_PARTS] = {"size", "date", "id", "digest",
							 "email"};
	unsigned letter = (unsigned)fields[1][0] - 'A';

	if (letter >= CASE_LETTERS || fields[1][1]) {
		refuse(place, "no message", fields[1]);
		return;
	}
	for (size_t i = 2; i < len; i++) {
		char *value = fields[i];
		const char *name = strsep(&value, "=");
		unsigned part = 0;
		while (part < CASE_PARTS && strcmp(name, names[part]) != 0)
			part++;
		if (!value || part == CASE_PARTS) {
			refuse(place, "no part=whose", name);
			return;
		}
		it->parts[letter][part] = strcmp(value, "none") ? *value : '-';
	}
}

/* The mailbox of that name begins; the first one takes the place of the nameless. */
static void begin_box(const struct place *place, struct arena *arena, struct planner_case *it,
		      const char *name)
{
	if (it->boxes[0].name || it->len) {
		if (it->boxes_len == CASE_BOXES_MAX)
			refuse(place, "too many mailboxes", name);
		it->boxes[it->boxes_len++] = (struct case_box){0};
	}
	it->boxes[it->boxes_len - 1].name = arena_strdup(arena, name);
}

/* "mailbox Work trash", "mailbox Old gone=local : B4". */
static void read_mailbox(const struct place *place, struct arena *arena, struct planner_case *it,
			 char **fields, size_t len)
{
	size_t i = 1;

	if (fields[1][0] >= 'A' && fields[1][0] <= 'Z')
		begin_box(place, arena, it, fields[i++]);
	struct case_box *box = &it->boxes[it->boxes_len - 1];
	for (; i < len; i++) {
		if (!strcmp(fields[i], "trash"))
			box->is_trash = true;
		else if (!strcmp(fields[i], "junk"))
			box->is_junk = true;
		else if (!strcmp(fields[i], "consulted"))
			box->is_consulted = true;
		else if (!strcmp(fields[i], "unseen"))
			box->is_unseen = true;
		else if (!strcmp(fields[i], "reset"))
			box->is_reset = true;
		else if (!strcmp(fields[i], "held"))
			box->is_held = true;
		else if (i + 3 == len && !strncmp(fields[i], "gone=", 5) &&
			 !strcmp(fields[i + 1], ":"))
			break;
		else
			refuse(place, "not understood", fields[i]);
	}
	if (i == len)
		return;
	box->is_gone = true;
	box->gone = strcmp(fields[i] + 5, "local") ? REMOTE : LOCAL;
	box->rule = case_rule(fields[i + 2]);
}

/* A line that is no row, of the case that was begun. */
static void read_settings(const struct place *place, struct arena *arena, struct planner_case *it,
			  char *line)
{
	char *fields[FIELDS_MAX];
	size_t len = split(line, fields);

	if (len < 2) {
		refuse(place, "not understood", fields[0]);
		return;
	}
	if (!strcmp(fields[0], "mailbox")) {
		read_mailbox(place, arena, it, fields, len);
		return;
	}
	if (!strcmp(fields[0], "message")) {
		read_message(place, it, fields, len);
		return;
	}
	for (size_t i = 1; i < len; i++) {
		if (!strcmp(fields[0], "policy") || !strcmp(fields[0], "permanent"))
			read_setting(place, it, !strcmp(fields[0], "policy"), fields[i]);
		else if (!strcmp(fields[0], "sides") && !strcmp(fields[i], "fixed"))
			it->fixed = true;
		else if (!strcmp(fields[0], "order") && !strcmp(fields[i], "fixed"))
			it->ordered = true;
		else if (!strcmp(fields[0], "survey") && !strcmp(fields[i], "partial"))
			it->partial = true;
		else
			refuse(place, "not understood", fields[0]);
	}
}

/* One line of a file. */
static void read_line(struct case_file *file, const struct place *place, char *line)
{
	line[strcspn(line, "#\n")] = '\0';
	line += strspn(line, " \t");
	if (!*line)
		return;
	if (!strncmp(line, "case ", 5)) {
		*array_push(file->cases, file->len, file->cap) =
		    case_begin(place->file, place->line, arena_strdup(&file->arena, line + 5));
		return;
	}
	if (!file->len)
		refuse(place, "before the first case", line);
	struct planner_case *it = &file->cases[file->len - 1];
	if (*line >= '0' && *line <= '9')
		read_row(place, &file->arena, it, line);
	else
		read_settings(place, &file->arena, it, line);
}

void case_file_read(struct case_file *file, const char *path)
{
	FILE *stream = fopen(path, "re");
	struct place place = {.line = 0};
	char line[1024];

	assert_non_null(stream);
	*file = (struct case_file){0};
	place.file = arena_strdup(&file->arena, path);
	while (fgets(line, sizeof(line), stream)) {
		place.line++;
		read_line(file, &place, line);
	}
	fclose(stream);
	for (size_t i = 0; i < file->len; i++)
		if (!file->cases[i].len && !file->cases[i].boxes[0].is_gone)
			refuse(&place, "a case without rows", file->cases[i].title);
}

/* Frees the rows of a case. */
static void free_rows(struct planner_case *it)
{
	for (size_t i = 0; i < it->len; i++)
		free(it->rows[i].expected);
	free(it->rows);
}

void case_file_free(struct case_file *file)
{
	for (size_t i = 0; i < file->len; i++)
		free_rows(&file->cases[i]);
	free(file->cases);
	arena_free(&file->arena);
}

char *case_swap_text(const char *text, struct arena *arena)
{
	char copy[256], *fields[FIELDS_MAX], *out = arena_strdup(arena, "");

	snprintf(copy, sizeof(copy), "%s", text);
	size_t len = split(copy, fields);
	for (size_t i = 0; i < len; i++) {
		const char *field = fields[i];
		if (!strcmp(field, "local"))
			field = "remote";
		else if (!strcmp(field, "remote"))
			field = "local";
		for (char *mark = strchr(fields[i], '!'); mark; mark = strchr(mark + 1, '!'))
			mark[1] = mark[1] == 'L' ? 'R' : 'L';
		out = arena_printf(arena, "%s%s%s", out, i ? " " : "", field);
	}
	return out;
}

struct planner_case case_swap(const struct planner_case *from, struct arena *arena)
{
	struct planner_case to = *from;

	to.rows = arena_alloc(arena, from->len * sizeof(*to.rows));
	for (enum side side = LOCAL; side < SIDES; side++) {
		to.policy.change[side] = from->policy.change[other_side(side)];
		to.policy.deletion[side] = from->policy.deletion[other_side(side)];
		to.permanent[side] = from->permanent[other_side(side)];
	}
	for (size_t i = 0; i < from->boxes_len; i++)
		to.boxes[i].gone = other_side(from->boxes[i].gone);
	for (size_t i = 0; i < from->len; i++) {
		struct case_row *row = &to.rows[i];
		*row = from->rows[i];
		row->gone = (row->gone & 1u) << 1 | row->gone >> 1;
		row->sides[LOCAL] = from->rows[i].sides[REMOTE];
		row->sides[REMOTE] = from->rows[i].sides[LOCAL];
		row->expected =
		    arena_alloc(arena, (row->expected_len + 1) * sizeof(*row->expected));
		for (size_t k = 0; k < row->expected_len; k++)
			row->expected[k] = case_swap_text(from->rows[i].expected[k], arena);
	}
	return to;
}

enum rule case_rule(const char *expected)
{
	size_t len = strcspn(expected, " ");

	for (enum rule rule = RULE_M1_FORGET; rule <= RULE_B5_RENAME; rule++)
		if (strlen(rule_name(rule)) == len && !strncmp(expected, rule_name(rule), len))
			return rule;
	if (strcmp(expected, "nothing") != 0)
		fail_msg("\"%s\" names no rule", expected);
	return RULE_NONE;
}
