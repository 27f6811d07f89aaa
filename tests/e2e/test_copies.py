# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy within one side is a copy on the other (rules V3 and V4): no message is sent for it."""
import os
import shutil

import pytest

from answers import refuse
from channel import contents
from corpus import Message

PLAIN = "IMAP4rev1"
BODY_BYTES = 10_000


@pytest.fixture
def pair(channel, corpus):
    """Even: twelve messages in INBOX, three in Archive."""
    channel.inbox, channel.archive = corpus.messages(12, "plain"), corpus.messages(3, "plain")
    channel.remote.fill({"INBOX": channel.inbox, "Archive": channel.archive})
    channel.sync()
    return channel


def copy_file(channel, source, target, message, name=None, flags=None):
    """As cp -p does, or a mail program with a fresh name."""
    path, = channel.local.paths(source, message)
    base, _, letters = os.path.basename(path).partition(":2,")
    letters = letters if flags is None else flags
    shutil.copy2(path, os.path.join(channel.local.directory(target), "cur", f"{name or base}:2,{letters}"))


def copy_message(channel, source, target, message):
    channel.remote.imap.select(source)
    uid, = channel.remote.uids(source, message)
    channel.remote.ask("COPY", channel.remote.imap.uid("COPY", str(uid), target))


def inodes(channel, message):
    return {os.stat(path).st_ino for mailbox in channel.local.mailboxes()
            for path in channel.local.paths("/".join(mailbox), message)}


def assert_at_rest(channel, inbox, archive):
    state = channel.state()
    assert state[("INBOX",)] == contents(*inbox)
    assert state[("Archive",)] == contents(*archive)
    before = channel.disk()
    channel.sync()
    assert channel.state() == state
    assert channel.disk() == before, "and the next run has nothing to do"


@pytest.mark.parametrize("name", [None, "1700000000.fresh.host"], ids=["name kept", "fresh name"])
def test_copied_on_the_disk(pair, plain_line, name):
    message = pair.inbox[0]
    copy_file(pair, "INBOX", "Archive", message, name)
    plain_line.reset_counts()
    said = pair.run("sync", "-v").out
    up = plain_line.said("up")
    assert b"APPEND" not in up and b"UID COPY" in up
    assert "1 copied within" in said
    assert_at_rest(pair, pair.inbox, [*pair.archive, message])


@pytest.mark.parametrize("moved", [False, True], ids=["copied", "moved"])
def test_a_copy_of_its_own_date(pair, plain_line, moved):
    """As cp without -p leaves it: the message keeps its date, and the file takes it on."""
    message = pair.inbox[0]
    copy_file(pair, "INBOX", "Archive", message)
    path, = pair.local.paths("Archive", message)
    os.utime(path)
    if moved:
        pair.local.remove("INBOX", message)
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    assert_at_rest(pair, pair.inbox[moved:], [*pair.archive, message])


def test_copied_on_the_disk_with_other_flags(pair, plain_line):
    message = pair.inbox[0]
    copy_file(pair, "INBOX", "Archive", message, "1700000000.fresh.host", "FS")
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    assert_at_rest(pair, pair.inbox, [*pair.archive, Message(message.body, "FS", message.date)])


def test_copied_on_the_server(pair, plain_line):
    message = pair.inbox[0]
    copy_message(pair, "INBOX", "Archive", message)
    plain_line.reset_counts()
    pair.sync()
    assert b"BODY.PEEK[]" not in plain_line.said("up")
    assert len(inodes(pair, message)) == 1, "a link"
    assert_at_rest(pair, pair.inbox, [*pair.archive, message])


def test_flags_of_a_link_are_its_own(pair):
    message = pair.inbox[0]
    copy_message(pair, "INBOX", "Archive", message)
    pair.sync()
    pair.local.set_flags("Archive", message, "F")
    pair.sync()
    assert_at_rest(pair, pair.inbox, [*pair.archive, Message(message.body, "F", message.date)])


def test_link_no(pair, plain_line):
    pair.keys["link"] = "no"
    message = pair.inbox[0]
    copy_message(pair, "INBOX", "Archive", message)
    plain_line.reset_counts()
    pair.sync()
    assert b"BODY.PEEK[]" in plain_line.said("up")
    assert len(inodes(pair, message)) == 2
    assert_at_rest(pair, pair.inbox, [*pair.archive, message])


