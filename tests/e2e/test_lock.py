# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 11: runs of one channel at the same time; and what was refused, tried again at once."""
import fcntl
import re
import signal
import socket
import threading
import time

import pytest

from answers import refuse
from channel import contents
from figures import longer, note_figure

LOCKED = 75
SECONDS = 300


@pytest.fixture
def held(channel):
    """A channel whose lock another program holds; held() lets it go."""
    channel.sync()
    file = open(f"{channel.state_directory}/lock", "r+", encoding="ascii")
    fcntl.flock(file, fcntl.LOCK_EX)
    yield channel, file.close
    file.close()


def await_line(process, words):
    """Reads standard error up to a line that holds the words."""
    lines = []
    while not lines or words not in lines[-1]:
        lines.append(process.stderr.readline())
        assert lines[-1], f"{words!r} was never said: {lines}"


def test_a_run_that_meets_another_ends_at_once(held):
    channel, _ = held
    with open(f"{channel.state_directory}/lock", "w", encoding="ascii") as file:
        file.write("process 77 on elsewhere since 2026-01-01T00:00:00Z\n")
    assert "another run holds the lock: process 77 on elsewhere since 2026" in channel.sync(status=LOCKED).err
    channel.run("sync", "--wait=0", status=LOCKED)


def test_a_run_waits_as_long_as_it_takes(held, corpus):
    channel, release = held
    channel.remote.add("INBOX", message := corpus.message("plain"))
    process = channel.start("sync", "--wait", "-v")
    await_line(process, "waiting for its end")
    assert process.poll() is None
    release()
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert channel.state()[("INBOX",)] == contents(message)


def test_a_run_waits_no_longer_than_it_may(held):
    channel, _ = held
    begun = time.monotonic()
    channel.sync("--wait=1", status=LOCKED)
    assert time.monotonic() - begun >= 1
    channel.run("backup", "--wait=1", status=LOCKED)
    channel.run("verify", "--repair", "--wait=1", status=LOCKED)


def test_who_waits_can_be_stopped(held):
    channel, _ = held
    process = channel.start("sync", "--wait", "-v")
    await_line(process, "waiting for its end")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 1


def test_who_only_reads_does_not_ask_for_the_lock(held):
    channel, _ = held
    for command in ("plan", "verify", "status", "journal"):
        channel.run(command)


@pytest.mark.parametrize("text", [b"process 1 since 2020-01-01T00:00:00Z\n",
                                  b"process 4194000 on another-host since 2020-01-01T00:00:00Z\n", b"",
                                  b"\xff\x00 junk"], ids=["alive", "other-host", "empty", "junk"])
def test_what_a_dead_run_wrote_blocks_nobody(channel, text):
    """A reboot, a killed process or another host leave a text, and no lock: the pid in it may even live."""
    channel.sync()
    with open(f"{channel.state_directory}/lock", "wb") as file:
        file.write(text)
    channel.sync()
    with open(f"{channel.state_directory}/lock", "rb") as file:
        said = file.read().decode()
    assert re.fullmatch(rf"process \d+ on {re.escape(socket.gethostname())} since [-0-9T:]+Z\n", said)


def test_the_holder_is_killed(channel, make_proxy, corpus):
    """Who waits goes on at once; what the holder had begun is neither lost nor doubled."""
    messages = corpus.messages(30, "plain")
    channel.remote.add("INBOX", *messages)
    line = make_proxy(channel.server.imap_port)
    channel.use_plain(line.port)
    channel.keys["compress"] = "no"
    stuck = threading.Event()

    def stick(direction, data):
        """From the first content on the server is not heard: the holder stays."""
        if direction == "up" or b"BODY[]" not in data:
            return data
        line.silent = range(1000)
        stuck.set()
        return data[:200]

    line.alter = stick
    holder = channel.start("sync")
    assert stuck.wait(SECONDS)
    waiting = channel.start("sync", "--wait", "-v")
    await_line(waiting, "waiting for its end")
    line.silent = ()
    line.alter = None
    holder.kill()
    holder.communicate(timeout=SECONDS)
    _, err = waiting.communicate(timeout=SECONDS)
    assert waiting.returncode == 0, err
    assert channel.state()[("INBOX",)] == contents(*messages)


@pytest.mark.parametrize("runs", [2, 8])
def test_many_runs_at_once(make_channel, corpus, runs):
    """Looped on one channel with changes on both sides: each ends 0 or 75, nothing is lost or doubled."""
    channel = make_channel()
    messages = corpus.messages(8, "plain", flags="")
    channel.remote.add("INBOX", *messages[:2])
    channel.sync()
    seen = set()
    rounds = longer(4)
    for round_ in range(rounds):
        message = corpus.message("plain", flags="")
        messages.append(message)
        channel.side("local" if round_ % 2 else "remote").add("INBOX", message)
        if round_ == 0:
            channel.local.add("INBOX", *messages[2:8])
        wait = [["--wait"] if number % 2 else [] for number in range(runs)]
        processes = [channel.start("sync", *wait[number]) for number in range(runs)]
        if round_ % 2:
            processes[0].kill()
        for number, process in enumerate(processes):
            out, err = process.communicate(timeout=SECONDS)
            seen.add(process.returncode)
            allowed = {0} if wait[number] else {0, LOCKED}
            allowed |= {-signal.SIGKILL} if round_ % 2 and number == 0 else set()
            assert process.returncode in allowed, out + err
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*messages)
    note_figure("runs at once", runs * rounds, "runs of one channel at the same time")


def test_refused_messages_are_listed_and_tried_again(channel, plain_line, corpus):
    """M9: status names the reason; --retry-refused tries at once, nothing else does."""
    bad, good = corpus.messages(2, "plain")
    channel.remote.add("INBOX", bad)
    refuse(plain_line, rb"UID FETCH", "NO cannot convert this message", rb"BODY")
    channel.sync(status=1)
    plain_line.alter = None
    assert "1 refused" in channel.run("status").out
    said = channel.run("status").out
    assert "refused: remote UID 1" in said and "cannot convert this message" in said
    channel.remote.add("INBOX", good)
    err = channel.sync(status=1).err
    assert "refused by the other side before" in err and "sync --retry-refused tries again" in err
    assert channel.local.state()[("INBOX",)] == contents(good)
    disk = channel.disk()
    assert channel.summary("plan", "--retry-refused")["local"]["new"] == 1
    assert channel.disk() == disk and channel.sync(status=1).err
    refuse(plain_line, rb"UID FETCH", "NO still not", rb"BODY")
    assert "still not" in channel.sync("--retry-refused", status=1).err
    assert "still not" in channel.run("status").out, "the new reason is remembered"
    plain_line.alter = None
    channel.sync("test/INBOX", "--retry-refused")
    assert channel.state()[("INBOX",)] == contents(bad, good)
    assert "refused" not in channel.run("status").out
    channel.sync("--retry-refused")
