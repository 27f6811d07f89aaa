// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a mailbox holds, while others deliver to it, rename in it and remove from it.
 *
 * Each directory is read at one instant (maildir/dirents.h), in the order new, cur, new: a file
 * that moves from new to cur meanwhile is seen in the first or the second, one that moves back in
 * the second or the third; one seen twice is counted once. Where the directories changed lately
 * or meanwhile, all is read a second time, and what only the first time saw is looked for by name
 * before it is left out. So a name that is missing was missed by two scans and by a look-up, or
 * by one scan of a mailbox that nobody touched. (Who misses a name that no scan saw looks it up
 * with maildir_message_find(), which scans anew.)
 *
 * Only regular files count, and none whose names begin with '.'. What is something else (a symlink
 * that a program put in the place of a message) is remembered by its unique name, for a message of
 * that name is not known to be deleted. Two files with one unique name (a MUA's copy) are two
 * messages: the second is given a unique name of its own where the mailbox may be written, and is
 * left out where not.
 */
#ifndef MAILDIR_SCAN_H
#define MAILDIR_SCAN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/slots.h"
#include "mail/flags.h"
#include "maildir/dirents.h"
#include "maildir/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A scan costs this, its name and what it is found by (7 bytes) for each message. */
struct maildir_entry {
	const char *file; /* its name in the directory, when it was seen */
	struct flags flags;
	uint32_t hash;         /* of its unique name; 0 outside of a scan */
	unsigned unique_len : 16;
	enum maildir_dir dir : 8; /* cur or new */
	bool gone : 1;         /* noted so since the scan */
};

_Static_assert(sizeof(struct maildir_entry) <= 24, "a file costs 24 bytes beside its name");

struct maildir_scan {
	struct arena arena;
	struct dirents *held; /* the names that were read */
	size_t held_len, held_cap;
	struct maildir_entry *entries;
	size_t count, cap;
	struct slots by_unique; /* indexes of entries that are there */
	struct map others;      /* what is no file, by unique name: DT_LNK and so on */
	struct flag_room room;
	struct maildir_keywords *keywords; /* the mailbox's */
	int64_t cur_ns; /* mtimes before the scan, 0 where too young to be trusted */
	int64_t new_ns;
	uint64_t inode; /* the mailbox's */
};

/* The entry of a file's name, which it borrows. */
struct maildir_entry maildir_entry_of(struct maildir_keywords *keywords, enum maildir_dir dir,
				      const char *file);
/* Whether what a directory holds under a name is a message. */
bool maildir_is_message(int fd, const struct dirent_view *view);

/* Whether nobody changed the directories since their trusted mtimes (else 0) were taken. */
bool maildir_is_quiet(const struct maildir_mailbox *mailbox, int64_t cur_ns, int64_t new_ns);

/* Scans. -1: SCOPE_MAILBOX. */
int maildir_scan_take(struct maildir_mailbox *mailbox, struct maildir_scan **scan,
		      struct error *err);
/* The entry of a unique name, or NULL. */
struct maildir_entry *maildir_scan_find(const struct maildir_scan *scan, const char *unique,
					size_t len);
/* True and the DT_ type where something that is no regular file has that unique name. */
bool maildir_scan_find_other(const struct maildir_scan *scan, const char *unique,
			     unsigned char *type);
/* Notes a file, in place of the one of the same unique name. */
void maildir_scan_put(struct maildir_scan *scan, enum maildir_dir dir, const char *file);
/* Notes that a file is gone; entries keeps it. */
void maildir_scan_remove(struct maildir_scan *scan, const char *unique);
/* NULL is fine. */
void maildir_scan_free(struct maildir_scan **scan);

/*
 * Looks in the directories anew for names that scans have missed: absent[i] says whether uniques[i]
 * is not there. What is there is put into found.
 */
int maildir_confirm_absent(struct maildir_mailbox *mailbox, const char *const *uniques,
			   size_t count, bool *absent, struct maildir_scan *found,
			   struct error *err);

#endif