def test_in_several_mailboxes_at_the_first_run(channel, corpus, plain_line):
    """As Gmail's labels have it: one download, one file with three names."""
    messages = corpus.messages(5, "plain")
    channel.remote.fill({"INBOX": messages, "All": [], "Label": []})
    channel.remote.imap.select("INBOX")
    channel.remote.imap.uid("COPY", "1:*", "All")
    for message in messages[1:3]:
        copy_message(channel, "INBOX", "Label", message)
    plain_line.reset_counts()
    summary = channel.summary()
    assert summary["local"]["new"] == 5 and summary["local"]["copied"] == 7
    state = channel.state()
    assert state[("All",)] == contents(*messages) and state[("Label",)] == contents(*messages[1:3])
    assert all(len(inodes(channel, message)) == 1 for message in messages)


def test_the_original_is_deleted_at_the_same_time(pair, plain_line):
    """A copy made and its original gone is a move; of two copies one is the move and one a copy."""
    pair.remote.create("More")
    pair.sync()
    message = pair.inbox[0]
    copy_file(pair, "INBOX", "Archive", message, "1700000000.a.host")
    copy_file(pair, "INBOX", "More", message, "1700000000.b.host")
    pair.local.remove("INBOX", message)
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    assert pair.state()[("More",)] == contents(message)
    assert_at_rest(pair, pair.inbox[1:], [*pair.archive, message])


@pytest.mark.parametrize("side", ["local", "remote"])
def test_copied_into_a_new_mailbox(pair, plain_line, side):
    if side == "local":
        pair.local.create("New")
        copy_file(pair, "INBOX", "New", pair.inbox[0])
    else:
        pair.remote.create("New")
        copy_message(pair, "INBOX", "New", pair.inbox[0])
    plain_line.reset_counts()
    pair.sync()
    up = plain_line.said("up")
    assert b"APPEND" not in up and b"BODY.PEEK[]" not in up
    assert pair.state()[("New",)] == contents(pair.inbox[0])
    assert_at_rest(pair, pair.inbox, pair.archive)


def test_moved_to_different_places_sends_nothing(pair, plain_line):
    """Rule V4."""
    for name in ("Here", "There"):
        pair.remote.create(name)
    pair.sync()
    message = pair.inbox[0]
    pair.local.move("INBOX", "Here", message)
    pair.remote.move("INBOX", "There", message)
    plain_line.reset_counts()
    said = pair.run("plan", "-v").out
    assert "V4" in said and "moved to different mailboxes" in said
    pair.sync()
    up = plain_line.said("up")
    assert b"APPEND" not in up and b"BODY.PEEK[]" not in up
    state = pair.state()
    assert state[("Here",)] == state[("There",)] == contents(message)
    assert_at_rest(pair, pair.inbox[1:], pair.archive)


def test_moved_to_different_places_without_links(pair):
    pair.keys["link"] = "no"
    for name in ("Here", "There"):
        pair.remote.create(name)
    pair.sync()
    message = pair.inbox[0]
    pair.local.move("INBOX", "Here", message)
    pair.remote.move("INBOX", "There", message)
    pair.sync()
    state = pair.state()
    assert state[("Here",)] == state[("There",)] == contents(message)
    assert len(inodes(pair, message)) == 2
    assert_at_rest(pair, pair.inbox[1:], pair.archive)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_plain_imap4rev1(make_channel, servers, corpus, side):
    channel = make_channel(server=servers(capability=PLAIN))
    inbox, archive = corpus.messages(4, "plain"), corpus.messages(2, "plain")
    channel.remote.fill({"INBOX": inbox, "Archive": archive})
    channel.sync()
    if side == "local":
        copy_file(channel, "INBOX", "Archive", inbox[0], "1700000000.fresh.host", "F")
        copied = Message(inbox[0].body, "F", inbox[0].date)
    else:
        copy_message(channel, "INBOX", "Archive", inbox[0])
        copied = inbox[0]
    channel.sync()
    assert_at_rest(channel, inbox, [*archive, copied])


