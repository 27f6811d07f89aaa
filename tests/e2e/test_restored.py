# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 9: journals or mail put back from a backup, alone or together, from any step of a history."""
import os
import shutil

import pytest

from channel import contents
from figures import note_figure

STEPS = 10


class History:
    """A channel, and copies of its tree and its state after each of ten steps."""

    def __init__(self, channel, corpus):
        self.channel = channel
        self.last = None
        channel.remote.create("Work")
        for step in range(STEPS):
            self.change(step, corpus)
            channel.sync()
            for part, path in self.parts():
                shutil.copytree(path, self.backup(part, step), symlinks=True)
        self.state = channel.state()

    def parts(self):
        return (("mail", self.channel.local_root), ("state", f"{self.channel.directory}/state"))

    def backup(self, part, step):
        return f"{self.channel.directory}/backup/{part}{step}"

    def change(self, step, corpus):
        """A few messages on each side, a flag, a deletion, a move."""
        channel = self.channel
        here, there, work = (corpus.messages(2, "plain", flags="") for _ in range(3))
        channel.remote.add("INBOX", *there)
        channel.remote.add("Work", *work)
        channel.local.fill({"INBOX": here})
        if step:
            old_here, old_there, old_work = self.last
            channel.local.remove("INBOX", old_here[0])
            channel.remote.remove("INBOX", old_there[0])
            channel.local.set_flags("INBOX", old_there[1], "F")
            channel.remote.move("Work", "INBOX", old_work[0])
        self.last = here, there, work

    def restore(self, part, step):
        for name, path in self.parts():
            if name == part:
                shutil.rmtree(path)
                shutil.copytree(self.backup(part, step), path, symlinks=True)


@pytest.fixture
def history(channel, corpus):
    return History(channel, corpus)


def digests(state):
    return {mailbox: sorted(row[0] for row in rows) for mailbox, rows in state.items()}


def assert_nothing_lost(history, state):
    """All that was there is there, each message once in its mailbox; what was deleted may have come back."""
    before = digests(history.state)
    for mailbox, found in digests(state).items():
        assert len(set(found)) == len(found), "doubled"
        assert set(before[mailbox]) <= set(found), "lost"


def assert_at_rest(channel):
    before, remote = channel.disk(), channel.remote.state()
    said = channel.sync().err
    assert (channel.disk(), channel.remote.state(), said) == (before, remote, ""), "a second run has work"


@pytest.mark.parametrize("odd", [0, 1])
def test_old_journals(history, odd):
    """The home was restored, the mail was not: all is known already."""
    channel = history.channel
    for step in range(odd, STEPS - 1, 2):
        history.restore("state", step)
        channel.sync()
        assert channel.state() == history.state, f"journals of step {step}"
        assert_at_rest(channel)
        note_figure("restored", 1, "backups put back")


@pytest.mark.parametrize("odd", [0, 1])
def test_old_mail(history, odd):
    """The mail was restored, the journals were not: what it lacks was not deleted by anybody."""
    channel = history.channel
    shutil.copytree(f"{channel.directory}/state", f"{channel.directory}/newest")
    for step in range(odd, STEPS - 1, 2):
        history.restore("mail", step)
        plan = channel.run("plan", status=2)
        assert "restored from a backup" in plan.err and "matches it anew" in plan.err
        said = channel.sync().err
        assert said.count("\n") == 1 and "restored from a backup" in said, said
        assert_nothing_lost(history, channel.state())
        assert_at_rest(channel)
        # The next step finds the account as it is by now.
        history.state = channel.state()
        note_figure("restored", 1, "backups put back")


@pytest.mark.parametrize("mail,state", [(2, 7), (7, 2), (0, 8), (8, 0), (5, 5), (4, 5), (5, 4)])
def test_old_mail_and_other_old_journals(history, mail, state):
    """Where both are old, the server has what came since."""
    history.restore("mail", mail)
    history.restore("state", state)
    said = history.channel.sync().err
    assert ("restored from a backup" in said) == (mail < state), said
    assert_nothing_lost(history, history.channel.state())
    assert_at_rest(history.channel)
    note_figure("restored", 1, "backups put back")


def test_two_channels_know_each_its_own(make_channel, corpus):
    """A tree that two channels share is put back: the second one sees it too, after the first has healed it."""
    one, other = make_channel(name="one"), make_channel(name="other")
    other.local_root = one.local_root
    one.keys["mailboxes"], other.keys["mailboxes"] = ["A*"], ["B*"]
    for channel, mailbox in ((one, "A"), (other, "B")):
        channel.remote.create(mailbox)
        channel.remote.add(mailbox, *corpus.messages(3, "plain"))
        channel.sync()
    shutil.copytree(one.local_root, f"{one.directory}/backup")
    for channel, mailbox in ((one, "A"), (other, "B")):
        for _ in range(3):
            channel.remote.add(mailbox, *corpus.messages(1, "plain"))
            channel.sync()
    before = one.remote.state(), other.remote.state()
    shutil.rmtree(one.local_root)
    shutil.copytree(f"{one.directory}/backup", one.local_root)
    for channel in (one, one, other, other):
        channel.sync()
    assert (one.remote.state(), other.remote.state()) == before
    local = one.local.state()
    assert local[("A",)] == before[0][("A",)] and local[("B",)] == before[1][("B",)]


def test_a_tree_put_back_by_half(channel, corpus):
    """Only one mailbox was put back, and the root's files were not: the guard is what there is then."""
    messages = corpus.messages(30, "plain")
    channel.remote.add("INBOX", *messages[:5])
    channel.sync()
    inbox = channel.local.directory("INBOX")
    shutil.copytree(inbox, f"{channel.directory}/backup")
    channel.remote.add("INBOX", *messages[5:])
    channel.sync()
    shutil.rmtree(inbox)
    os.rename(f"{channel.directory}/backup", inbox)
    channel.sync(status=2)
    assert channel.remote.state()[("INBOX",)] == contents(*messages)
