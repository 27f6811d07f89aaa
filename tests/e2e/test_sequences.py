# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences that a reader of the code found: each once lost, doubled or held back something."""
import json
import os
import re
import shutil

import pytest

from answers import refuse
from channel import contents
from corpus import Message


@pytest.fixture
def half_done(channel, make_proxy, corpus):
    """A first run that was cut in its middle: some pairs are journaled, and the mailbox never was even."""
    mail = corpus.messages(30, "plain", flags="")
    channel.remote.create("Work")
    channel.remote.add("Work", *mail)
    proxy = make_proxy(channel.server.imap_port)
    channel.use_plain(proxy.port)
    proxy.cut_down = sum(len(message.body) for message in mail) // 2
    channel.sync(status=69)
    proxy.cut_down = None
    assert 0 < len(channel.local.state()[("Work",)]) < len(mail)
    channel.mail = mail
    return channel


def test_uidvalidity_changes_after_a_first_run_that_was_cut(half_done):
    mail = half_done.mail
    half_done.local.set_flags("Work", mail[0], "F")
    half_done.remote.delete_mailbox("Work")
    half_done.remote.create("Work")
    half_done.remote.add("Work", *reversed(mail))
    half_done.sync()
    assert half_done.state()[("Work",)] == contents(mail[0].with_flags("F"), *mail[1:])


def test_a_message_that_cannot_be_fetched_does_not_stop_deletions(channel, plain_line, corpus):
    """It is put aside with its reason; the next runs go on without it."""
    bad, good, gone = corpus.messages(3, "plain")
    channel.remote.create("Other")
    channel.remote.add("Other", gone, good)
    channel.sync()
    channel.remote.add("INBOX", bad)
    refuse(plain_line, rb"UID FETCH", "NO cannot convert this message", rb"BODY\.PEEK\[\]")
    channel.remote.remove("Other", gone)
    assert "cannot convert" in channel.sync(status=1).err
    channel.sync(status=1)
    assert channel.local.state()[("Other",)] == contents(good)
    channel.sync(status=1)
    channel.remote.remove("INBOX", bad)
    channel.sync()
    assert channel.state()[("INBOX",)] == []


def test_what_a_policy_leaves_alone_does_not_keep_a_mailbox_uneven(channel, corpus):
    """A backup of a mailbox in which the user reads and writes drafts: its head moves all the same."""
    channel.keys["push"] = []
    old, new, draft = corpus.message("plain", flags=""), corpus.message("plain"), corpus.message("plain")
    channel.remote.add("INBOX", old)
    channel.sync()
    channel.local.set_flags("INBOX", old, "S")
    channel.local.add("INBOX", draft)
    channel.remote.add("INBOX", new)
    lines = [json.loads(line) for line in channel.run("sync", "--json").out.splitlines()]
    assert [line["even"] for line in lines if line["event"] == "mailbox"] == [True]


def test_what_a_policy_leaves_alone_hides_nothing(make_channel, servers, corpus):
    """Counted, a message that was never wanted here stood in for one that is gone from the server."""
    channel = make_channel(server=servers(capability="IMAP4rev1 UIDPLUS MOVE ENABLE CONDSTORE ESEARCH"))
    unwanted, gone, new = corpus.messages(3, "plain")
    channel.keys["pull"] = ["flags", "deletions", "mailboxes"]
    channel.remote.add("INBOX", unwanted)
    channel.local.create("INBOX")
    channel.local.add("INBOX", gone)
    channel.sync()
    assert channel.remote.state() == {("INBOX",): contents(unwanted, gone)}
    channel.remote.remove("INBOX", gone)
    channel.remote.add("INBOX", new)
    channel.sync()
    assert channel.local.state() == {("INBOX",): []}


def test_a_mailbox_of_what_was_kept_may_go(channel, corpus):
    """Nothing would be deleted, so that is no alarm; and should it come back, its UIDs are others."""
    kept, new = corpus.messages(2, "plain", flags="")
    channel.remote.create("Work")
    channel.remote.add("Work", kept)
    channel.sync()
    channel.keys["deletions"] = {"local": "keep"}
    channel.remote.remove("Work", kept)
    channel.sync()
    del channel.keys["deletions"]
    channel.remote.delete_mailbox("Work")
    channel.sync()
    channel.sync()
    channel.remote.create("Work")
    channel.remote.add("Work", new)
    channel.sync()
    assert set(contents(new)) < set(channel.local.state()[("Work",)])
    assert set(contents(new)) <= set(channel.remote.state()[("Work",)])
    assert set(contents(kept)) <= set(channel.local.state()[("Work",)])


