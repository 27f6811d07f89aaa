# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail programs at work while runs scan, apply and commit: thousands of files that never rest (FAULTS 12, 13)."""
import json
import pathlib
import subprocess
import sys

import pytest

from corpus import Message
from figures import longer, note_figure

MUA = pathlib.Path(__file__).with_name("mua.py")
MOST_RESTS = 6


@pytest.fixture(scope="module")
def evenmail(faults_program):
    return faults_program


class Work:
    """A mail program at work on a channel's tree, for as long as the block lasts."""

    def __init__(self, channel, seed, *doings):
        self.argv = [sys.executable, str(MUA), channel.local_root, str(seed), *doings]
        self.left = None

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate("stop\n", timeout=60)
        assert self.process.returncode == 0
        self.left = json.loads(out)


def small(count, first=1):
    return [Message(b"X-Number: %d\r\nMessage-ID: <%d@test>\r\n\r\nfew words\r\n" % (number, number), "",
                    1_000_000_000 + number) for number in range(first, first + count)]


def numbers(state):
    """{mailbox: sorted digests}"""
    return {mailbox: sorted(row[0] for row in rows) for mailbox, rows in state.items() if rows}


def come_to_rest(channel):
    """Runs until one does nothing; at most so many."""
    for _ in range(MOST_RESTS):
        before = channel.disk()
        channel.sync("--allow-deletions")
        if channel.disk() == before:
            return
    raise AssertionError(f"{MOST_RESTS} runs in a row did something")


def test_no_file_under_rename_is_taken_for_deleted(channel):
    """FAULTS 12: ten thousand files in one directory, renamed without end: none is ever missed, nor taken for new."""
    messages = small(10_000)
    channel.use_plain()
    channel.remote.fill({"INBOX": messages})
    channel.sync()
    count = longer(6)
    with Work(channel, 1, "flag=", "arrive=") as work:
        for _ in range(count):
            found = channel.summary()
            assert [found[side][what] for side in ("local", "remote") for what in ("removed", "new")] == [0] * 4, found
    assert work.left["deeds"]["flag"] > 5000
    come_to_rest(channel)
    assert numbers(channel.state()) == {("INBOX",): sorted(message.digest for message in messages)}
    note_figure("MUA at work", work.left["deeds"]["flag"] + work.left["deeds"]["arrive"], "renames of 10,000 files")
    note_figure("MUA at work", count, "runs beside them")


BOXES = ["INBOX", "Work", "Work/2026", "Lists"]
ALL = ("flag=", "arrive=", "move=2000", "copy=300", "remove=300", "redo=500", "deliver=300")


def fill(channel, each):
    channel.use_plain()
    channel.remote.fill({name: small(each, 1 + each * index) for index, name in enumerate(BOXES)})
    channel.sync()


@pytest.mark.parametrize("seed", range(2))
def test_the_end_is_as_the_mail_program_left_it(channel, seed):
    """
    FAULTS 12, 13: it renames, moves, copies, removes, writes anew and delivers in four mailboxes. Nobody is at work
    on the server: so at rest both sides are what the mail program left, message for message, in their places.
    """
    fill(channel, 500)
    count = longer(20)
    with Work(channel, seed, *ALL) as work:
        for _ in range(count):
            channel.sync("--allow-deletions")
    assert all(work.left["deeds"].values()), work.left
    left = channel.local.state()
    come_to_rest(channel)
    assert channel.state() == left
    note_figure("MUA at work", sum(work.left["deeds"].values()), "deeds of all kinds")
    note_figure("MUA at work", count, "runs beside them")

