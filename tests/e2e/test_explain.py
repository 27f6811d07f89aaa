# SPDX-License-Identifier: GPL-3.0-or-later
"""What explain says of mailboxes and messages is what a sync then does; and it changes nothing."""
import json
import os
import re

import pytest

from answers import refuse
from channel import contents


@pytest.fixture
def pair(channel, corpus):
    """Even: four messages in INBOX, UIDs 1 to 4, and an empty Archive."""
    channel.mail = corpus.messages(4, "plain", flags="")
    channel.remote.add("INBOX", *channel.mail)
    channel.remote.create("Archive")
    channel.sync()
    return channel


def explain(channel, *words, status=0):
    """What --json says, the summary left out."""
    disk, remote = channel.disk(), channel.remote.state()
    lines = channel.run("explain", "--json", *words, status=status).out.splitlines()
    assert (channel.disk(), channel.remote.state()) == (disk, remote), "nothing is changed"
    events = [json.loads(line) for line in lines]
    assert events[-1]["event"] == "summary" and events[-1]["status"] == status
    return events[:-1]


def explain_one(channel, *words):
    event, = explain(channel, *words)
    assert (event["event"], event["channel"]) == ("explain", "test")
    return event


def planned(event):
    return [(op["rule"], op["op"], op["side"]) for op in event["plan"]]


def unique_name(channel, mailbox, message):
    return os.path.basename(channel.local.paths(mailbox, message)[0]).partition(":2,")[0]


def message_id(message):
    return re.search(rb"Message-ID:\s*(<[^>]*>)", message.body, re.I)[1].decode()


def test_unchanged(pair):
    event = explain_one(pair, "test/INBOX", "2")
    name = unique_name(pair, "INBOX", pair.mail[1])
    assert event["local"]["name"] == event["journal"]["name"] == name
    assert event["remote"]["uid"] == event["journal"]["uid"] == 2
    assert event["journal"]["digest"] == pair.mail[1].digest
    assert event["plan"] == [] and "rule" not in event
    assert "nothing to do: both sides and the journal agree" in pair.run("explain", "test/INBOX", "2").out


def test_a_message_by_any_name(pair):
    path = pair.local.paths("INBOX", pair.mail[2])[0]
    told = message_id(pair.mail[2])
    for word in ("3", path, os.path.basename(path), unique_name(pair, "INBOX", pair.mail[2]), told, told[1:-1]):
        assert explain_one(pair, "test/INBOX", word)["journal"]["uid"] == 3, word


def test_new(pair, corpus):
    here, there = corpus.messages(2, "plain", flags="F")
    pair.local.add("INBOX", here)
    pair.remote.add("INBOX", there)
    for word in (unique_name(pair, "INBOX", here), message_id(here)):
        event = explain_one(pair, "test/INBOX", word)
        assert planned(event) == [("M7", "copy", "remote")]
        assert event["local"]["flags"] == "F" and "remote" not in event and "journal" not in event
    for word in ("5", message_id(there)):
        event = explain_one(pair, "test/INBOX", word)
        assert planned(event) == [("M7", "copy", "local")]
        assert (event["remote"]["uid"], event["remote"]["size"]) == (5, len(there.body))


def test_deleted(pair):
    pair.local.remove("INBOX", pair.mail[0])
    pair.remote.remove("INBOX", pair.mail[1])
    event = explain_one(pair, "test/INBOX", "1")
    assert planned(event) == [("M2", "remove", "remote")] and "local" not in event and "remote" in event
    event = explain_one(pair, "test/INBOX", "2")
    assert planned(event) == [("M2", "remove", "local")] and "remote" not in event and "local" in event


def test_flags(pair):
    pair.remote.set_flags("INBOX", pair.mail[3], "S")
    event = explain_one(pair, "test/INBOX", "4")
    assert ("M4", "flag", "local") in planned(event)
    assert (event["local"]["flags"], event["remote"]["flags"], event["journal"]["flags"]) == ("", "S", "")


def test_moved(pair):
    pair.local.move("INBOX", "Archive", pair.mail[0])
    left = explain_one(pair, "test/INBOX", "1")
    came = explain_one(pair, "test/Archive", unique_name(pair, "Archive", pair.mail[0]))
    for event in (left, came):
        assert planned(event) == [("V1", "move", "remote")] and event["plan"][0]["to"] == "Archive"
    assert came["plan"][0]["from"] == "INBOX"
    whole = explain_one(pair, "test/Archive")
    assert [(op["rule"], op["count"], op["from"]) for op in whole["plan"]] == [("V1", 1, "INBOX")]


def test_refused(channel, plain_line, corpus):
    bad, good = corpus.messages(2, "plain")
    channel.remote.add("INBOX", bad)
    refuse(plain_line, rb"UID FETCH", "NO cannot convert this message", rb"BODY")
    channel.sync(status=1)
    channel.remote.add("INBOX", good)
    assert "not looked at: " in channel.run("explain", "test/INBOX", "1", status=1).err, "this is refused, too"
    plain_line.alter = None
    event = explain_one(channel, "test/INBOX", "1")
    assert event["rule"] == "M9" and "cannot convert" in event["notes"][0]["reason"]
    assert event["plan"] == [] and "local" not in event
    assert explain_one(channel, "test/INBOX")["refused"] == 1


