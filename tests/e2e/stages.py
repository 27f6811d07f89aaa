# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two sides are up to when a run is stopped: each sets a channel to work (e2e/stopping.py)."""
import os
import shutil

from scene import copy_file, copy_message, small
from test_heal import new_uidvalidity

# For the one that is compacted: so small a journal is not left alone.
SMALL_JOURNAL = {"EVENMAIL_COMPACT_AT": "400"}
# For the one with lanes: what pays for another connection, in bytes.
LANES = {"EVENMAIL_LANE_PAYS": "1000"}


def messages(first, count, flags=""):
    return [small(first + number, flags) for number in range(count)]


def settle(channel):
    """Two mailboxes that are even."""
    channel.remote.fill({"INBOX": messages(0, 3) + messages(3, 2, "FS"), "Work": messages(10, 2)})
    channel.sync()


def nothing(channel):
    settle(channel)


def pull(channel):
    settle(channel)
    channel.remote.add("INBOX", *messages(20, 3), *messages(30, 1, "S"))
    channel.remote.create("Fresh")
    channel.remote.add("Fresh", *messages(40, 2))


def pull_many(channel):
    """More than are synced one by one."""
    settle(channel)
    channel.remote.add("INBOX", *messages(20, 10))


def pull_by_lanes(channel):
    settle(channel)
    channel.keys["connections"] = 2
    for name in ("Fresh", "Other"):
        channel.remote.create(name)
        channel.remote.add(name, *messages(40, 6))


def push(channel):
    settle(channel)
    channel.local.fill({"INBOX": messages(20, 3) + messages(30, 1, "S"), "Fresh": messages(40, 2)})


def both_ways(channel):
    settle(channel)
    channel.local.add("INBOX", *messages(20, 2))
    channel.remote.add("INBOX", *messages(30, 2))
    channel.local.set_flags("INBOX", small(0), "RS")
    channel.remote.set_flags("INBOX", small(1), "F")
    channel.local.remove("INBOX", small(2))
    channel.remote.remove("INBOX", small(3))


def flags(channel):
    settle(channel)
    channel.local.set_flags("INBOX", small(0), "F")
    channel.local.set_flags("INBOX", small(3), "")
    channel.local.set_flags("Work", small(10), "S")
    channel.remote.set_flags("INBOX", small(1), "FR")
    channel.remote.set_flags("INBOX", small(4), "DFS")
    channel.remote.set_flags("Work", small(11), "S")


def keywords(channel):
    settle(channel)
    for mailbox, number, keyword in (("INBOX", 0, "$Label1"), ("INBOX", 1, "Later"), ("Work", 10, "Theirs")):
        remote = channel.remote
        uid, = remote.uids(mailbox, small(number))
        remote.ask("SELECT", remote.imap.select(remote.wire_name(mailbox)))
        remote.ask("STORE", remote.imap.uid("STORE", uid, "+FLAGS.SILENT", f"({keyword})"))
        remote.imap.unselect()
    with open(os.path.join(channel.local.directory("Work"), "dovecot-keywords"), "w", encoding="ascii") as file:
        file.write("0 Mine\n")
    channel.local.set_flags("Work", small(11), "Sa")


def remove_files(channel):
    settle(channel)
    channel.local.remove("INBOX", small(0), small(3))
    channel.local.remove("Work", small(10))


def remove_files_to_trash(channel):
    channel.keys["deletions"] = {"remote": "trash", "local": "trash"}
    channel.remote.create("Trash")
    remove_files(channel)


def remove_there(channel):
    settle(channel)
    channel.remote.remove("INBOX", small(0), small(3))
    channel.remote.remove("Work", small(10))


def remove_there_to_trash(channel):
    channel.keys["deletions"] = {"remote": "trash", "local": "trash"}
    channel.remote.create("Trash")
    remove_there(channel)


def move_files(channel):
    settle(channel)
    channel.local.move("INBOX", "Work", small(0), small(3))
    channel.local.move("Work", "INBOX", small(10))


