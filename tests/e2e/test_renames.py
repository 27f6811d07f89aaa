# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox that is renamed on one side is renamed on the other (rule B5): no message is sent, its UIDs stay."""
import itertools
import os

import pytest

from answers import refuse
from channel import contents
from corpus import Message
from stopping import stop_at

PLAIN = "IMAP4rev1"
SENDING = (b"APPEND", b"BODY.PEEK[]", b" MOVE", b" COPY", b" STORE", b"EXPUNGE", b"CREATE", b"DELETE")
NEW = {"plain": "Renamed", "deeper": "Old/2026/Work", "unicode": "Büro & Co"}


@pytest.fixture
def work(channel, corpus):
    """Even: Work with 30 messages, two mailboxes below it, and one beside."""
    channel.held = {"Work": corpus.messages(30, "plain"), "Work/Deep": corpus.messages(3, "plain"),
                    "Work/Deep/Deeper": corpus.messages(2, "plain"), "Other": corpus.messages(2, "plain")}
    channel.remote.fill(channel.held)
    channel.sync()
    return channel


def rename(channel, side, old, new):
    if side == "remote":
        channel.remote.rename_mailbox(old, new)
        return
    target = channel.local.directory(new)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    os.rename(channel.local.directory(old), target)


def names_of(channel, mailbox):
    return sorted(name.partition(":2,")[0] for part in ("cur", "new")
                  for name in os.listdir(os.path.join(channel.local.directory(mailbox), part)))


def assert_renamed(channel, old, new):
    state = channel.state()
    assert (tuple(old.split("/"))) not in state
    for mailbox, messages in channel.held.items():
        if mailbox == old or mailbox.startswith(old + "/"):
            mailbox = new + mailbox[len(old):]
        assert state[tuple(mailbox.split("/"))] == contents(*messages), mailbox
    before = channel.disk()
    channel.sync()
    assert channel.state() == state
    assert channel.disk() == before, "and the next run has nothing to do"


def sync_without_sending(channel, line):
    """A run that moves no message and no content; returns what it said."""
    line.reset_counts()
    channel.sync()
    up = line.said("up")
    assert not any(word in up for word in SENDING), up
    return up


@pytest.mark.parametrize("new", NEW.values(), ids=NEW.keys())
@pytest.mark.parametrize("side", ["local", "remote"])
def test_renamed(work, plain_line, side, new):
    uidvalidity = work.remote.uidvalidity("Work")
    names = names_of(work, "Work")
    rename(work, side, "Work", new)
    plain_line.reset_counts()
    said = work.run("sync", "-v").out
    up = plain_line.said("up")
    assert not any(word in up for word in SENDING), up
    assert "mailbox renamed" in said
    assert work.remote.uidvalidity(new) == uidvalidity
    assert names_of(work, new) == names
    assert_renamed(work, "Work", new)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_the_plan_says_it_and_does_nothing(work, side):
    rename(work, side, "Work", "Renamed")
    before, disk = work.remote.mailboxes(), work.disk()
    said = work.run("plan", "-v").out
    assert "B5" in said and "Work to Renamed" in said
    assert work.remote.mailboxes() == before and work.disk() == disk
    work.sync()
    assert_renamed(work, "Work", "Renamed")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_changes_in_it_at_the_same_time(work, corpus, side):
    """Flags, deletions and new mail on both sides come along."""
    other = {"local": "remote", "remote": "local"}[side]
    messages, fresh = work.held["Work"], corpus.messages(2, "plain")
    rename(work, side, "Work", "Renamed")
    work.side(side).set_flags("Renamed", messages[0], "F")
    work.side(side).remove("Renamed", messages[1])
    work.side(side).add("Renamed", fresh[0])
    work.side(other).set_flags("Work", messages[2], "F")
    work.side(other).remove("Work", messages[3])
    work.side(other).add("Work", fresh[1])
    work.sync()
    flagged = [Message(message.body, "F", message.date) for message in (messages[0], messages[2])]
    work.held["Work"] = [*flagged, *messages[4:], *fresh]
    assert_renamed(work, "Work", "Renamed")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_one_below_goes_elsewhere(work, plain_line, side):
    """RENAME would take it along: what is renamed alone is renamed, the rest is moved."""
    rename(work, side, "Work/Deep", "Elsewhere")
    rename(work, side, "Work", "Renamed")
    plain_line.reset_counts()
    work.sync()
    up = plain_line.said("up")
    assert b"APPEND" not in up and b"BODY.PEEK[]" not in up
    held = work.held
    work.held = {"Renamed": held["Work"], "Elsewhere": held["Work/Deep"],
                 "Elsewhere/Deeper": held["Work/Deep/Deeper"], "Other": held["Other"]}
    assert_renamed(work, "Nowhere", "Nowhere")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_one_goes_below_where_another_was(work, plain_line, side):
    """That other one is renamed first, though its new name comes last: it would take the first along."""
    rename(work, side, "Work", "Years")
    rename(work, side, "Other", "Work/Other")
    sync_without_sending(work, plain_line)
    held = work.held
    work.held = {"Years": held["Work"], "Years/Deep": held["Work/Deep"],
                 "Years/Deep/Deeper": held["Work/Deep/Deeper"], "Work/Other": held["Other"]}
    assert_renamed(work, "Other", "Other")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_made_anew_under_the_old_name(work, corpus, plain_line, side):
    fresh = corpus.messages(2, "plain")
    rename(work, side, "Work", "Renamed")
    work.side(side).create("Work")
    work.side(side).add("Work", *fresh)
    work.sync()
    plain_line.reset_counts()
    work.sync()
    held = work.held
    work.held = {"Renamed": held["Work"], "Renamed/Deep": held["Work/Deep"], "Work": fresh}
    assert_renamed(work, "Nowhere", "Nowhere")


