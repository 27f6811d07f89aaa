# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes that have another name on each side (map), special uses, and subscriptions that follow."""
import os
import shutil

import pytest

from channel import contents

SIDES = ("local", "remote")
GMAIL = "[Gmail]/Sent Mail"
OTHER = {"local": "remote", "remote": "local"}


@pytest.fixture
def mapped(channel, corpus):
    """Even: the local Sent is the server's [Gmail]/Sent Mail."""
    channel.keys["map"] = {"Sent": GMAIL}
    channel.sent, channel.older = corpus.messages(3, "plain"), corpus.messages(2, "plain")
    channel.remote.fill({"INBOX": corpus.messages(1), GMAIL: channel.sent, f"{GMAIL}/2020": channel.older})
    channel.run("sync")
    return channel


def place(side, below=""):
    return {"local": "Sent", "remote": GMAIL}[side] + below


def state_of(channel, side, below=""):
    return channel.side(side).state()[tuple(place(side, below).split("/"))]


def assert_held(channel, *messages, below=""):
    for side in SIDES:
        assert state_of(channel, side, below) == contents(*messages), side


def assert_at_rest(channel):
    before = channel.disk(), channel.remote.state()
    channel.run("sync")
    assert (channel.disk(), channel.remote.state()) == before


def test_each_side_has_its_name(mapped):
    assert_held(mapped, *mapped.sent)
    assert_held(mapped, *mapped.older, below="/2020")
    assert ("Sent",) not in mapped.remote.state()
    assert ("[Gmail]", "Sent Mail") not in mapped.local.state()
    assert_at_rest(mapped)


@pytest.mark.parametrize("side", SIDES)
def test_changes_travel(mapped, corpus, side):
    fresh = corpus.message("plain")
    mapped.side(side).add(place(side), fresh)
    mapped.side(side).remove(place(side), mapped.sent[0])
    mapped.side(side).set_flags(place(side), mapped.sent[1], "F")
    mapped.run("sync")
    assert_held(mapped, mapped.sent[1].with_flags("F"), mapped.sent[2], fresh)
    assert_at_rest(mapped)


@pytest.mark.parametrize("side", SIDES)
def test_moves_and_new_mailboxes(mapped, plain_line, side):
    mapped.side(side).create(place(side, "/2021"))
    mapped.side(side).move(place(side), place(side, "/2021"), mapped.sent[0])
    plain_line.reset_counts()
    mapped.run("sync")
    up = plain_line.said("up")
    assert b"APPEND" not in up and b"BODY.PEEK[]" not in up
    assert_held(mapped, mapped.sent[0], below="/2021")
    assert_held(mapped, *mapped.sent[1:])
    assert_at_rest(mapped)


@pytest.mark.parametrize("side", SIDES)
def test_renamed_below(mapped, plain_line, side):
    mapped.side(side).create(place(side, "/2022"))
    mapped.run("sync")
    if side == "remote":
        mapped.remote.rename_mailbox(place(side, "/2020"), place(side, "/2020 old"))
    else:
        os.rename(mapped.local.directory("Sent/2020"), mapped.local.directory("Sent") + "/2020 old")
    plain_line.reset_counts()
    mapped.run("sync")
    assert b" COPY" not in plain_line.said("up") and b"MOVE" not in plain_line.said("up")
    assert_held(mapped, *mapped.older, below="/2020 old")
    assert_at_rest(mapped)


def test_by_its_use(channel, corpus):
    """The server's mailbox for a use, whatever it is called."""
    channel.keys["map"] = {"Outbox/Gone": "\\Sent"}
    sent = corpus.messages(2, "plain")
    channel.remote.fill({"INBOX": [], "Sent": sent})
    channel.run("sync")
    assert channel.local.state()[("Outbox", "Gone")] == contents(*sent)
    assert ("Sent",) not in channel.local.state()
    assert_at_rest(channel)


def test_what_is_covered_up_is_left_out(channel, corpus):
    channel.keys["map"] = {"Sent": GMAIL}
    channel.remote.fill({"Sent": corpus.messages(2), GMAIL: corpus.messages(1)})
    said = channel.run("sync", "-v").err
    assert "is left out" in said
    assert len(channel.local.state()[("Sent",)]) == 1
    assert len(channel.remote.state()[("Sent",)]) == 2


