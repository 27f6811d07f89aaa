// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenes.h"

#include <stddef.h>

/* Messages first to last, on the server. */
static void fill_remote(struct rig *rig, const char *mailbox, unsigned first, unsigned last)
{
	for (unsigned token = first; token <= last; token++)
		remote_put(rig, mailbox, token, token % 3 ? "" : "FS");
}

static void fill_local(struct rig *rig, const char *mailbox, unsigned first, unsigned last)
{
	local_create(rig, mailbox);
	for (unsigned token = first; token <= last; token++)
		local_put(rig, mailbox, token, token % 3 ? "" : "FS");
}

/* Two mailboxes that are even. */
static void settled(struct rig *rig)
{
	fill_remote(rig, "INBOX", 1, 6);
	fill_remote(rig, "Work", 11, 14);
	fill_remote(rig, "Trash", 21, 21);
}

static void nothing(struct rig *rig)
{
	(void)rig;
}

static void pull(struct rig *rig)
{
	fill_remote(rig, "INBOX", 31, 37);
	fill_remote(rig, "Fresh/deep", 41, 42);
}

/* More than are synced one by one. */
static void pull_many(struct rig *rig)
{
	fill_remote(rig, "INBOX", 51, 62);
}

static void push(struct rig *rig)
{
	fill_local(rig, "INBOX", 31, 36);
	fill_local(rig, "Fresh/deep", 41, 42);
}

static void both_ways(struct rig *rig)
{
	fill_local(rig, "INBOX", 31, 33);
	fill_remote(rig, "INBOX", 41, 43);
	local_flag(rig, "INBOX", 1, "RS");
	remote_flag(rig, "INBOX", 2, "F", NULL);
	local_remove(rig, "INBOX", 3);
	remote_remove(rig, "INBOX", 4);
}

static void flags(struct rig *rig)
{
	local_flag(rig, "INBOX", 1, "F");
	local_flag(rig, "INBOX", 3, "");
	local_flag(rig, "Work", 12, "S");
	remote_flag(rig, "INBOX", 2, "FR", NULL);
	remote_flag(rig, "INBOX", 3, "D", NULL);
	remote_flag(rig, "Work", 11, "S", NULL);
}

static void keywords(struct rig *rig)
{
	remote_flag(rig, "INBOX", 1, "S", "$Label1");
	remote_flag(rig, "INBOX", 2, "", "Later");
	local_name_keywords(rig, "Work", "0 Mine\n");
	local_flag(rig, "Work", 11, "Sa");
	remote_flag(rig, "Work", 12, "", "Theirs");
}

static void remove_local(struct rig *rig)
{
	local_remove(rig, "INBOX", 1);
	local_remove(rig, "INBOX", 2);
	local_remove(rig, "Work", 11);
}

static void remove_remote(struct rig *rig)
{
	remote_remove(rig, "INBOX", 1);
	remote_remove(rig, "INBOX", 2);
	remote_remove(rig, "Work", 11);
}

static void move_local(struct rig *rig)
{
	local_move(rig, "INBOX", 1, "Work");
	local_move(rig, "INBOX", 3, "Work");
	local_move(rig, "Work", 12, "INBOX");
}

/* To where the server has got another one of it. */
static void move_local_beside_copies(struct rig *rig)
{
	local_move(rig, "INBOX", 1, "Work");
	remote_copy(rig, "INBOX", 1, "Work");
}

static void move_remote(struct rig *rig)
{
	remote_move(rig, "INBOX", 1, "Work");
	remote_move(rig, "INBOX", 3, "Work");
	remote_move(rig, "Work", 12, "INBOX");
}

/* Nothing else happens where it goes. */
static void move_remote_one_way(struct rig *rig)
{
	remote_move(rig, "INBOX", 1, "Work");
	remote_flag(rig, "INBOX", 2, "R", NULL);
	local_flag(rig, "INBOX", 4, "R");
}

static void copy_local(struct rig *rig)
{
	local_copy(rig, "INBOX", 1, "Work");
	local_copy(rig, "INBOX", 3, "Work");
}

static void copy_remote(struct rig *rig)
{
	remote_copy(rig, "INBOX", 1, "Work");
	remote_copy(rig, "INBOX", 3, "Work");
	remote_put(rig, "INBOX", 71, "");
	remote_put(rig, "Work", 71, "");
}

static void make_mailboxes(struct rig *rig)
{
	local_create(rig, "Here/below");
	memory_create(rig->server, "There/below", 0);
}

static void delete_local_mailbox(struct rig *rig)
{
	local_destroy(rig, "Work");
}

static void delete_remote_mailbox(struct rig *rig)
{
	memory_destroy(rig->server, "Work");
}

static void rename_local_mailbox(struct rig *rig)
{
	local_rename(rig, "Work", "Works");
	fill_local(rig, "Works", 81, 81);
}

static void rename_remote_mailbox(struct rig *rig)
{
	memory_rename(rig->server, "Work", "Works");
	fill_remote(rig, "Works", 81, 81);
}

/* While something is to be done besides. */
static void renumber(struct rig *rig)
{
	memory_renumber(rig->server, "INBOX");
	local_flag(rig, "INBOX", 1, "F");
	remote_put(rig, "INBOX", 31, "");
}

