# SPDX-License-Identifier: GPL-3.0-or-later
"""No round trip per message or mailbox, and nothing at all where nothing changed.

Counted by the proxy as `depth`: the round trips that a connection waits for one after the other.
"""
import re
import time

import pytest

from channel import contents

DELAY = 0.025  # one way: 50 ms there and back
ROUND_TRIP = 2 * DELAY
MAILBOXES = 40
FEW, MANY = 40, 400  # messages

# With implicit TLS: two round trips for the handshake, CAPABILITY and AUTHENTICATE by libcurl, then
# NAMESPACE/ID/ENABLE in one, LIST in one, LOGOUT in one.
NOOP_ROUND_TRIPS = 6
# A first run and one with changes everywhere, whatever the number of mailboxes and messages is.
PULL_ROUND_TRIPS = 9
PUSH_ROUND_TRIPS = 20
CHANGES_ROUND_TRIPS = 12

OPENING = re.compile(rb"^\S+ (SELECT|EXAMINE|STATUS)\b", re.M)
COMMAND = re.compile(rb"^\S+ ([A-Z]+)", re.M)
NAMED = re.compile(rb"^[AE]\d+ ((?:UID )?[A-Z]+)", re.M)
# The first two are libcurl's, and cannot be helped.
NOOP_COMMANDS = [b"CAPABILITY", b"AUTHENTICATE", b"NAMESPACE", b"LIST", b"LOGOUT"]


def fill(corpus, count=3):
    names = ["INBOX", *(f"box{number:02}" for number in range(1, MAILBOXES))]
    return {name: corpus.messages(count, "plain", flags="S") for name in names}


@pytest.fixture
def long_line(channel, make_proxy):
    proxy = make_proxy(channel.server.imaps_port, delay=DELAY)
    channel.remote_keys["port"] = proxy.port
    return proxy


def test_a_second_run_opens_nothing_and_writes_nothing(channel, plain_line, corpus):
    channel.remote.fill(fill(corpus))
    channel.sync()
    before = channel.disk()
    plain_line.reset_counts()
    channel.sync()
    assert channel.disk() == before
    said = plain_line.said("up")
    assert COMMAND.findall(said) == NOOP_COMMANDS
    assert len(plain_line.connections) == 1, "one connection is enough to see that"


def test_a_second_run_after_a_push_neither(channel, plain_line, corpus):
    channel.local.fill(fill(corpus))
    channel.sync()
    before = channel.disk()
    plain_line.reset_counts()
    channel.sync()
    assert channel.disk() == before
    assert not OPENING.search(plain_line.said("up"))


def test_only_what_changed_is_opened(channel, plain_line, corpus):
    boxes = fill(corpus)
    channel.remote.fill(boxes)
    channel.sync()
    new = corpus.message("plain")
    channel.remote.add("box07", new)
    plain_line.reset_counts()
    channel.sync()
    assert channel.state()[("box07",)] == contents(*boxes["box07"], new)
    opened = re.findall(rb"^\S+ (?:SELECT|EXAMINE) \"?([^\s\"]+)", plain_line.said("up"), re.M)
    assert set(opened) == {b"box07"}