@pytest.mark.parametrize("mailbox", ["INBOX", "Work"])
def test_a_backup_of_a_mailbox_that_is_gone_here_goes_on(channel, corpus, mailbox):
    """Nobody is asked where nothing would be deleted, and what came since was left out in silence."""
    old, new = corpus.messages(2, "plain", flags="")
    channel.remote.fill({"INBOX": [], mailbox: [old]})
    channel.run("backup")
    shutil.rmtree(channel.local.directory(mailbox))
    channel.run("backup")
    assert (mailbox,) not in channel.local.state()
    channel.remote.add(mailbox, new)
    channel.run("backup")
    assert channel.local.state()[(mailbox,)] == contents(new)
    assert channel.remote.state()[(mailbox,)] == contents(old, new)


def test_what_is_new_in_an_archive_that_the_server_lost_is_told(channel, corpus):
    """Sent there, it would take along all that was kept here."""
    old, new = corpus.messages(2, "plain", flags="")
    channel.keys["deletions"] = {"local": "keep"}
    channel.remote.fill({"INBOX": [], "Work": [old]})
    channel.sync()
    channel.remote.delete_mailbox("Work")
    channel.sync()
    channel.local.add("Work", new)
    for _ in range(2):
        assert "test/Work: mailbox Work: it is gone from the server" in channel.sync(status=1).err
    assert channel.local.state()[("Work",)] == contents(old, new)
    channel.remote.create("Work")
    channel.sync()
    assert channel.state()[("Work",)] == contents(old, new)


def test_new_mail_in_a_mailbox_whose_others_both_sides_lost(channel, corpus):
    """It was left for the next run, and "nothing to do" was said."""
    old, new = corpus.messages(2, "plain", flags="")
    channel.remote.fill({"INBOX": [], "Work": [old]})
    channel.sync()
    channel.remote.delete_mailbox("Work")
    channel.local.remove("Work", old)
    channel.local.add("Work", new)
    channel.sync()
    assert channel.state()[("Work",)] == contents(new)


@pytest.mark.parametrize("kind", ["plain", "no-message-id"])
@pytest.mark.parametrize("side", ["local", "remote"])
def test_moved_to_the_trash_by_hand(channel, corpus, side, kind):
    """The user's move and the deletion's own way into the trash make one message there, not two.

    One that the server does not tell for certain is not moved but copied and removed (rule V5)."""
    message, other = corpus.message(kind, flags="S"), corpus.message("plain")
    channel.keys["deletions"] = {"local": "trash", "remote": "trash"}
    channel.remote.create("Trash")
    channel.remote.add("INBOX", message, other)
    channel.sync()
    if side == "remote":
        uid = channel.remote.uids("INBOX", message)[0]
        channel.remote.ask("SELECT", channel.remote.imap.select("INBOX"))
        channel.remote.ask("MOVE", channel.remote.imap.uid("MOVE", uid, "Trash"))
        channel.remote.imap.unselect()
    else:
        [path] = channel.local.paths("INBOX", message)
        os.rename(path, path.replace("/INBOX/", "/Trash/"))
    unsure = (side, kind) == ("remote", "no-message-id")
    assert ("V5" in channel.run("plan", "-v").out) == unsure
    channel.sync()
    channel.sync()
    channel.sync()
    state = channel.state()
    assert state[("INBOX",)] == contents(other)
    assert state[("Trash",)] == contents(message)


def test_a_trash_that_cannot_be_made_stops_only_what_needs_it(channel, plain_line, corpus):
    """The other deletions are done, and the mailboxes in which nothing failed are even."""
    messages = corpus.messages(4, "plain", flags="")
    channel.keys["deletions"] = {"remote": "trash"}
    channel.remote.create("Work")
    channel.remote.add("INBOX", *messages[:2])
    channel.remote.add("Work", *messages[2:])
    channel.sync()
    refuse(plain_line, b"CREATE")
    channel.local.remove("INBOX", messages[0])
    channel.remote.remove("Work", messages[2])
    found = channel.sync(status=1)
    assert "INBOX" in found.err
    assert channel.local.state()[("Work",)] == contents(messages[3])
    plain_line.alter = None
    channel.sync()
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(messages[1])
    assert channel.state()[("Trash",)] == contents(messages[0])


@pytest.mark.parametrize("held", [False, True], ids=["empty", "with mail"])
def test_a_mailbox_that_cannot_be_made_holds_back_what_may_be_in_it(channel, plain_line, corpus, held):
    """An empty one does not stop deletions elsewhere, be it refused in each run."""
    messages = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", *messages[:2])
    channel.sync()
    refuse(plain_line, b"CREATE", "NO [CANNOT] Character not allowed in mailbox name")
    channel.local.create("2026.05")
    if held:
        channel.local.add("2026.05", messages[2])
    channel.local.remove("INBOX", messages[0])
    for _ in range(2):
        assert "2026.05" in channel.sync(status=1).err
        assert channel.remote.state()[("INBOX",)] == contents(*messages[0 if held else 1:2])
    plain_line.alter = None
    channel.local.move("2026.05", "INBOX", *messages[2:2 + held])
    os.rename(f"{channel.local_root}/2026.05", f"{channel.local_root}/2026")
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*messages[1:2 + held]), ("2026",): []}