def test_a_file_that_changed_is_not_linked(pair, plain_line):
    """Names are not believed: what the file holds is."""
    message = pair.inbox[0]
    path, = pair.local.paths("INBOX", message)
    stat = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(stat.st_size - 3)
        file.write(b"!")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    copy_message(pair, "INBOX", "Archive", message)
    plain_line.reset_counts()
    pair.sync()
    assert b"BODY.PEEK[]" in plain_line.said("up")
    assert pair.local.state()[("Archive",)] == contents(*pair.archive, message)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_thousand(channel, corpus, plain_line, side):
    body = b"x" * 70 + b"\r\n"
    messages = [Message(message.body + body * (BODY_BYTES // len(body)), message.flags, message.date)
                for message in corpus.messages(1000, "empty-body")]
    channel.remote.fill({"INBOX": messages, "Archive": []})
    channel.sync()
    if side == "local":
        for part in ("cur", "new"):
            source = os.path.join(channel.local.directory("INBOX"), part)
            for name in os.listdir(source):
                shutil.copy2(os.path.join(source, name),
                             os.path.join(channel.local.directory("Archive"), part, name))
    else:
        channel.remote.imap.select("INBOX")
        channel.remote.imap.uid("COPY", "1:*", "Archive")
    plain_line.reset_counts()
    channel.sync()
    assert len(plain_line.said("up")) < 64 * 1024
    assert channel.state()[("Archive",)] == contents(*messages)


def test_copied_several_times_into_one_mailbox(pair, plain_line):
    """A UID that is named three times in a set is copied once."""
    message = pair.inbox[0]
    for number in range(3):
        copy_file(pair, "INBOX", "Archive", message, f"1700000000.copy{number}.host")
    copy_file(pair, "INBOX", "Archive", pair.inbox[1])
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    assert_at_rest(pair, pair.inbox, [*pair.archive, message, message, message, pair.inbox[1]])


def test_the_server_keeps_one_copy_only(channel, corpus, plain_line):
    """As Gmail does within a label: it is said once, and tried no more."""
    message = corpus.message("plain")
    channel.remote.fill({"INBOX": [message]})
    channel.sync()
    path, = channel.local.paths("INBOX", message)
    assert channel.remote.uids("INBOX", message) == ["1"]
    shutil.copy2(path, os.path.join(channel.local.directory("INBOX"), "cur", "1700000000.fresh.host:2,"))
    # The server holds the copy already, and says so: nothing new comes to be.
    refuse(plain_line, b"UID COPY", f"OK [COPYUID {channel.remote.uidvalidity('INBOX')} 1 1] Done")
    assert "one copy only" in channel.run("sync", status=1).err
    plain_line.reset_counts()
    channel.run("sync", status=None)
    assert b"COPY" not in plain_line.said("up") and b"APPEND" not in plain_line.said("up")
    assert len(channel.local.paths("INBOX", message)) == 2
    assert channel.remote.uids("INBOX", message) == ["1"]


def test_where_the_original_does_not_come(pair, corpus):
    """What waits in a mailbox for the user's word keeps nothing from coming into the others."""
    message = corpus.message("plain")
    shutil.rmtree(pair.local.directory("Archive"))
    pair.remote.add("INBOX", message)
    copy_message(pair, "INBOX", "Archive", message)
    pair.sync(status=2)
    assert pair.local.state()[("INBOX",)] == contents(*pair.inbox, message)


def test_where_the_originals_mailbox_cannot_be_made(pair, corpus):
    message = corpus.message("plain")
    with open(os.path.join(pair.local_root, "Aaa"), "w", encoding="ascii"):
        pair.remote.create("Aaa")
    pair.remote.add("INBOX", message)
    copy_message(pair, "INBOX", "Aaa", message)
    pair.sync(status=1)
    assert pair.local.state()[("INBOX",)] == contents(*pair.inbox, message)


def test_what_the_server_does_not_copy_is_sent(pair, plain_line):
    refuse(plain_line, b"UID COPY", "NO [CANNOT] No copies")
    message = pair.inbox[0]
    copy_file(pair, "INBOX", "Archive", message, "1700000000.fresh.host")
    pair.sync()
    plain_line.alter = None
    assert_at_rest(pair, pair.inbox, [*pair.archive, message])


def test_a_copy_to_a_new_mailbox_of_which_the_server_tells_nothing(channel, corpus, plain_line):
    """Its original was moved away just then, say: OK, and no COPYUID. The next run looks."""
    message = corpus.message("plain")
    channel.remote.fill({"INBOX": [message]})
    channel.sync()
    path, = channel.local.paths("INBOX", message)
    channel.local.create("Fresh")
    shutil.copy2(path, os.path.join(channel.local.directory("Fresh"), "cur", "1700000000.fresh.host:2,"))
    refuse(plain_line, b"UID COPY", "OK No messages copied.")
    channel.run("sync", status=None)
    plain_line.alter = None
    channel.sync()
    assert channel.state() == {("INBOX",): contents(message), ("Fresh",): contents(message.with_flags(""))}