def test_what_did_not_change_is_not_loaded(channel, corpus):
    """Damage to the rows of a journal is told by whoever reads them: its last line is enough where nothing changed."""
    boxes = fill(corpus)
    channel.remote.fill(boxes)
    channel.sync()
    damaged = f"{channel.state_directory}/box03.journal"
    with open(damaged, "rb") as file:
        whole = file.read()
    with open(damaged, "r+b") as file:
        file.seek(len(whole) // 2)
        file.write(bytes(255 - byte for byte in whole[len(whole) // 2:len(whole) // 2 + 4]))
    channel.remote.add("box07", corpus.message("plain"))
    assert channel.sync().err == ""
    channel.remote.add("box03", corpus.message("plain"))
    assert "box03" in channel.sync(status=None).err, "the rows are damaged"


def test_round_trips_of_a_second_run(channel, long_line, corpus):
    channel.remote.fill(fill(corpus, 1))
    channel.sync()
    long_line.reset_counts()
    channel.sync()
    print(f"nothing to do: {long_line.describe()}")
    assert long_line.most("depth") <= NOOP_ROUND_TRIPS, long_line.describe()


def test_round_trips_of_a_first_pull(channel, long_line, corpus):
    boxes = fill(corpus, 10)
    channel.remote.fill(boxes)
    start = time.monotonic()
    channel.sync()
    print(f"first pull: {time.monotonic() - start:.2f} s, {long_line.describe()}")
    assert channel.state() == {(name,): contents(*messages) for name, messages in boxes.items()}
    assert long_line.most("depth") <= PULL_ROUND_TRIPS, long_line.describe()


def test_round_trips_of_a_first_push(channel, long_line, corpus):
    boxes = fill(corpus, 10)
    channel.local.fill(boxes)
    start = time.monotonic()
    channel.sync()
    print(f"first push: {time.monotonic() - start:.2f} s, {long_line.describe()}")
    assert channel.state() == {(name,): contents(*messages) for name, messages in boxes.items()}
    assert long_line.most("depth") <= PUSH_ROUND_TRIPS, long_line.describe()


def test_many_messages_go_in_one_command(channel, plain_line, corpus):
    mail = corpus.messages(130, "empty-body")
    channel.local.fill({"INBOX": mail})
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*mail)}
    assert len(re.findall(rb"^\S+ APPEND ", plain_line.said("up"), re.M)) == 3, "64, 64, 2"


def test_round_trips_of_many_changes(channel, long_line, corpus):
    """Ten flag changes and deletions each way in one mailbox of a thousand messages."""
    messages = corpus.messages(1000, "empty-body", flags="")
    channel.remote.fill({"INBOX": messages})
    channel.sync()
    for number, message in enumerate(messages[:20]):
        channel.side(("local", "remote")[number % 2]).set_flags("INBOX", message, "FS"[number % 4 // 2])
    channel.local.remove("INBOX", *messages[20:30])
    long_line.reset_counts()
    channel.sync()
    print(f"many changes: {long_line.describe()}")
    assert len(channel.state()[("INBOX",)]) == 990
    assert long_line.most("depth") <= CHANGES_ROUND_TRIPS, long_line.describe()


LOGIN = ["CAPABILITY", "AUTHENTICATE", "NAMESPACE", "LIST"]
OPEN = ["ENABLE", "SELECT"]
# What is changed on the local side: what is said of it, and in how many turns.
COMMON = {
    "flags": ([*LOGIN, *OPEN, "UID STORE", "LOGOUT"], 6),
    # Dovecot does not tell what \\Deleted took where the message goes at once.
    "a deletion": ([*LOGIN, *OPEN, "UID STORE", "UID EXPUNGE", "SELECT", "UID FETCH", "LOGOUT"], 7),
    # Whether the server has room for a flag only the opening tells.
    "a move of a seen message": ([*LOGIN, *OPEN, "UID MOVE", "SELECT", "LOGOUT"], 7),
    "a new message with flags": ([*LOGIN, "APPEND", *OPEN, "LOGOUT"], 6),
    "a move": ([*LOGIN, *OPEN, "UID MOVE", "STATUS", "LOGOUT"], 6),
    "a new message": ([*LOGIN, "APPEND", "STATUS", "LOGOUT"], 5),
    "flags and a move": ([*LOGIN, *OPEN, "UID STORE", "UID MOVE", "STATUS", "LOGOUT"], 7),
    "a move and a new message there": ([*LOGIN, *OPEN, "UID MOVE", "STATUS", "APPEND", "STATUS", "LOGOUT"], 7),
    "flags in two mailboxes": ([*LOGIN, *OPEN, "UID STORE", "SELECT", "UID STORE", "LOGOUT"], 7),
}


@pytest.mark.parametrize("what", COMMON)
def test_turns_of_common_changes(channel, plain_line, corpus, what):
    """Each step in one flight, the next mailbox opened ahead, and no turn to see how it stands at the end."""
    mail = [*corpus.messages(3, "empty-body", flags="S"), *corpus.messages(3, "empty-body", flags="")]
    channel.remote.fill({"INBOX": mail[:4], "Done": mail[4:]})
    channel.sync()
    if what.startswith("flags"):
        channel.local.set_flags("INBOX", mail[0], "FS")
    if "two" in what:
        channel.local.set_flags("Done", mail[5], "FS")
    if "deletion" in what:
        channel.local.remove("INBOX", mail[1])
    if "move" in what:
        channel.local.move("INBOX", "Done", mail[2 if "seen" in what else 3])
    if "new" in what:
        channel.local.add("Done", corpus.message("empty-body", flags="S" if "with flags" in what else ""))
    plain_line.reset_counts()
    channel.sync()
    commands, turns = COMMON[what]
    assert [word.decode() for word in NAMED.findall(plain_line.said("up"))] == commands
    assert [connection.depth for connection in plain_line.connections] == [turns]
    before = channel.disk()
    plain_line.reset_counts()
    channel.sync()
    assert channel.disk() == before and not OPENING.search(plain_line.said("up")), "and that was to be believed"


def test_own_changes_are_confirmed_by_counting(channel, plain_line, corpus):
    """Where nobody else was at work, no message is told of again: neither what was moved nor what was flagged."""
    messages = corpus.messages(200, "empty-body", flags="")
    channel.remote.fill({"INBOX": messages, "Done": corpus.messages(5, "empty-body")})
    channel.sync()
    channel.local.move("INBOX", "Done", *messages[:100])
    for message in messages[100:150]:
        channel.local.set_flags("INBOX", message, "F")
    plain_line.reset_counts()
    channel.sync()
    state = channel.state()
    assert len(state[("Done",)]) == 105 and len(state[("INBOX",)]) == 100
    said = plain_line.said("down")
    assert len(re.findall(rb"^\* \d+ FETCH .*MODSEQ", said, re.M)) == 50, "the STORE's own answers"
    assert not re.search(rb"^\* \d+ FETCH .*INTERNALDATE", said, re.M)
    asked = plain_line.said("up")
    assert len(re.findall(rb"^\S+ SELECT ", asked, re.M)) == 1, "none is opened again to see how it stands"
    assert len(re.findall(rb"^\S+ STATUS ", asked, re.M)) == 1, "of where they came"
    before = channel.disk()
    plain_line.reset_counts()
    channel.sync()
    assert channel.disk() == before and not OPENING.search(plain_line.said("up"))


@pytest.mark.parametrize("whom", ["the message that is changed", "another"])
@pytest.mark.parametrize("what", ["STORE", "MOVE", "EXPUNGE"])
def test_others_at_work_beside_own_changes_are_seen(channel, plain_line, corpus, what, whom):
    """Somebody flags a message just before our own change arrives: no run takes that for its own doing."""
    mine, theirs = messages = corpus.messages(2, "empty-body", flags="")
    channel.remote.fill({"INBOX": messages, "Done": []})
    channel.sync()
    if what == "STORE":
        channel.local.set_flags("INBOX", mine, "F")
    elif what == "MOVE":
        channel.local.move("INBOX", "Done", mine)
    else:
        channel.local.remove("INBOX", mine)
    flagged = []

    def alter(direction, data):
        if direction == "up" and b"UID " + what.encode() in data and not flagged:
            flagged.append(mine if whom.startswith("the") else theirs)
            channel.remote.set_flags("INBOX", flagged[0], "R")
        return data

    plain_line.alter = alter
    channel.sync()
    assert flagged
    plain_line.alter = None
    channel.sync()
    assert sum("R" in row[1] for rows in channel.state().values() for row in rows) == (
        0 if what == "EXPUNGE" and whom.startswith("the") else 1)


def test_a_thousand_messages_in_one_mailbox(channel, long_line, corpus):
    """A round trip per message would take 50 s."""
    messages = corpus.messages(1000, "empty-body")
    channel.remote.fill({"INBOX": messages})
    start = time.monotonic()
    channel.sync()
    assert time.monotonic() - start < 1000 * ROUND_TRIP / 2
    assert channel.state()[("INBOX",)] == contents(*messages)


def count_syncs(channel, faults_program):
    """How often a run has something made durable: a file, a directory, a file system."""
    channel.evenmail = faults_program
    path = f"{channel.directory}/syncs"
    channel.run("sync", EVENMAIL_FAIL_WITH="sync", EVENMAIL_FAIL_COUNT=path)
    with open(path, encoding="ascii") as file:
        return int(file.read())


@pytest.mark.parametrize("work", ["pull", "push", "flags", "deletions"])
def test_syncs_do_not_grow_with_messages(make_channel, corpus, faults_program, work):
    """Of files and directories: none a message, few a portion, and none where there is nothing to do."""
    counts = []
    for number in (FEW, MANY):
        channel = make_channel()
        mail = corpus.messages(number, "empty-body", flags="")
        channel.side("local" if work == "push" else "remote").fill({"INBOX": mail})
        if work == "flags":
            channel.sync()
            channel.remote.set_all_flags("INBOX", "F")
        elif work == "deletions":
            channel.sync()
            channel.local.remove("INBOX", *mail[::4])
        counts.append(count_syncs(channel, faults_program))
        print(f"{work}, {number} messages: {counts[-1]} syncs")
        rows = channel.state()[("INBOX",)]
        assert len(rows) == number - (work == "deletions") * number // 4
        assert all(row[1] == "F" for row in rows) == (work == "flags")
        assert count_syncs(channel, faults_program) == 0
    assert 0 < counts[0] and counts[1] - counts[0] < (MANY - FEW) / 10, counts