def test_left_alone(channel, corpus):
    """What no rule wants is found all the same, although nothing changed since."""
    channel.keys["pull"] = ["flags", "deletions", "mailboxes"]
    channel.remote.add("INBOX", message := corpus.message("plain"))
    channel.sync()
    channel.sync()
    for word in ("1", message_id(message)):
        event = explain_one(channel, "test/INBOX", word)
        assert (event["rule"], event["plan"]) == ("M8", [])


def test_kept(channel, corpus):
    channel.keys["deletions"] = {"remote": "keep"}
    channel.remote.add("INBOX", message := corpus.message("plain"))
    channel.sync()
    channel.local.remove("INBOX", message)
    channel.sync()
    event = explain_one(channel, "test/INBOX", "1")
    assert (event["rule"], event["plan"], event["journal"]["gone"]) == ("M3", [], "local")


def test_mailbox(pair, corpus):
    event = explain_one(pair, "test/INBOX")
    assert event["plan"] == [] and not event["local"]["changed"] and not event["remote"]["changed"]
    assert (event["journal"]["pairs"], event["journal"]["even"]) == (4, True)
    assert event["remote"]["uidnext"] == event["journal"]["uidnext"] == 5
    pair.local.add("INBOX", *corpus.messages(3))
    pair.remote.remove("INBOX", pair.mail[0])
    event = explain_one(pair, "test/INBOX")
    assert event["local"]["changed"] and event["remote"]["changed"]
    assert sorted((op["rule"], op["op"], op["count"]) for op in event["plan"]) == [("M2", "remove", 1), ("M7", "copy", 3)]
    said = pair.run("explain", "test/INBOX").out
    assert "M7 remote copy 3: new on the other side" in said and "M2 local  remove 1" in said


@pytest.mark.parametrize("side", ["local", "remote"])
def test_mailbox_on_one_side(pair, corpus, side):
    pair.side(side).create("Fresh")
    pair.side(side).add("Fresh", corpus.message())
    event = explain_one(pair, "test/Fresh")
    other = {"local": "remote", "remote": "local"}[side]
    assert event["rule"] == "B1" and event[side]["exists"] and not event[other]["exists"]
    assert planned(event) == [("B1", "create", other), ("M7", "copy", other)]
    pair.keys["pull" if other == "local" else "push"] = ["new"]
    event = explain_one(pair, "test/Fresh")
    assert (event["rule"], event["plan"]) == ("B2", [])


def test_mailbox_that_is_gone(pair):
    pair.remote.create("Old")
    pair.remote.add("Old", *pair.mail[:2])
    pair.sync()
    pair.remote.delete_mailbox("Old")
    event = explain_one(pair, "test/Old")
    assert event["stopped_local"]["deletions"] == 2
    assert all(op["blocked"] for op in event["plan"])
    event = explain_one(pair, "test/Old", "1")
    assert planned(event) == [("M2", "remove", "local")] and event["plan"][0]["blocked"]


def test_mailbox_that_was_renamed(pair):
    """By its new name or its old one: the journal still has that."""
    pair.remote.create("Old")
    pair.remote.add("Old", *pair.mail[:2])
    pair.sync()
    pair.remote.rename_mailbox("Old", "New")
    for name in ("New", "Old"):
        event = explain_one(pair, f"test/{name}")
        assert event["mailbox"] == "New" and event["local"]["as"] == "Old"
        assert planned(event) == [("B5", "rename", "local")] and event["plan"][0]["to"] == "New"
        assert event["journal"]["pairs"] == 2
        assert explain_one(pair, f"test/{name}", "1")["plan"] == []


def test_uidvalidity(pair):
    """The survey forgets what the journal holds, and yet that is what explain shows."""
    pair.local.create("Work")
    pair.local.add("Work", *pair.mail[:2])
    pair.sync()
    pair.remote.delete_mailbox("Work")
    pair.remote.create("Work")
    pair.remote.add("Work", *pair.mail[2:], *pair.mail[:2])
    event = explain_one(pair, "test/Work", unique_name(pair, "Work", pair.mail[0]))
    assert event["remote"]["uid"] != event["journal"]["uid"]
    assert ("M6", "pair", "local") in planned(event)
    pair.sync()
    assert pair.state()[("Work",)] == contents(*pair.mail)


def test_what_does_not_exist(pair):
    assert "there is none on either side" in pair.run("explain", "test/Nowhere", status=1).err
    for word in ("77", "nobody@example.org", "1234.host:2,S"):
        assert explain(pair, "test/INBOX", word, status=1)[0]["event"] == "error"
        assert word in pair.run("explain", "test/INBOX", word, status=1).err


@pytest.mark.parametrize("words", ["", "test", "test/INBOX 1 2", "test/INBOX 0", "test/INBOX 4294967296",
                                   "other/INBOX", "test/INBOX cur/"])
def test_usage(pair, words):
    process = pair.run("explain", *words.split(), status=64)
    assert process.err and not process.out
