# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that has nothing but IMAP4rev1 ends as one that has everything: the same scenarios, the same state."""
import os
import shutil

import pytest

from corpus import Corpus

PLAIN = "IMAP4rev1"
SIDES = ("local", "remote")
OTHER = {"local": "remote", "remote": "local"}
HELD = {"INBOX": 6, "Work": 5, "Work/Deep": 3, "Archive": 2, "Empty": 0}


def mail():
    """The same messages on both servers."""
    corpus = Corpus(2026)
    return {mailbox: corpus.messages(count, "plain") for mailbox, count in HELD.items()}


def rename(channel, side, old, new):
    if side == "remote":
        channel.remote.rename_mailbox(old, new)
    else:
        os.rename(channel.local.directory(old), os.path.join(channel.local_root, new))


def delete(channel, side, mailbox):
    if side == "remote":
        channel.remote.delete_mailbox(mailbox)
    else:
        shutil.rmtree(channel.local.directory(mailbox))


def copy(channel, side, source, target, message):
    if side == "remote":
        uid, = channel.remote.uids(source, message)
        channel.remote.imap.select(source)
        channel.remote.ask("COPY", channel.remote.imap.uid("COPY", uid, target))
        return
    path, = channel.local.paths(source, message)
    shutil.copy2(path, os.path.join(channel.local.directory(target), "cur", "1700000000.copy.host:2,"
                                    + path.partition(":2,")[2]))


def move_some(channel, side, held):
    channel.side(side).move("INBOX", "Archive", *held["INBOX"][:4])


def move_in_a_circle(channel, side, held):
    channel.side(side).move("INBOX", "Work", held["INBOX"][0])
    channel.side(side).move("Work", "Archive", held["Work"][0])
    channel.side(side).move("Archive", "INBOX", held["Archive"][0])


def move_and_flag(channel, side, held):
    channel.side(side).set_flags("INBOX", held["INBOX"][0], "F")
    channel.side(OTHER[side]).set_flags("INBOX", held["INBOX"][0], "RS")
    channel.side(side).move("INBOX", "Archive", held["INBOX"][0])


def move_to_two_places(channel, side, held):
    channel.side(side).move("INBOX", "Archive", held["INBOX"][0])
    channel.side(OTHER[side]).move("INBOX", "Work", held["INBOX"][0])


def move_and_delete(channel, side, held):
    channel.side(side).move("INBOX", "Archive", held["INBOX"][0])
    channel.side(OTHER[side]).remove("INBOX", held["INBOX"][0])


def move_into_a_new_mailbox(channel, side, held):
    channel.side(side).create("New")
    channel.side(side).move("Work", "New", *held["Work"])


def copy_one(channel, side, held):
    copy(channel, side, "INBOX", "Archive", held["INBOX"][0])


def copy_and_delete(channel, side, held):
    copy(channel, side, "INBOX", "Archive", held["INBOX"][0])
    channel.side(side).remove("INBOX", held["INBOX"][0])


def rename_one(channel, side, held):
    rename(channel, side, "Archive", "Renamed")


def rename_with_one_below(channel, side, held):
    rename(channel, side, "Work", "Renamed")


def rename_and_change(channel, side, held):
    rename(channel, side, "Archive", "Renamed")
    channel.side(OTHER[side]).set_flags("Archive", held["Archive"][0], "F")
    channel.side(OTHER[side]).remove("Archive", held["Archive"][1])


def delete_empty(channel, side, held):
    delete(channel, side, "Empty")


def delete_full(channel, side, held):
    delete(channel, side, "Archive")


def delete_while_new_mail_comes(channel, side, held):
    delete(channel, side, "Archive")
    channel.side(OTHER[side]).add("Archive", held["Work"][0])


def add_flag_and_remove(channel, side, held):
    other = OTHER[side]
    channel.side(side).set_flags("INBOX", held["INBOX"][0], "FRS")
    channel.side(other).set_flags("INBOX", held["INBOX"][1], "D")
    channel.side(side).remove("INBOX", held["INBOX"][2])
    channel.side(other).remove("INBOX", held["INBOX"][3])
    channel.side(side).add("INBOX", *held["Archive"])


SCENARIOS = [move_some, move_in_a_circle, move_and_flag, move_to_two_places, move_and_delete, move_into_a_new_mailbox,
             copy_one, copy_and_delete, rename_one, rename_with_one_below, rename_and_change, delete_empty, delete_full,
             delete_while_new_mail_comes, add_flag_and_remove]


def end_of(channel, side, scenario):
    """What both sides hold after the scenario and a run; the next run has nothing to do."""
    held = mail()
    channel.remote.fill(held)
    channel.sync()
    scenario(channel, side, held)
    channel.run("sync", "--allow-deletions", status=None)
    channel.run("sync", "--allow-deletions")
    state, disk = channel.state(), channel.disk()
    channel.sync()
    assert (channel.state(), channel.disk()) == (state, disk)
    return state


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("side", SIDES)
def test_the_same_end(make_channel, servers, side, scenario):
    rich = end_of(make_channel(), side, scenario)
    plain = end_of(make_channel(server=servers(capability=PLAIN)), side, scenario)
    assert plain == rich
