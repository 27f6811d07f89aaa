# SPDX-License-Identifier: GPL-3.0-or-later
"""Several connections at once: the same end as with one, whatever becomes of them."""
import random
import signal
import threading
import time

import pytest

from channel import contents
from stopping import count_points, stop_at
from test_keywords import Keywords

# What pays for another connection, in bytes (sync/share.h): so little that a small mailbox does.
PAYS = "200000"
HUGE = 120
SMALL = 4
MAILBOXES = 12
CUTS = 6
POINTS_TRIED = 24
LONG = 60  # seconds that one lane is held at most, until another has logged in


class Meeting:
    """
    Holds whoever moves content until two connections do and all are there: one alone could be done before
    another has logged in.
    """

    def __init__(self, line, connections):
        self.line = line
        self.connections = connections
        self.busy = set()
        self.changed = threading.Condition()

    def __call__(self, direction, data):
        if direction == "up" and (b"BODY.PEEK[]" in data or b"APPEND" in data):
            deadline = time.monotonic() + LONG
            with self.changed:
                self.busy.add(threading.get_ident())  # each connection is read by a thread of its own
                self.changed.notify_all()
                while not self.is_complete() and time.monotonic() < deadline:
                    self.changed.wait(0.05)
        return data

    def is_complete(self):
        return len(self.busy) > 1 and len(self.line.connections) >= self.connections


@pytest.fixture
def mail(corpus):
    """Many mailboxes and a huge one."""
    boxes = {f"box{number:02}": corpus.messages(SMALL, "plain", flags="S") for number in range(MAILBOXES)}
    return {"INBOX": corpus.messages(HUGE, "plain", flags="S"), **boxes}


@pytest.fixture
def wanted(mail):
    return {(name,): contents(*messages) for name, messages in mail.items()}


@pytest.fixture
def line(server, make_proxy):
    return make_proxy(server.imap_port, record=True)


@pytest.fixture
def make_laned(make_channel, line):
    """make_laned(connections=3, line=...) makes a channel that uses them at once."""
    default = line

    def make(connections=3, line=None, evenmail=None, **more):
        channel = make_channel(**more)
        channel.evenmail = evenmail or channel.evenmail
        channel.use_plain((line or default).port)
        channel.keys["connections"] = connections
        channel.lanes = {"EVENMAIL_LANE_PAYS": PAYS}
        return channel

    return make


def sync(channel, status=0, **more):
    return channel.run("sync", "-v", status=status, **channel.lanes, **more)


def fill(channel, direction, mail):
    {"pull": channel.remote, "push": channel.local}[direction].fill(mail)
    # Its own connection would count where the server allows few.
    channel.close()


def assert_even(channel, wanted):
    """As wanted, nothing left behind, and a run after it finds nothing to do."""
    assert channel.state() == wanted
    assert not channel.local.litter()
    before = channel.disk()
    channel.close()
    sync(channel)
    assert channel.disk() == before


@pytest.mark.parametrize("direction", ["pull", "push"])
@pytest.mark.parametrize("connections", [1, 2, 4])
def test_the_same_end_with_any_number(make_laned, line, mail, wanted, connections, direction):
    channel = make_laned(connections)
    fill(channel, direction, mail)
    line.alter = Meeting(line, connections) if connections > 1 else None
    sync(channel)
    assert len(line.connections) == connections
    if connections > 1:
        used = sum(b"BODY.PEEK[]" in said or b"APPEND" in said for said in
                   (b"".join(data for way, data in connection.transcript if way == "up")
                    for connection in line.connections))
        assert used > 1, "the work was shared"
    assert_even(channel, wanted)


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_one_huge_mailbox_is_shared(make_laned, line, mail, direction):
    channel = make_laned()
    fill(channel, direction, {"INBOX": mail["INBOX"]})
    line.alter = Meeting(line, 2)
    sync(channel)
    word = {"pull": b"BODY.PEEK[]", "push": b"APPEND"}[direction]
    said = [b"".join(data for way, data in connection.transcript if way == "up") for connection in line.connections]
    assert sum(word in of_one for of_one in said) > 1
    if direction == "push":
        # Dovecot takes memory in a session that has the mailbox open, for each message of another.
        assert 0 < said[0].find(b" SELECT ") < said[0].find(b" UNSELECT\r\n") < said[0].find(b" APPEND ")
    assert_even(channel, {("INBOX",): contents(*mail["INBOX"])})


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_every_lane_knows_the_names(make_laned, make_proxy, servers, corpus, direction):
    """Prefix, separator and encoding are learned by the first connection only."""
    server = servers(separator=".", prefix="INBOX.")
    proxy = make_proxy(server.imap_port)
    channel = make_laned(4, line=proxy, server=server)
    boxes = {name: corpus.messages(12, "plain") for name in ("INBOX", "Übung/täglich", "a&b", "x/y/z", "日本")}
    fill(channel, direction, boxes)
    sync(channel)
    assert len(proxy.connections) == 4
    found = {mailbox: messages for mailbox, messages in channel.state().items() if messages}
    assert found == {tuple(name.split("/")): contents(*messages) for name, messages in boxes.items()}


def test_lanes_share_a_table_of_keywords(make_laned, mail):
    """Letters are given out by whichever lane is the first with a keyword, and mean the same to all."""
    channel = make_laned(4)
    channel.remote.fill({"INBOX": mail["INBOX"]})
    keywords = Keywords(channel)
    labels = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]
    labelled = mail["INBOX"][::7]
    for number, message in enumerate(labelled):
        keywords.change_remote(message, "+FLAGS", labels[number % 5], labels[(number + 2) % 5])
    sync(channel)
    for number, message in enumerate(labelled):
        keywords.even(message, labels[number % 5], labels[(number + 2) % 5])
    assert sorted(keywords.table().values()) == sorted(labels)
    channel.close()
    before = channel.disk()
    sync(channel)
    assert channel.disk() == before


