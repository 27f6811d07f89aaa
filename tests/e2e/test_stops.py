# SPDX-License-Identifier: GPL-3.0-or-later
"""A stop at any instant, and neighbours that do not wait: the next run ends as an unbroken one."""
import os
import random
import signal
import threading
import time

import pytest

from channel import contents

KILLS = 25
CUTS = 20
# Both sides change in every way at once: what a run may be stopped in the middle of.
NUMBER = 12


@pytest.fixture
def scene(make_channel, corpus):
    """scene() makes a channel with work in every direction, and says what must come of it."""
    kept, flagged, gone_here, gone_there = (corpus.messages(NUMBER, "plain", flags="") for _ in range(4))
    here, there, deep = (corpus.messages(NUMBER) for _ in range(3))

    def make(proxy=None):
        channel = make_channel()
        if proxy:
            channel.use_plain(proxy.port)
        channel.remote.add("INBOX", *kept, *flagged, *gone_here, *gone_there)
        channel.sync()
        channel.local.remove("INBOX", *gone_here)
        channel.remote.remove("INBOX", *gone_there)
        for number, message in enumerate(flagged):
            channel.side(("local", "remote")[number % 2]).set_flags("INBOX", message, "FS")
        channel.local.add("INBOX", *here)
        channel.remote.add("INBOX", *there)
        channel.local.fill({"New/here": deep})
        channel.remote.create("There")
        channel.remote.add("There", *deep[:3])
        channel.wanted = {
            ("INBOX",): contents(*kept, *[message.with_flags("FS") for message in flagged], *here, *there),
            ("New", "here"): contents(*deep), ("There",): contents(*deep[:3])}
        return channel

    return make


def assert_ends_well(channel):
    """Two runs: even, as wanted, nothing twice, nothing left behind; and the second finds nothing to do."""
    channel.sync()
    state = {mailbox: found for mailbox, found in channel.state().items() if found or mailbox in channel.wanted}
    assert state == channel.wanted
    assert not channel.local.litter()
    channel.sync()
    assert {mailbox: found for mailbox, found in channel.state().items() if found} == \
        {mailbox: found for mailbox, found in channel.wanted.items() if found}


def test_killed_at_random_instants(scene):
    """One after the other, each a little further; then the rest in one go."""
    chance = random.Random(1)
    channel = scene()
    for _ in range(KILLS):
        process = channel.start()
        time.sleep(chance.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert_ends_well(channel)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_line_cut_at_any_byte(scene, server, make_proxy, direction):
    proxy = make_proxy(server.imap_port)
    channel = scene(proxy)
    chance = random.Random(direction)
    for _ in range(CUTS):
        setattr(proxy, f"cut_{direction}", int(chance.lognormvariate(7.5, 1.2)))
        status = channel.sync(status=None).returncode
        assert status in (0, 1, 69), status
    setattr(proxy, f"cut_{direction}", None)
    assert_ends_well(channel)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop(scene, number):
    channel = scene()
    for wait in (0.02, 0.1, 0.2, 0.3):
        process = channel.start()
        time.sleep(wait)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        assert process.returncode != 99, err
    assert_ends_well(channel)


def test_two_runs_at_once(scene):
    channel = scene()
    processes = [channel.start() for _ in range(3)]
    ends = [process.communicate() and process.returncode for process in processes]
    assert 0 in ends and set(ends) <= {0, 75}, ends
    assert_ends_well(channel)


def test_a_mail_program_renames_meanwhile(channel, corpus):
    """Flags flicker as fast as files can be renamed: nothing is lost, doubled or deleted."""
    messages = corpus.messages(400, "empty-body", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    new = corpus.messages(5)
    channel.remote.add("INBOX", *new)
    stop = threading.Event()
    renamed = []

    def flicker():
        directory = channel.local.directory("INBOX")
        chance = random.Random(1)
        while not stop.is_set():
            for part in ("new", "cur"):
                for name in os.listdir(f"{directory}/{part}"):
                    unique = name.split(":2,")[0]
                    if "F" in name.partition(":2,")[2]:
                        continue
                    try:
                        os.rename(f"{directory}/{part}/{name}",
                                  f"{directory}/cur/{unique}:2,{chance.choice(['', 'S', 'R', 'RS'])}")
                        renamed.append(name)
                    except FileNotFoundError:
                        pass

    thread = threading.Thread(target=flicker)
    thread.start()
    try:
        for _ in range(8):
            channel.sync(status=None)
    finally:
        stop.set()
        thread.join()
    assert len(renamed) > 1000
    channel.sync()
    digests = [found[0] for found in channel.state()[("INBOX",)]]
    assert sorted(digests) == sorted(message.digest for message in messages + new)


def test_messages_vanish_and_appear_meanwhile(channel, corpus):
    messages = corpus.messages(200, "plain")
    channel.local.fill({"INBOX": messages})
    process = channel.start()
    gone = messages[::4]
    channel.local.remove("INBOX", *gone)
    process.communicate()
    assert process.returncode in (0, 1)
    channel.sync()
    channel.sync()
    left = {message.digest for message in messages} - {message.digest for message in gone}
    assert left <= {found[0] for found in channel.state()[("INBOX",)]}
    assert len(channel.state()[("INBOX",)]) == len({found[0] for found in channel.state()[("INBOX",)]})


def test_files_cannot_grow(channel, corpus):
    """No room for the larger messages: those that fit are here, nothing is left in tmp, and later all is."""
    small, large = corpus.messages(10, "empty-body"), corpus.messages(5, "large")
    channel.remote.add("INBOX", *small, *large)
    process = channel.start("sync", most_bytes=50_000)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (1, 74), err
    assert not channel.local.litter()
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*small, *large)