def test_a_map_that_is_added_later(channel, corpus):
    """Another mailbox of the server is meant from now on: matched anew, nothing is deleted or doubled."""
    plain, gmail = corpus.messages(2, "plain"), corpus.messages(3, "plain")
    channel.remote.fill({"Sent": plain, GMAIL: [*gmail, *plain]})
    channel.keys["mailboxes"] = ["*", "![Gmail]/*"]
    channel.run("sync")
    channel.keys["map"] = {"Sent": GMAIL}
    channel.keys.pop("mailboxes")
    channel.run("sync")
    assert channel.local.state()[("Sent",)] == contents(*plain, *gmail)
    assert channel.remote.state()[("[Gmail]", "Sent Mail")] == contents(*plain, *gmail)
    assert channel.remote.state()[("Sent",)] == contents(*plain), "nobody touches what is left out"
    assert_at_rest(channel)


def test_a_map_to_what_is_not_there_yet(channel, corpus):
    """Nobody deleted it: it is made."""
    sent = corpus.messages(3, "plain")
    channel.remote.fill({"INBOX": corpus.messages(1), "Sent": sent})
    channel.run("sync")
    channel.keys["map"] = {"Sent": GMAIL}
    channel.run("sync", "--allow-deletions")
    assert channel.local.state()[("Sent",)] == contents(*sent)
    assert channel.remote.state()[("[Gmail]", "Sent Mail")] == contents(*sent)
    assert channel.remote.state()[("Sent",)] == contents(*sent)
    assert_at_rest(channel)


@pytest.mark.parametrize("side", SIDES)
def test_trash_of_another_name(channel, corpus, side):
    channel.keys |= {"map": {"Bin": "\\Trash"}, "deletions": {"remote": "trash", "local": "trash"}}
    messages = corpus.messages(4, "plain")
    channel.remote.fill({"INBOX": messages, "Trash": []})
    channel.run("sync")
    channel.side(side).remove("INBOX", messages[0])
    channel.run("sync")
    channel.run("sync")
    assert channel.local.state()[("Bin",)] == channel.remote.state()[("Trash",)] == contents(messages[0])
    assert_at_rest(channel)


def test_what_is_shared_serves_no_use_of_ours(make_channel, servers, corpus):
    """Its \\Trash is for others to look into: what is deleted here does not go there."""
    channel = make_channel(server=servers(shared=True))
    channel.keys |= {"deletions": {"remote": "trash"}, "map": {"Bin": "\\Trash"}}
    messages = corpus.messages(2, "plain")
    channel.remote.create("Shared/Trash")
    channel.remote.add("INBOX", *messages)
    channel.run("sync")
    channel.local.remove("INBOX", messages[0])
    channel.run("sync")
    channel.run("sync")
    state = channel.remote.state()
    channel.remote.delete_mailbox("Shared/Trash")
    assert state[("Shared", "Trash")] == []
    assert channel.local.state()[("Bin",)] == state[("Bin",)] == contents(messages[0])


def subscribed(channel):
    _, rows = channel.remote.imap.lsub()
    return {row.decode().rsplit(' "/" ', 1)[-1].rsplit(" ", 1)[-1].strip('"') for row in rows if row}


def test_subscriptions_follow(channel, corpus):
    channel.keys["subscriptions"] = "yes"
    channel.remote.fill({"INBOX": corpus.messages(2)})
    channel.run("sync")
    channel.local.create("Work")
    channel.local.add("Work", *corpus.messages(2, "plain"))
    channel.run("sync")
    assert "Work" in subscribed(channel)
    os.rename(channel.local.directory("Work"), channel.local.directory("INBOX") + "/../Renamed")
    channel.run("sync")
    assert "Renamed" in subscribed(channel) and "Work" not in subscribed(channel)
    shutil.rmtree(channel.local.directory("Renamed"))
    channel.run("sync", "--allow-deletions")
    assert "Renamed" not in subscribed(channel)


def test_subscriptions_are_left_alone(channel, corpus):
    channel.remote.fill({"INBOX": corpus.messages(1)})
    channel.run("sync")
    channel.local.create("Work")
    channel.run("sync")
    assert ("Work",) in channel.remote.state() and "Work" not in subscribed(channel)
