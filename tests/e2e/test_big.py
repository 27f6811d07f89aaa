# SPDX-License-Identifier: GPL-3.0-or-later
"""The big one: 10,000 messages (some 150 MB) in 20 mailboxes down, 5,000 up, all equal."""
import re
import time

import pytest

from channel import contents
from corpus import Corpus

DOWN, UP, MAILBOXES = 10_000, 5_000, 20
MEDIAN_BYTES = 5_800  # which makes 150 MB of DOWN


def distribute(messages, prefix):
    names = ["INBOX", *(f"{prefix}/{number:02}" for number in range(1, MAILBOXES))]
    return {name: messages[number::MAILBOXES] for number, name in enumerate(names)}


def rate(what, messages, seconds):
    heavy = sum(len(message.body) for message in messages) / 1e6
    print(f"{what}: {len(messages)} messages, {heavy:.0f} MB, {seconds:.1f} s,"
          f" {len(messages) / seconds:.0f}/s, {heavy / seconds:.0f} MB/s")


@pytest.mark.big
def test_ten_thousand_down_and_five_thousand_up(channel, capsys):
    corpus = Corpus(10_000, MEDIAN_BYTES)
    down, up = corpus.messages(DOWN), corpus.messages(UP)
    assert 140e6 < sum(len(message.body) for message in down) < 160e6
    wanted = {tuple(name.split("/")): contents(*messages) for name, messages in distribute(down, "Down").items()}
    channel.remote.fill(distribute(down, "Down"))
    start = time.monotonic()
    channel.sync()
    pulled = time.monotonic() - start
    assert channel.local.state() == wanted

    for name, messages in distribute(up, "Up").items():
        channel.local.create(name)
        channel.local.add(name, *messages)
        key = tuple(name.split("/"))
        wanted[key] = sorted(wanted.get(key, []) + contents(*messages))
    start = time.monotonic()
    channel.sync()
    pushed = time.monotonic() - start
    assert channel.state() == wanted

    before = channel.disk()
    start = time.monotonic()
    protocol = channel.sync("-vv").err
    again = time.monotonic() - start
    assert channel.disk() == before
    assert "LIST" in protocol and not re.search(r"\b(SELECT|EXAMINE) ", protocol)
    with capsys.disabled():
        rate("\ndown", down, pulled)
        rate("up", up, pushed)
        print(f"nothing to do: {again:.2f} s")
