# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 49: no half failure is silent: each exit status of the manual, its cause, and what --json says of it."""
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket

import pytest

from test_sequences import refuse

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "man" / "evenmail.1"


def even(channel, _):
    return ()


def one_message_refused(_, line):
    refuse(line(), rb"UID FETCH", "NO cannot convert this message", rb"BODY")
    return ()


def emptied(channel, _):
    channel.sync()
    channel.local.remove_all("INBOX")
    return ()


def wrong_usage(*_):
    return ("--no-such-option",)


def nobody_listens(channel, _):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        channel.remote_keys["port"] = free.getsockname()[1]
    return ()


def tree_is_a_file(channel, _):
    shutil.rmtree(channel.local_root, ignore_errors=True)
    with open(channel.local_root, "w", encoding="ascii") as file:
        file.write("no directory\n")
    return ()


def locked(channel, _):
    channel.sync()
    channel.held = os.open(f"{channel.state_directory}/lock", os.O_RDWR)
    fcntl.flock(channel.held, fcntl.LOCK_EX)
    return ()


def wrong_password(channel, _):
    channel.remote_keys["password"] = "wrong"
    return ()


def wrong_configuration(channel, _):
    channel.remote_keys["prot"] = 993
    return ()


# Status 70, an error of evenmail's own, cannot be called forth.
CAUSES = {0: even, 1: one_message_refused, 2: emptied, 64: wrong_usage, 69: nobody_listens, 74: tree_is_a_file,
          75: locked, 77: wrong_password, 78: wrong_configuration}


@pytest.mark.parametrize("status", CAUSES)
def test_status(channel, corpus, request, status):
    """The status, a word on stderr unless all is well, and the same status in the summary where a run began."""
    channel.remote.add("INBOX", *corpus.messages(30, "empty-body"))
    arguments = CAUSES[status](channel, lambda: request.getfixturevalue("plain_line"))
    done = channel.run("sync", "--json", *arguments, status=status)
    assert bool(done.err) == (status != 0), done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    if status not in (64, 78):
        assert events[-1]["event"] == "summary" and events[-1]["status"] == status, events[-1]


def test_the_manual_lists_them():
    section = re.search(r"(?ms)^\.Sh EXIT STATUS\n(.*?)^\.Sh ", MANUAL.read_text(encoding="utf-8"))[1]
    listed = {int(number) for number in re.findall(r"(?m)^\.It (\d+)$", section)}
    assert listed == {*CAUSES, 70}