/* A third mailbox, to exchange names with. */
static void settled_more(struct rig *rig)
{
	settled(rig);
	fill_remote(rig, "Play", 91, 93);
}

/* The server gives both a new UIDVALIDITY. */
static void exchange_names(struct rig *rig)
{
	memory_rename(rig->server, "Work", "Between");
	memory_rename(rig->server, "Play", "Work");
	memory_rename(rig->server, "Between", "Play");
	local_flag(rig, "Work", 11, "FRS");
	remote_flag(rig, "Play", 12, "R", NULL);
}

/* Moves that the journals cannot tell any more. */
static void move_and_renumber(struct rig *rig)
{
	local_move(rig, "INBOX", 1, "Work");
	local_move(rig, "INBOX", 2, "Play");
	remote_move(rig, "Work", 12, "INBOX");
	remote_move(rig, "INBOX", 5, "Play");
	memory_renumber(rig->server, "INBOX");
	memory_renumber(rig->server, "Work");
}

/* Two sides that hold the same and know nothing of it. */
static void equal_sides(struct rig *rig)
{
	fill_remote(rig, "INBOX", 1, 4);
	fill_local(rig, "INBOX", 1, 4);
	fill_remote(rig, "Work", 11, 12);
	fill_local(rig, "Work", 12, 13);
}

static void first_pull(struct rig *rig)
{
	settled(rig);
	remote_put(rig, "INBOX", 7, "S");
}

#define POOR                                                                                       \
	{                                                                                          \
		0                                                                                  \
	}
#define RICH                                                                                       \
	{                                                                                          \
		.uidplus = true, .condstore = true, .qresync = true, .atomic_move = true,          \
		.object_ids = true                                                                 \
	}

const struct scene scenes[] = {
    {"nothing to do", settled, nothing, RICH, DELETION_EXPUNGE, NULL},
    {"pull", settled, pull, RICH, DELETION_EXPUNGE, NULL},
    {"pull many", settled, pull_many, RICH, DELETION_EXPUNGE, NULL},
    {"push", settled, push, RICH, DELETION_EXPUNGE, NULL},
    {"push without UIDPLUS", settled, push, POOR, DELETION_EXPUNGE, NULL},
    {"both ways", settled, both_ways, RICH, DELETION_EXPUNGE, NULL},
    {"flags", settled, flags, RICH, DELETION_EXPUNGE, NULL},
    {"keywords", settled, keywords, RICH, DELETION_EXPUNGE, NULL},
    {"files removed", settled, remove_local, RICH, DELETION_EXPUNGE, NULL},
    {"files removed to the trash", settled, remove_local, RICH, DELETION_TRASH, NULL},
    {"removed on the server", settled, remove_remote, RICH, DELETION_EXPUNGE, NULL},
    {"removed on the server to the trash", settled, remove_remote, RICH, DELETION_TRASH, NULL},
    {"files moved", settled, move_local, RICH, DELETION_EXPUNGE, NULL},
    {"files moved, no MOVE", settled, move_local, POOR, DELETION_EXPUNGE, NULL},
    {"files moved beside copies", settled, move_local_beside_copies, RICH, DELETION_EXPUNGE, NULL},
    {"moved on the server", settled, move_remote, RICH, DELETION_EXPUNGE, NULL},
    {"moved on the server, one way", settled, move_remote_one_way, RICH, DELETION_EXPUNGE, NULL},
    {"files copied", settled, copy_local, RICH, DELETION_EXPUNGE, NULL},
    {"copied on the server", settled, copy_remote, RICH, DELETION_EXPUNGE, NULL},
    {"mailboxes made", settled, make_mailboxes, RICH, DELETION_EXPUNGE, NULL},
    {"a local mailbox deleted", settled, delete_local_mailbox, RICH, DELETION_EXPUNGE, NULL},
    {"a mailbox deleted", settled, delete_remote_mailbox, RICH, DELETION_EXPUNGE, NULL},
    {"a local mailbox renamed", settled, rename_local_mailbox, RICH, DELETION_EXPUNGE, NULL},
    {"a mailbox renamed", settled, rename_remote_mailbox, RICH, DELETION_EXPUNGE, NULL},
    {"UIDVALIDITY", settled, renumber, RICH, DELETION_EXPUNGE, NULL},
    {"names exchanged on the server", settled_more, exchange_names, RICH, DELETION_EXPUNGE, NULL},
    {"names exchanged on the server, no ids", settled_more, exchange_names, POOR, DELETION_EXPUNGE,
     NULL},
    {"moved, and UIDVALIDITY", settled_more, move_and_renumber, RICH, DELETION_EXPUNGE, NULL},
    {"moved, and UIDVALIDITY, to the trash", settled_more, move_and_renumber, RICH, DELETION_TRASH,
     NULL},
    {"compaction", settled, both_ways, RICH, DELETION_EXPUNGE, "200"},
    {"a first run, equal sides", NULL, equal_sides, RICH, DELETION_EXPUNGE, NULL},
    {"a first run", NULL, first_pull, RICH, DELETION_EXPUNGE, NULL},
};

const size_t scenes_len = sizeof(scenes) / sizeof(*scenes);
