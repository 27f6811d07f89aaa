# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 16 and 17: clocks that jump, stand still, or are coarse."""
import glob
import os

import pytest

from channel import Channel, contents
from local import files_of

# What libfaketime calls them; past 2038 too.
CLOCKS = {"back": "-365d", "forward": "+3650d", "far": "+7300d", "frozen": "2026-01-01 00:00:00"}


@pytest.fixture
def fake(faults_program, server, tmp_path, user):
    """A channel, and environment(clock) for its runs."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        pytest.skip("libfaketime is missing (Debian: apt-get install faketime)")
    channel = Channel(faults_program, server, user, tmp_path)
    # A certificate is not valid in other years.
    channel.use_plain()
    channel.environment_of = lambda clock: {
        "LD_PRELOAD": found[0], "FAKETIME": CLOCKS[clock], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        "FAKETIME_NO_CACHE": "1"}
    yield channel
    channel.close()


def change(channel, corpus, kept):
    """New messages, flags and deletions on both sides; returns what there is then."""
    here, there = corpus.messages(4, "plain", flags=""), corpus.messages(12, "plain", flags="")
    channel.local.fill({"INBOX": here})
    channel.remote.add("INBOX", *there)
    if kept:
        channel.local.remove("INBOX", kept[0])
        channel.remote.remove("INBOX", kept[1])
        channel.local.set_flags("INBOX", kept[2], "F")
        channel.remote.set_flags("INBOX", kept[3], "S")
        kept = [kept[2].with_flags("F"), kept[3].with_flags("S"), *kept[4:]]
    return [*here, *there, *kept]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_that_jumps(fake, corpus, clock):
    """FAULTS 16: right, then wrong twice, then right again; each run sees all that changed before it."""
    messages = change(fake, corpus, [])
    fake.sync()
    assert fake.state()[("INBOX",)] == contents(*messages)
    for _ in range(2):
        messages = change(fake, corpus, messages)
        fake.run("sync", **fake.environment_of(clock))
        assert fake.state()[("INBOX",)] == contents(*messages)
        fake.run("sync", **fake.environment_of(clock))
        assert fake.state()[("INBOX",)] == contents(*messages)
    messages = change(fake, corpus, messages)
    fake.sync()
    assert fake.state()[("INBOX",)] == contents(*messages)
    before = fake.disk()
    fake.sync()
    assert fake.disk() == before


def test_names_are_unique_while_the_clock_stands(fake, corpus):
    """FAULTS 16: two runs of one second, in which many are delivered."""
    messages = []
    for _ in range(2):
        new = corpus.messages(40, "empty-body")
        messages += new
        fake.remote.add("INBOX", *new)
        fake.run("sync", **fake.environment_of("frozen"))
    assert fake.state()[("INBOX",)] == contents(*messages)
    names = [os.path.basename(path) for path in files_of(fake.local.directory("INBOX"))]
    assert len({name.split(".")[0] for name in names}) == 1, "the clock stood still"


def whole_seconds(channel):
    """Makes the directories' times those of a file system that keeps no fractions."""
    for part in ("cur", "new"):
        path = f"{channel.local.directory('INBOX')}/{part}"
        status = os.stat(path)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns // 10 ** 9 * 10 ** 9))


def test_directory_times_of_whole_seconds(channel, corpus):
    """FAULTS 17: a change in the second in which a run looked leaves the times as they were, and is seen."""
    messages = corpus.messages(6, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    for number in range(4):
        whole_seconds(channel)
        channel.sync()
        channel.local.set_flags("INBOX", messages[number], "F")
        whole_seconds(channel)
        channel.sync()
        messages[number] = messages[number].with_flags("F")
        assert channel.remote.state()[("INBOX",)] == contents(*messages)


def test_a_change_right_after_a_run_is_seen(channel, corpus):
    """FAULTS 17: as soon as the run has ended."""
    messages = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    for number in range(15):
        message = messages[number % 3]
        flags = "F" if "F" not in message.flags else ""
        channel.local.set_flags("INBOX", message, flags)
        messages[number % 3] = message.with_flags(flags)
        channel.sync()
        assert channel.remote.state()[("INBOX",)] == contents(*messages)
