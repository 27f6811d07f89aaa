# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves to where a run may not, or does not, look is not removed from where it was before it can be added there."""
import shutil

import pytest

from channel import contents

OTHER = {"local": "remote", "remote": "local"}
GONE = 2  # a question to the user
PART = 1


@pytest.fixture
def even(channel, corpus):
    """INBOX and Archive, kept even."""
    channel.messages = corpus.messages(6, "plain", flags="")
    channel.archive = corpus.messages(2, "plain", flags="")
    channel.remote.create("Archive")
    channel.remote.add("INBOX", *channel.messages)
    channel.remote.add("Archive", *channel.archive)
    channel.sync()
    return channel


@pytest.mark.parametrize("side", ["local", "remote"])
def test_what_may_have_moved_stays_until_all_is_looked_at(even, side):
    channel, other = even, even.side(OTHER[side])
    moved, deleted, *kept = channel.messages
    channel.side(side).move("INBOX", "Archive", moved)
    channel.side(side).remove("INBOX", deleted)
    planned = channel.summary("plan", "test/INBOX", status=PART)
    assert (planned[OTHER[side]]["moved"], planned[OTHER[side]]["removed"]) == (0, 0), "the plan is what a run does"
    for command in ("plan", "sync", "sync"):
        found = channel.run(command, "test/INBOX", status=PART)
        assert "may have moved to Archive" in found.err and "evenmail sync test" in found.err
        assert other.state()[("INBOX",)] == contents(*channel.messages)
    summary = channel.summary()
    assert (summary[OTHER[side]]["moved"], summary[OTHER[side]]["removed"]) == (1, 1)
    state = channel.state()
    assert state[("INBOX",)] == contents(*kept)
    assert state[("Archive",)] == contents(*channel.archive, moved)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_deletions_travel_where_nothing_can_have_moved(even, side):
    channel, other = even, even.side(OTHER[side])
    deleted, again, twice, *kept = channel.messages
    channel.side(side).remove("INBOX", deleted)
    channel.sync("test/INBOX")
    assert other.state()[("INBOX",)] == contents(again, twice, *kept)
    # Neither flags nor deletions elsewhere are anything new.
    one, two = channel.archive
    channel.side(side).set_flags("Archive", one, "F")
    channel.side(side).remove("Archive", two)
    channel.side(side).remove("INBOX", again)
    channel.sync("test/INBOX")
    assert other.state()[("INBOX",)] == contents(twice, *kept)
    # Nor is what came to the trash.
    channel.side(side).create("Trash")
    channel.side(side).move("INBOX", "Trash", twice)
    channel.sync("test/INBOX")
    assert other.state()[("INBOX",)] == contents(*kept)
    channel.sync()
    assert channel.state()[("Trash",)] == contents(twice)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_what_moves_between_named_mailboxes_is_a_move(even, corpus, side):
    channel = even
    moved, *kept = channel.messages
    channel.side(side).create("Drafts")
    channel.side(side).add("Drafts", corpus.message("plain", flags="D"))
    channel.side(side).move("INBOX", "Archive", moved)
    assert channel.summary("sync", "test/INBOX", "test/Archive")[OTHER[side]]["moved"] == 1
    for at in (channel.local, channel.remote):
        assert at.state()[("INBOX",)] == contents(*kept)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_who_keeps_one_mailbox_only_has_its_deletions_followed(channel, corpus, side):
    deleted, *kept = messages = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync("test/INBOX")
    channel.side(side).create("Lists")
    channel.side(side).add("Lists", corpus.message("plain", flags=""))
    channel.side(side).remove("INBOX", deleted)
    channel.sync("test/INBOX")
    for at in (channel.local, channel.remote):
        assert at.state()[("INBOX",)] == contents(*kept)


def test_what_may_have_moved_to_a_mailbox_that_is_gone_waits_for_the_answer(even, corpus):
    """Rule B3: nothing is added there before the user has said what becomes of it."""
    channel = even
    moved, deleted = corpus.message("no-message-id", flags=""), channel.messages[0]
    channel.remote.add("INBOX", moved)
    channel.sync()
    shutil.rmtree(channel.local.directory("Archive"))
    channel.remote.move("INBOX", "Archive", moved)
    channel.remote.remove("INBOX", deleted)
    for _ in range(2):
        channel.sync(status=GONE)
        assert channel.local.state()[("INBOX",)] == contents(*channel.messages[1:], moved)
    channel.sync("--allow-deletions", "test/Archive")
    channel.sync()
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*channel.messages[1:]), ("Archive",): contents(moved)}


def test_deletions_that_are_allowed_are_made(even, corpus):
    channel = even
    channel.local.remove("INBOX", *channel.messages[:2])
    channel.local.add("Archive", corpus.message("plain", flags=""))
    channel.sync("test/INBOX", status=PART)
    channel.sync("--allow-deletions", "test/INBOX")
    assert channel.remote.state()[("INBOX",)] == contents(*channel.messages[2:])
