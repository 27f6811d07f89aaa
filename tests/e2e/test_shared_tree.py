# SPDX-License-Identifier: GPL-3.0-or-later
"""Two channels on one tree, as for a migration: two accounts, and all three sides even in the end."""

import pytest

from channel import Channel, contents
from figures import longer, note_figure

SECONDS = 300


@pytest.fixture
def trio(make_channel, tmp_path, server):
    """Two channels of one configuration on one tree: .first and .second."""
    place = tmp_path / "both"
    first = make_channel(name="first", directory=place)
    second = make_channel(name="second", directory=place)

    def write_config(*_):
        Channel.write_config(first, second)

    first.write_config = second.write_config = write_config
    return first, second


def settle(first, second, most=8):
    """Runs one after the other until a round changes nothing; returns how many rounds did."""
    for rounds in range(most):
        changed = 0
        for channel in (first, second):
            summary = channel.summary("sync", channel.name)
            changed += sum(sum(summary[side].values()) for side in ("local", "remote"))
        if not changed:
            return rounds
    raise AssertionError(f"not at rest after {most} rounds")


def mail_of(state):
    return {name: rows for name, rows in state.items() if rows}


def are_even(first, second, expected=None):
    local, one, other = (mail_of(side.state()) for side in (first.local, first.remote, second.remote))
    assert local == one == other
    if expected is not None:
        assert local == {tuple(name.split("/")): contents(*messages) for name, messages in expected.items()}


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
def test_three_sides_become_even(trio, corpus, layout):
    first, second = trio
    first.layout = second.layout = layout
    old, new, here = (corpus.messages(4, "plain") for _ in range(3))
    shared = corpus.message("plain")
    first.remote.create("Old")
    first.remote.add("Old", *old)
    first.remote.add("INBOX", shared)
    second.remote.add("INBOX", *new, shared)
    first.local.create("Here")
    first.local.add("Here", *here)
    assert settle(first, second) <= 2
    are_even(first, second, {"Old": old, "INBOX": [*new, shared], "Here": here})


def test_changes_go_round(trio, corpus):
    """Deliveries, flags, moves and deletions on each of the three reach the other two."""
    first, second = trio
    mail = corpus.messages(8, "plain", flags="")
    first.remote.create("Done")
    first.remote.add("INBOX", *mail)
    settle(first, second)
    first.remote.set_flags("INBOX", mail[0], "F")
    second.remote.set_flags("INBOX", mail[1], "S")
    first.local.set_flags("INBOX", mail[2], "R")
    first.remote.move("INBOX", "Done", mail[3])
    second.remote.move("INBOX", "Done", mail[4])
    first.local.move("INBOX", "Done", mail[5])
    first.remote.remove("INBOX", mail[6])
    second.remote.remove("INBOX", mail[7])
    first.local.add("INBOX", fresh := corpus.message("plain", flags=""))
    assert settle(first, second) <= 2
    are_even(first, second, {"INBOX": [mail[0].with_flags("F"), mail[1].with_flags("S"), mail[2].with_flags("R"), fresh],
                             "Done": mail[3:6]})


def run_both(first, second, stopped=None, point=0):
    """Runs both at the same time; one of them is killed at that point (base/fault.h)."""
    stops = [{"EVENMAIL_STOP_AT": str(point)} if number == stopped else {} for number in range(2)]
    processes = [channel.start("sync", channel.name, **stop) for channel, stop in zip((first, second), stops)]
    for number, process in enumerate(processes):
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode in ((0, 1, -9) if number == stopped else (0, 1)), out + err


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
@pytest.mark.parametrize("stopped", [None, 0, 1], ids=["unharmed", "first-stopped", "second-stopped"])
def test_both_at_once(trio, corpus, layout, stopped, faults_program):
    """Both run at the same time while mail comes and flags change on all three: nothing lost, nothing twice."""
    first, second = trio
    first.evenmail = second.evenmail = faults_program
    first.layout = second.layout = layout
    every = corpus.messages(6, "plain", flags="")
    first.remote.add("INBOX", *every[:3])
    second.remote.add("INBOX", *every[3:])
    flags = {}
    for round_ in range(longer(4)):
        fresh = corpus.messages(6, "plain", flags="")
        for side, pair in zip((first.remote, second.remote), (fresh[:2], fresh[2:4])):
            side.add("INBOX", *pair)
        if ("INBOX",) in first.local.mailboxes():
            first.local.add("INBOX", *fresh[4:])
        else:
            first.remote.add("INBOX", *fresh[4:])
        every += fresh
        if round_:
            first.local.set_flags("INBOX", every[0], flags.setdefault(every[0], "S"))
            first.remote.set_flags("INBOX", every[1], flags.setdefault(every[1], "F"))
            second.remote.set_flags("INBOX", every[2], flags.setdefault(every[2], "R"))
        run_both(first, second, stopped, point=10 + 25 * round_)
        if not round_:
            settle(first, second)
    assert settle(first, second) <= 4
    are_even(first, second, {"INBOX": [message.with_flags(flags.get(message, "")) for message in every]})
    note_figure("shared trees", 1, "pairs of channels at once on one tree, all even in the end")


def test_what_is_gone_meanwhile_is_gone(trio, corpus):
    """A deletion on one account while both run: it goes everywhere, and takes nothing else along."""
    first, second = trio
    mail = corpus.messages(20, "plain", flags="")
    first.remote.add("INBOX", *mail)
    settle(first, second)
    first.remote.remove("INBOX", *mail[:4])
    second.remote.remove("INBOX", *mail[4:8])
    first.local.remove("INBOX", *mail[8:10])
    run_both(first, second)
    assert settle(first, second) <= 4
    are_even(first, second, {"INBOX": mail[10:]})


def test_migration_one_way(trio, corpus):
    """As the manual has it: old gives, new takes, and neither loses."""
    old, new = trio
    old.keys = {"push": [], "deletions": {"local": "keep"}}
    new.keys = {"pull": []}
    mail = corpus.messages(5, "plain")
    old.remote.add("INBOX", *mail)
    for _ in range(2):
        old.sync(old.name)
        new.sync(new.name)
    assert new.remote.state()[("INBOX",)] == old.remote.state()[("INBOX",)] == contents(*mail)
    old.remote.remove("INBOX", *mail)
    old.sync(old.name)
    new.sync(new.name)
    assert new.remote.state()[("INBOX",)] == contents(*mail)
