# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories on real servers: both sides change between and during runs, and runs are killed in their midst.

EVENMAIL_HISTORY=SEED plays that one again: as far as the machine's timing lets it.
"""
import os

import pytest

from figures import longer, note_figure, seed_from
from history import History
from policies import PolicyHistory, choose_policy
from test_servers import FULL

EACH = 5
SLICES = 8
POLICY_SLICES = 3
SERVERS = [" ".join(FULL),
           " ".join(name for name in FULL if name not in ("QRESYNC", "LIST-STATUS")),
           "IMAP4rev1 UIDPLUS MOVE",
           "IMAP4rev1"]


@pytest.fixture(scope="module")
def evenmail(faults_program):
    return faults_program


def play(make_channel, servers, seed, kind, keys):
    server = servers(capability=SERVERS[seed % len(SERVERS)])
    channel = make_channel(server=server)
    channel.use_plain()
    channel.keys.update(keys)
    history = kind(channel, seed)
    history.play()
    channel.close()
    return history


def play_slice(make_channel, servers, slice_, kind, keys_of):
    chosen = os.environ.get("EVENMAIL_HISTORY")
    count = longer(EACH)
    first = seed_from(1) + slice_ * count
    seeds = [int(chosen)] if chosen else range(first, first + count)
    if chosen and slice_:
        pytest.skip("one history was asked for")
    played = [play(make_channel, servers, seed, kind, keys_of(seed)) for seed in seeds]
    note_figure("histories", len(played), "on real Dovecot")
    note_figure("histories", sum(history.runs for history in played), "runs in them that something happened to")
    note_figure("histories", sum(history.stops for history in played), "of those killed")
    note_figure("histories", 0, "messages lost")
    note_figure("histories", 0, "messages doubled")


@pytest.mark.parametrize("slice_", range(SLICES))
def test_nothing_is_lost_nor_doubled(make_channel, servers, slice_):
    """At rest: both sides and the journal are equal, what no user deleted is there, once, and a run does nothing."""
    play_slice(make_channel, servers, slice_, History, lambda seed: {})


@pytest.mark.parametrize("slice_", range(POLICY_SLICES))
def test_no_policy_loses_or_doubles(make_channel, servers, slice_):
    """With less than all allowed, and runs that name mailboxes: each rest ends, and what may come has come."""
    play_slice(make_channel, servers, slice_, PolicyHistory, choose_policy)