def test_little_to_do_opens_one_connection(make_laned, line, mail, corpus):
    channel = make_laned(16)
    channel.lanes = {}
    fill(channel, "pull", mail)
    sync(channel)
    assert len(line.connections) == 1
    channel.local.add("INBOX", corpus.message("plain"))
    line.reset_counts()
    sync(channel)
    sync(channel)
    assert len(line.connections) == 2, "one in each run"


@pytest.mark.parametrize("direction", ["pull", "push"])
@pytest.mark.parametrize("allowed", [1, 2])
def test_a_server_that_allows_few(make_laned, make_proxy, servers, mail, wanted, allowed, direction):
    """FAULTS 32: it refuses further logins, and the run goes on with those that it has."""
    server = servers(settings=f"mail_max_userip_connections = {allowed}")
    # A slow line, so that the others are refused before all is done.
    channel = make_laned(4, line=make_proxy(server.imap_port, rate=250_000), server=server)
    fill(channel, direction, mail)
    server.await_no_client()
    done = sync(channel)
    refused = done.err.count("goes on with fewer connections")
    # Dovecot lets in more than it allows where they come at the same instant.
    assert refused == 3 if allowed == 1 else refused <= 2, done.err
    assert channel.state() == wanted
    channel.close()
    server.await_no_client()
    assert channel.run("sync", **channel.lanes).err == ""


def test_a_connection_that_never_answers_is_not_awaited(make_laned, line, mail, wanted):
    """FAULTS 32."""
    line.silent = (1, 2)
    channel = make_laned()
    fill(channel, "pull", mail)
    begun = time.monotonic()
    sync(channel)
    assert time.monotonic() - begun < 55, "the time-out is a minute"
    line.silent = ()
    assert_even(channel, wanted)


def test_the_secret_is_asked_for_once(make_laned, line, mail, wanted):
    channel = make_laned()
    asked = f"{channel.directory}/asked"
    password = channel.remote_keys.pop("password")
    channel.remote_keys["password-command"] = f"echo x >>{asked}; echo {password}"
    fill(channel, "pull", mail)
    sync(channel)
    assert len(line.connections) == 3
    with open(asked, encoding="ascii") as file:
        assert file.read() == "x\n"
    assert channel.state() == wanted


@pytest.mark.parametrize("cut", range(CUTS))
def test_a_lost_connection_while_pulling(make_laned, line, mail, wanted, cut):
    """Others fetch what it has not brought home: the run itself ends even."""
    chance = random.Random(cut)
    line.cut_only = (1 + cut % 2,)
    line.cut_down = chance.randrange(500, 60_000)
    channel = make_laned()
    fill(channel, "pull", mail)
    sync(channel)
    line.cut_down = None
    assert_even(channel, wanted)


@pytest.mark.parametrize("cut", range(CUTS))
def test_a_lost_connection_while_pushing(make_laned, line, mail, wanted, cut):
    """What was on its way is in doubt: the run says so, and the next finds out."""
    chance = random.Random(cut)
    line.cut_only = (1 + cut % 2,)
    line.cut_up = chance.randrange(200, 100_000)
    channel = make_laned()
    fill(channel, "push", mail)
    done = sync(channel, status=None)
    assert done.returncode in (0, 1), done.err
    assert done.returncode == 0 or "the next run finds out which of them arrived" in done.err
    line.cut_up = None
    sync(channel)
    assert_even(channel, wanted)


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_the_main_connection_lost(make_laned, line, mail, wanted, direction):
    channel = make_laned()
    fill(channel, direction, mail)
    line.cut_only = (0,)
    setattr(line, {"pull": "cut_down", "push": "cut_up"}[direction], 40_000)
    sync(channel, status=69)
    line.cut_up = line.cut_down = None
    sync(channel)
    assert_even(channel, wanted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("direction", ["pull", "push"])
def test_stopped_at_random_instants(make_laned, faults_program, mail, wanted, direction, number):
    chance = random.Random(direction)
    channel = make_laned(evenmail=faults_program)
    fill(channel, direction, mail)
    for _ in range(CUTS):
        process = channel.start("sync", **channel.lanes)
        time.sleep(chance.uniform(0, 0.5))
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 1, -number), err
    sync(channel)
    sync(channel)
    assert_even(channel, wanted)


@pytest.mark.parametrize("slice_", range(2))
@pytest.mark.parametrize("direction", ["pull", "push"])
def test_killed_at_points(make_laned, faults_program, mail, wanted, tmp_path, direction, slice_):
    whole = make_laned(evenmail=faults_program)
    fill(whole, direction, mail)
    count = count_points(whole, tmp_path, **whole.lanes)
    assert count > POINTS_TRIED
    for number in range(slice_, POINTS_TRIED, 2):
        channel = make_laned(evenmail=faults_program)
        fill(channel, direction, mail)
        point = 1 + number * (count - 1) // (POINTS_TRIED - 1)
        stop_at(channel, point, **channel.lanes)
        sync(channel)
        assert channel.state() == wanted, f"stopped at point {point} of {count}"
        assert not channel.local.litter()
        channel.close()


@pytest.mark.parametrize("connections", [1, 4])
def test_the_disk_full_in_a_lane(make_laned, mail, wanted, connections):
    """It ends the run as it would with one."""
    channel = make_laned(connections)
    fill(channel, "pull", mail)
    process = channel.start("sync", most_bytes=3000, **channel.lanes)
    _, err = process.communicate()
    assert process.returncode == 74, err
    sync(channel)
    assert_even(channel, wanted)