def move_there(channel):
    settle(channel)
    channel.remote.move("INBOX", "Work", small(0), small(3))
    channel.remote.move("Work", "INBOX", small(10))


def copy_files(channel):
    settle(channel)
    copy_file(channel.local, "INBOX", "Work", small(0))


def copy_there(channel):
    settle(channel)
    copy_message(channel.remote, "INBOX", "Work", small(0))
    copy_message(channel.remote, "INBOX", "Work", small(3))
    for mailbox in ("INBOX", "Work"):
        channel.remote.add(mailbox, small(20))


def make_mailboxes(channel):
    settle(channel)
    channel.local.create("Here/below")
    channel.remote.create("There/below")


def delete_mailbox_here(channel):
    settle(channel)
    shutil.rmtree(channel.local.directory("Work"))


def delete_mailbox_there(channel):
    settle(channel)
    channel.remote.delete_mailbox("Work")


def rename_mailbox_here(channel):
    settle(channel)
    os.rename(channel.local.directory("Work"), os.path.join(channel.local_root, "Works"))
    channel.local.add("Works", small(20))


def rename_mailbox_there(channel):
    settle(channel)
    channel.remote.rename_mailbox("Work", "Works")
    channel.remote.add("Works", small(20))


def rename_plusplus_there(channel):
    """In this layout each mailbox below is renamed by itself."""
    channel.layout = "maildir++"
    settle(channel)
    channel.remote.create("Work/deep")
    channel.remote.add("Work/deep", small(20))
    channel.sync()
    channel.remote.rename_mailbox("Work", "Works")


def renumber(channel):
    settle(channel)
    new_uidvalidity(channel, "INBOX")
    channel.local.set_flags("INBOX", small(0), "F")
    channel.remote.add("INBOX", small(20))


def first_run(channel):
    channel.remote.fill({"INBOX": messages(0, 4), "Work": messages(10, 2, "S")})


def first_run_of_equal_sides(channel):
    channel.remote.fill({"INBOX": messages(0, 4), "Work": messages(10, 2)})
    channel.local.fill({"INBOX": messages(0, 4), "Work": messages(11, 2)})


# name: (what sets it, what the server can do, what the runs' environment says beside)
STAGES = {
    "nothing to do": (nothing, "rich", {}),
    "pull": (pull, "rich", {}),
    "pull many": (pull_many, "rich", {}),
    "pull by two lanes": (pull_by_lanes, "rich", LANES),
    "push": (push, "rich", {}),
    "push, no UIDPLUS": (push, "poor", {}),
    "both ways": (both_ways, "rich", {}),
    "both ways, no extension": (both_ways, "poor", {}),
    "flags": (flags, "rich", {}),
    "keywords": (keywords, "rich", {}),
    "files removed": (remove_files, "rich", {}),
    "files removed, to the trash": (remove_files_to_trash, "rich", {}),
    "removed on the server": (remove_there, "rich", {}),
    "removed on the server, to the trash": (remove_there_to_trash, "rich", {}),
    "files moved": (move_files, "rich", {}),
    "files moved, no MOVE": (move_files, "poor", {}),
    "moved on the server": (move_there, "rich", {}),
    "a file copied": (copy_files, "rich", {}),
    "copied on the server": (copy_there, "rich", {}),
    "mailboxes made": (make_mailboxes, "rich", {}),
    "a local mailbox deleted": (delete_mailbox_here, "rich", {}),
    "a mailbox deleted": (delete_mailbox_there, "rich", {}),
    "a local mailbox renamed": (rename_mailbox_here, "rich", {}),
    "a mailbox renamed": (rename_mailbox_there, "rich", {}),
    "a mailbox renamed, maildir++": (rename_plusplus_there, "rich", {}),
    "UIDVALIDITY": (renumber, "rich", {}),
    "compaction": (both_ways, "rich", SMALL_JOURNAL),
    "a first run": (first_run, "rich", {}),
    "a first run of equal sides": (first_run_of_equal_sides, "rich", {}),
}