def test_renamed_differently_on_both_sides(work, plain_line):
    """The local name wins, with all that is below it."""
    rename(work, "local", "Work", "Here")
    rename(work, "remote", "Work", "There")
    assert b"RENAME" in sync_without_sending(work, plain_line)
    assert ("There",) not in work.state()
    assert_renamed(work, "Work", "Here")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_renamed_differently_where_one_cannot_be_looked_at(work, plain_line, side):
    """Neither goes to the other side as something new."""
    rename(work, "local", "Other", "Here")
    rename(work, "remote", "Other", "There")
    cur = work.local.directory("Here") + "/cur"
    if side == "local":
        os.rename(cur, cur + "-away")
    else:
        refuse(plain_line, b"SELECT", "NO [UNAVAILABLE] Not now")
    work.sync(status=1)
    if side == "local":
        os.rename(cur + "-away", cur)
    plain_line.alter = None
    work.sync()
    assert ("There",) not in work.state()
    assert_renamed(work, "Other", "Here")


def test_renamed_again_after_a_run_that_heard_no_answer(work, faults_program, plain_line):
    """What that run renamed on the server, its user renames once more here."""
    rename(work, "local", "Other", "First")
    work.evenmail, sane = faults_program, work.evenmail
    for point in itertools.count(1):
        assert stop_at(work, point), "or it ended"
        if ("First",) in work.remote.mailboxes():
            break
    work.evenmail = sane
    rename(work, "local", "First", "Second")
    assert b"RENAME" in sync_without_sending(work, plain_line)
    assert ("First",) not in work.state()
    assert_renamed(work, "Other", "Second")


def test_renamed_alike_on_both_sides(work, plain_line):
    rename(work, "local", "Work", "Renamed")
    rename(work, "remote", "Work", "Renamed")
    up = sync_without_sending(work, plain_line)
    assert b"RENAME" not in up
    assert_renamed(work, "Work", "Renamed")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_two_names_changed(work, plain_line, side):
    """Each is known again by itself."""
    rename(work, side, "Other", "First")
    rename(work, side, "Work/Deep", "Work/Second")
    sync_without_sending(work, plain_line)
    held = work.held
    work.held = {"First": held["Other"], "Work": held["Work"], "Work/Second": held["Work/Deep"],
                 "Work/Second/Deeper": held["Work/Deep/Deeper"]}
    assert_renamed(work, "Other", "Other")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_name_that_holds_no_messages(channel, corpus, plain_line, side):
    """The mailboxes below it are renamed one by one, and of the old name nothing is left."""
    channel.held = {"Work/Deep": corpus.messages(3, "plain"), "Work/More": corpus.messages(2, "plain")}
    channel.remote.fill(channel.held)
    channel.sync()
    rename(channel, side, "Work", "Renamed")
    sync_without_sending(channel, plain_line)
    assert_renamed(channel, "Work", "Renamed")
    assert not os.path.exists(os.path.join(channel.local_root, "Work"))
    assert b"Work" not in b"".join(channel.remote.imap.list()[1])


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
@pytest.mark.parametrize("side", ["local", "remote"])
def test_layouts(channel, corpus, layout, side):
    channel.layout = layout
    channel.held = {"Work": corpus.messages(5, "plain"), "Work/Deep": corpus.messages(3, "plain")}
    channel.remote.fill(channel.held)
    channel.sync()
    if side == "remote":
        channel.remote.rename_mailbox("Work", "Renamed")
    else:
        for mailbox in ("Work", "Work/Deep")[:1 if layout == "tree" else 2]:
            os.rename(channel.local.directory(mailbox), channel.local.directory("Renamed" + mailbox[4:]))
    channel.sync()
    assert_renamed(channel, "Work", "Renamed")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_plain_imap4rev1(make_channel, servers, corpus, side):
    channel = make_channel(server=servers(capability=PLAIN))
    channel.held = {"Work": corpus.messages(5, "plain"), "Work/Deep": corpus.messages(3, "plain")}
    channel.remote.fill(channel.held)
    channel.sync()
    rename(channel, side, "Work", "Renamed")
    channel.sync()
    assert_renamed(channel, "Work", "Renamed")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_not_where_mailboxes_may_not_change(work, side):
    work.keys["pull" if side == "remote" else "push"] = ["new", "flags", "deletions"]
    rename(work, side, "Other", "Renamed")
    other = {"local": "remote", "remote": "local"}[side]
    work.run("sync", status=None)
    assert ("Other",) in work.side(other).state()
    assert work.side(other).state()[("Other",)] == contents(*work.held["Other"])


