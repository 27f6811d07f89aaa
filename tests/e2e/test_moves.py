# SPDX-License-Identifier: GPL-3.0-or-later
"""A move stays a move: nothing is sent again, dates and flags survive, and nothing is ever in neither place."""
import json
import os
import subprocess

import pytest

from channel import contents
from corpus import Message
from local import files_of
from stopping import count_points, stop_at

MANY = 1000
BODY_BYTES = 10_000
# Of MANY messages of BODY_BYTES, with the line compressed: what names a message must come down.
MOST_BYTES = 64 * 1024

PLAIN = "IMAP4rev1"
NO_MOVE = ("IMAP4rev1 LITERAL+ ENABLE NAMESPACE UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC ESEARCH LIST-STATUS")


@pytest.fixture
def pair(channel, corpus):
    """Even: twelve messages in INBOX, three in Archive."""
    channel.inbox, channel.archive = corpus.messages(12, "plain"), corpus.messages(3, "plain")
    channel.remote.fill({"INBOX": channel.inbox, "Archive": channel.archive})
    channel.sync()
    return channel


def unique_names(channel):
    return sorted(os.path.basename(path).partition(":2,")[0] for mailbox in channel.local.mailboxes()
                  for path in files_of(channel.local.directory(mailbox)))


def assert_moved(channel, *moved, stayed):
    state = channel.state()
    assert state[("INBOX",)] == contents(*stayed)
    assert state[("Archive",)] == contents(*channel.archive, *moved)
    before = channel.disk()
    channel.sync()
    assert channel.state() == state
    assert channel.disk() == before, "and the next run has nothing to do"


@pytest.mark.parametrize("fresh_names", [False, True], ids=["name kept", "fresh name"])
def test_moved_on_the_disk(pair, plain_line, fresh_names):
    pair.local.move("INBOX", "Archive", *pair.inbox[:5], fresh_names=fresh_names)
    plain_line.reset_counts()
    pair.sync()
    said = plain_line.said("up")
    assert b"APPEND" not in said and b"UID MOVE" in said
    assert_moved(pair, *pair.inbox[:5], stayed=pair.inbox[5:])


def run_without(pair, program, mailbox, *command):
    """A run that can list the tree, and not read that mailbox; returns what it says."""
    sane, pair.evenmail = pair.evenmail, program
    for at in range(1, 20):
        process = pair.start(*command, EVENMAIL_FAIL_WITH="EIO+", EVENMAIL_FAIL_AT=str(at),
                             EVENMAIL_FAIL_WHERE=f"/{mailbox}/cur")
        out, err = process.communicate(timeout=60)
        assert process.returncode, err
        if f"mailbox {mailbox}" in err:
            break
    pair.evenmail = sane
    return out, err


def test_moved_on_the_disk_to_what_cannot_be_read(pair, faults_program):
    """What is gone from INBOX stays on the server until it can be added where it went; a plan knows that, too."""
    pair.local.move("INBOX", "Archive", *pair.inbox[:5], fresh_names=True)
    out, err = run_without(pair, faults_program, "Archive", "plan", "--json")
    assert err.count("nothing is removed on the remote side") == 1
    assert json.loads(out.splitlines()[-1])["remote"]["removed"] == 0
    _, err = run_without(pair, faults_program, "Archive", "sync")
    assert err.count("nothing is removed on the remote side") == 1
    assert pair.remote.state()[("INBOX",)] == contents(*pair.inbox)
    pair.sync()
    assert_moved(pair, *pair.inbox[:5], stayed=pair.inbox[5:])


@pytest.mark.parametrize("side", ["local", "remote"])
def test_moved_out_of_what_cannot_be_read(pair, corpus, faults_program, side):
    """Copied as new it would look deleted where it was in the next run, and go to the trash. Nothing else waits."""
    pair.keys["deletions"] = {"local": "trash", "remote": "trash"}
    pair.remote.create("Trash")
    pair.sync()
    come, new = corpus.message("plain"), corpus.message("plain")
    pair.local.add("INBOX", come)
    pair.side(side).move("INBOX", "Archive", *pair.inbox[:2])
    pair.side(side).add("Archive", new)
    _, err = run_without(pair, faults_program, "INBOX", "sync")
    assert "mailbox Archive: 2 of its new messages wait for the next run" in err
    for each, here in (("local", pair.local), ("remote", pair.remote)):
        waiting = pair.inbox[:2] if each == side else []
        assert here.state()[("Archive",)] == contents(*pair.archive, new, *waiting)
    pair.sync()
    state = pair.state()
    assert state[("INBOX",)] == contents(*pair.inbox[2:], come)
    assert state[("Archive",)] == contents(*pair.archive, new, *pair.inbox[:2])
    assert state[("Trash",)] == []


