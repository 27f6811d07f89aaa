// SPDX-License-Identifier: GPL-3.0-or-later
/* Both sides' lists, as channel_list has them before boxes are made of them. */
#ifndef SYNC_LIST_H
#define SYNC_LIST_H

#include "sync/channel.h"

/* What a side tells of a mailbox. */
struct list_entry {
	const char *name;
	unsigned attributes;
	struct stamp stamp;
	struct journal *journal; /* opened already, or NULL */
	bool torn;               /* in reading, it was cut back */
};

#endif