def test_what_the_channel_leaves_out_below_does_not_go_along(make_channel, corpus):
    channel = make_channel()
    channel.keys["mailboxes"] = ["*", "!Work/Private"]
    channel.held = {"Work": corpus.messages(5, "plain"), "Work/Private": corpus.messages(2, "plain")}
    channel.remote.fill(channel.held)
    channel.sync()
    rename(channel, "local", "Work", "Renamed")
    channel.sync()
    remote = channel.remote.state()
    assert remote[("Work", "Private")] == contents(*channel.held["Work/Private"])
    assert remote[("Renamed",)] == contents(*channel.held["Work"])


def test_a_thousand(make_channel, servers, corpus, make_proxy):
    """A renamed mailbox of 1,000 costs no message, whichever side renamed it."""
    channel = make_channel(server=servers(deflate=True))
    messages = corpus.messages(1000, "empty-body")
    channel.held = {"Work": messages}
    channel.remote.fill(channel.held)
    channel.sync()
    proxy = make_proxy(channel.server.imaps_port)
    channel.remote_keys["port"] = proxy.port
    rename(channel, "local", "Work", "Here")
    channel.sync()
    local = proxy.describe()
    rename(channel, "remote", "Here", "There")
    channel.sync()
    total = proxy.describe()
    assert total["up"] < 16 * 1024
    assert local["down"] < 128 * 1024 and total["down"] - local["down"] < 256 * 1024, "rows, and no message"
    assert channel.state()[("There",)] == contents(*messages)
    print(f"renamed on the disk: {local['up']} bytes up, {local['down']} down; on the server: "
          f"{total['up'] - local['up']} up, {total['down'] - local['down']} down")


def test_what_the_server_does_not_rename_stays_even(work, corpus, plain_line):
    """It may refuse for ever, as for its own mailboxes: mail goes on under the two names."""
    held, fresh = work.held["Work"], corpus.messages(2, "plain")
    for below in ("Work/Deep/Deeper", "Work/Deep"):
        work.remote.delete_mailbox(below)
    work.sync("--allow-deletions")
    refuse(plain_line, b"RENAME", "NO [CANNOT] That one stays")
    rename(work, "local", "Work", "Renamed")
    work.remote.add("Work", fresh[0])
    work.local.add("Renamed", fresh[1])
    work.local.remove("Renamed", held[0])
    work.local.remove("Other", work.held["Other"][0])
    for _ in range(2):
        assert "refused to rename it" in work.sync(status=1).err
        assert work.remote.state()[("Work",)] == work.local.state()[("Renamed",)] == contents(*held[1:], *fresh)
        assert work.remote.state()[("Other",)] == contents(work.held["Other"][1])
    plain_line.alter = None
    work.sync()
    assert work.state()[("Renamed",)] == contents(*held[1:], *fresh)


def test_names_exchanged_on_the_server(channel, corpus, plain_line):
    """Two mailboxes that change their names there: files go where their messages are, none is sent, none doubled."""
    known = [message for message in corpus.messages(60, "plain") if b"Message-ID" in message.body]
    held = {"Alpha": known[:12], "Beta": known[12:30], "Gamma": known[30:33]}
    channel.remote.fill(held)
    channel.sync()
    for old, new in (("Alpha", "Between"), ("Beta", "Alpha"), ("Between", "Beta")):
        channel.remote.rename_mailbox(old, new)
    alpha, beta = held["Alpha"], held["Beta"]
    channel.local.set_flags("Alpha", alpha[0], "F")
    channel.remote.set_flags("Alpha", beta[0], "R")
    plain_line.reset_counts()
    said = channel.run("sync", "-v").out
    assert "30 moved" in said, said
    up = plain_line.said("up")
    assert not any(word in up for word in (b"APPEND", b"BODY.PEEK[]", b" MOVE", b" COPY", b"EXPUNGE")), up
    want = {("INBOX",): [], ("Gamma",): contents(*held["Gamma"]),
            ("Alpha",): contents(beta[0].with_flags("R"), *beta[1:]),
            ("Beta",): contents(alpha[0].with_flags("F"), *alpha[1:])}
    assert channel.state() == want
    before = channel.disk()
    channel.sync()
    assert channel.state() == want
    assert channel.disk() == before, "and the next run has nothing to do"