def test_moved_on_the_server(pair, plain_line):
    pair.remote.move("INBOX", "Archive", *pair.inbox[:5])
    names = unique_names(pair)
    plain_line.reset_counts()
    pair.sync()
    assert b"BODY.PEEK[]" not in plain_line.said("up")
    assert unique_names(pair) == names, "the files were renamed, not written anew"
    assert_moved(pair, *pair.inbox[:5], stayed=pair.inbox[5:])


@pytest.mark.parametrize("side", ["local", "remote"])
def test_flags_changed_with_the_move(pair, side):
    """On the side that moved, and on the other as well."""
    other = {"local": "remote", "remote": "local"}[side]
    message = pair.inbox[0].with_flags("")
    pair.side(side).set_flags("INBOX", pair.inbox[0], "")
    pair.sync()
    pair.side(side).set_flags("INBOX", message, "F")
    pair.side(side).move("INBOX", "Archive", message)
    pair.side(other).set_flags("INBOX", message, "RS")
    pair.sync()
    assert_moved(pair, message.with_flags("FRS"), stayed=pair.inbox[1:])


def test_moved_to_different_places(pair):
    """Both places keep it."""
    for name in ("Here", "There"):
        pair.remote.create(name)
    pair.sync()
    message = pair.inbox[0]
    pair.local.move("INBOX", "Here", message)
    pair.remote.move("INBOX", "There", message)
    pair.sync()
    state = pair.state()
    assert state[("INBOX",)] == contents(*pair.inbox[1:])
    assert state[("Here",)] == state[("There",)] == contents(message)


def test_moved_to_the_same_place_on_both_sides(pair):
    pair.local.move("INBOX", "Archive", pair.inbox[0])
    pair.remote.move("INBOX", "Archive", pair.inbox[0])
    pair.sync()
    assert_moved(pair, pair.inbox[0], stayed=pair.inbox[1:])


def test_moved_into_a_new_mailbox(pair, plain_line):
    pair.local.create("New")
    pair.local.move("INBOX", "New", *pair.inbox)
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    state = pair.state()
    assert state[("New",)] == contents(*pair.inbox) and state[("INBOX",)] == []


def test_moving_everything_is_no_alarm(pair):
    for side in ("local", "remote"):
        pair.side(side).move("INBOX", "Archive", *pair.inbox)
        pair.sync()
        assert pair.state()[("INBOX",)] == []
        pair.side(side).move("Archive", "INBOX", *pair.inbox)
        pair.sync()
        assert pair.state()[("INBOX",)] == contents(*pair.inbox)


def test_a_file_renamed_in_its_mailbox_is_the_same_message(pair, plain_line):
    pair.local.move("INBOX", "INBOX", *pair.inbox, fresh_names=True)
    plain_line.reset_counts()
    pair.sync()
    said = plain_line.said("up")
    assert not any(word in said for word in (b"APPEND", b"EXPUNGE", b"MOVE", b"STORE"))
    assert_moved(pair, stayed=pair.inbox)


def test_foreign_names_are_only_names(pair, plain_line):
    """mbsync's ,U= in a name that another program carried along."""
    for path in pair.local.paths("INBOX", pair.inbox[0]):
        base, _, letters = os.path.basename(path).partition(":2,")
        os.rename(path, os.path.join(pair.local.directory("Archive"), "cur", f"{base},U=7:2,{letters}"))
    plain_line.reset_counts()
    pair.sync()
    assert b"APPEND" not in plain_line.said("up")
    assert_moved(pair, pair.inbox[0], stayed=pair.inbox[1:])


