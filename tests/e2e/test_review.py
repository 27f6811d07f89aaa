# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences that a reader of the code found: each once lost, doubled or held back something."""
import re

import pytest

from channel import contents


@pytest.fixture
def half_done(channel, make_proxy, corpus):
    """A first run that was cut in its middle: some pairs are journaled, and the mailbox never was even."""
    mail = corpus.messages(30, "plain", flags="")
    channel.remote.create("Work")
    channel.remote.add("Work", *mail)
    proxy = make_proxy(channel.server.imap_port)
    channel.use_plain(proxy.port)
    proxy.cut_down = sum(len(message.body) for message in mail) // 2
    channel.sync(status=69)
    proxy.cut_down = None
    assert 0 < len(channel.local.state()[("Work",)]) < len(mail)
    channel.mail = mail
    return channel


def test_uidvalidity_changes_after_a_first_run_that_was_cut(half_done):
    mail = half_done.mail
    half_done.local.set_flags("Work", mail[0], "F")
    half_done.remote.delete_mailbox("Work")
    half_done.remote.create("Work")
    half_done.remote.add("Work", *reversed(mail))
    half_done.sync()
    assert half_done.state()[("Work",)] == contents(mail[0].with_flags("F"), *mail[1:])