def test_a_mailbox_that_was_not_listed_is_not_filled_twice(channel, plain_line, corpus):
    """A list that leaves one out, or another client that makes it meanwhile: CREATE says that it is there."""
    mail = corpus.messages(3, "plain")
    channel.remote.create("Work")
    channel.remote.add("Work", *mail)
    channel.local.fill({"Work": mail})
    unlisted = re.compile(rb"\* (LIST|STATUS) [^\r]*Work[^\r]*\r\n")
    plain_line.alter = lambda direction, data: unlisted.sub(b"", data) if direction == "down" and b"* LIST" in data \
        else data
    assert "did not list it" in channel.sync(status=1).err
    plain_line.alter = None
    channel.sync()
    assert channel.state()[("Work",)] == contents(*mail)


@pytest.mark.parametrize("how", ["into", "anew"])
def test_a_draft_that_was_written_here_meanwhile(channel, corpus, how):
    """As mu4e saves one: the file keeps its name. Deleted on the server, what nobody else has is not lost."""
    draft, other = corpus.messages(2, "plain", flags="D")
    channel.local.fill({"Drafts": [draft]})
    channel.remote.create("Drafts")
    channel.sync()
    path, = channel.local.paths("Drafts", draft)
    written = Message(draft.body + b"one more line\r\n", "D", draft.date + 60)
    file = path if how == "into" else f"{channel.local_root}/Drafts/tmp/draft"
    with open(file, "wb") as out:
        out.write(written.body)
    os.utime(file, (written.date, written.date))
    os.rename(file, path)
    channel.remote.remove("Drafts", draft)
    channel.remote.add("Drafts", other)
    assert "changed here" in channel.sync().err
    assert channel.local.state()[("Drafts",)] == contents(written, other)
    assert channel.sync().err == ""
    assert channel.state()[("Drafts",)] == contents(written, other)


def test_another_date_alone_does_not_keep_a_file(channel, corpus):
    """Whatever dated it: the bytes are those that both sides had."""
    messages = corpus.messages(2, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    os.utime(channel.local.paths("INBOX", messages[0])[0], (1_400_000_000, 1_400_000_000))
    channel.remote.remove("INBOX", messages[0])
    assert channel.sync().err == ""
    assert channel.state()[("INBOX",)] == contents(messages[1])


ACL = "mail_plugins = acl\nplugin {\n  acl = vfile\n}\n"


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_what_the_server_removes_in_word_only_is_told(make_channel, servers, corpus, how):
    """Without the right to expunge Dovecot says OK, and the message is where it was: nothing was removed."""
    server = servers(settings=ACL, capability="IMAP4rev1 UIDPLUS")
    channel = make_channel(server=server)
    messages = corpus.messages(3, "plain", flags="")
    channel.remote.create("Team")
    channel.remote.add("Team", *messages)
    acl = f"{server.home(channel.user)}/Maildir/.Team/dovecot-acl"
    with open(acl, "w", encoding="ascii") as file:
        file.write("owner lrwsi\n")
    os.chown(acl, server.owner.pw_uid, server.owner.pw_gid)
    channel.close()
    channel.sync()
    if how == "deleted":
        channel.local.remove("Team", messages[0])
    else:
        channel.local.move("Team", "INBOX", messages[0])
    assert "they come back" in channel.sync(status=1).err
    channel.sync()
    assert channel.state() == {("Team",): contents(*messages),
                               ("INBOX",): contents(*messages[:how == "moved"])}


@pytest.mark.parametrize("push", [["new", "flags", "deletions"], ["new", "flags", "deletions", "mailboxes"]])
def test_what_waits_is_no_reason_to_write(channel, corpus, push):
    """New mail in a mailbox that the server lost, and that is not made again: each run finds it, and does nothing."""
    channel.keys |= {"push": push, "deletions": {"local": "keep"}}
    old, new = corpus.messages(2, "plain")
    channel.remote.create("Work")
    channel.remote.add("Work", old)
    channel.sync()
    channel.remote.delete_mailbox("Work")
    channel.local.add("Work", new)
    channel.run(status=None)
    before = channel.disk()
    channel.run(status=None)
    assert channel.disk() == before
    assert channel.local.state()[("Work",)] == contents(old, new)