def big_messages(corpus):
    body = b"x" * 70 + b"\r\n"
    return [Message(message.body + body * (BODY_BYTES // len(body)), message.flags, message.date)
            for message in corpus.messages(MANY, "empty-body")]


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_thousand_at_once(make_channel, servers, corpus, make_proxy, side):
    channel = make_channel(server=servers(deflate=True))
    channel.keys["compress"] = "yes"
    messages = big_messages(corpus)
    channel.remote.fill({"INBOX": messages, "Archive": []})
    channel.sync()
    if side == "local":
        move_all(channel)
    else:
        channel.remote.imap.select("INBOX")
        channel.remote.imap.uid("MOVE", "1:*", "Archive")
    proxy = make_proxy(channel.server.imaps_port)
    channel.remote_keys["port"] = proxy.port
    channel.sync()
    counted = proxy.describe()
    assert channel.state()[("Archive",)] == contents(*messages)
    assert counted["up"] < MOST_BYTES and counted["down"] < MOST_BYTES, counted
    print(f"{MANY} moved on the {side} side: {counted['up']} bytes up, {counted['down']} down")


def test_flags_that_move_along_are_not_listed(plain_line, channel, corpus):
    """A server that moved messages moved their flags; so many rows would cost more than the move."""
    messages = corpus.messages(5, "plain", flags="S")
    channel.remote.fill({"INBOX": messages, "Archive": []})
    channel.sync()
    move_all(channel)
    plain_line.reset_counts()
    channel.sync()
    assert channel.state()[("Archive",)] == contents(*messages)
    assert b"MOVE" in plain_line.said("up") and b" FETCH (" not in plain_line.said("down")


def move_all(channel):
    for part in ("cur", "new"):
        source = os.path.join(channel.local.directory("INBOX"), part)
        for name in os.listdir(source):
            os.rename(os.path.join(source, name), os.path.join(channel.local.directory("Archive"), part, name))


@pytest.mark.parametrize("capability", [PLAIN, NO_MOVE])
@pytest.mark.parametrize("side", ["local", "remote"])
def test_servers_without_move(make_channel, servers, corpus, capability, side):
    channel = make_channel(server=servers(capability=capability))
    messages, channel.archive = corpus.messages(6, "plain"), corpus.messages(2, "plain")
    channel.remote.fill({"INBOX": messages, "Archive": channel.archive})
    channel.sync()
    channel.side(side).move("INBOX", "Archive", *messages[:4])
    channel.sync()
    state = channel.state()
    assert state[("INBOX",)] == contents(*messages[4:])
    assert state[("Archive",)] == contents(*channel.archive, *messages[:4])
    channel.sync()
    assert channel.state() == state


@pytest.fixture
def mounts():
    """mounts(directory) mounts another file system there."""
    mounted = []

    def mount(directory):
        done = subprocess.run(["mount", "-t", "tmpfs", "none", directory], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("nothing can be mounted: " + done.stderr.decode().strip())
        mounted.append(directory)

    yield mount
    for directory in mounted:
        subprocess.run(["umount", directory], check=True)


def test_a_stop_at_every_step_across_file_systems(make_channel, faults_program, corpus, mounts, tmp_path):
    """Wherever the run stops, one of both places has it on the disk, and the next run finishes the move."""
    messages, archive = corpus.messages(3, "plain"), corpus.messages(1, "plain")

    def scene():
        channel = make_channel()
        channel.evenmail = faults_program
        channel.archive = archive
        channel.remote.fill({"INBOX": messages, "Archive": archive})
        os.makedirs(channel.local.directory("Archive"))
        mounts(channel.local.directory("Archive"))
        channel.sync()
        channel.remote.move("INBOX", "Archive", *messages[:2])
        return channel

    count = count_points(scene(), tmp_path)
    for point in range(1, count + 1):
        channel = scene()
        stop_at(channel, point)
        try:
            held = [row for rows in channel.local.state().values() for row in rows]
            assert all(message.state in held for message in messages)
            channel.sync()
            assert_moved(channel, *messages[:2], stayed=messages[2:])
        except AssertionError as error:
            raise AssertionError(f"stopped at point {point} of {count}: {error}") from error
        channel.close()
