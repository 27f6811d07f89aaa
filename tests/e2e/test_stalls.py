# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 16, 18: a line on which nothing comes any more, and a computer that slept: no wait is for ever."""
import collections
import concurrent.futures
import re
import signal
import socket
import time

import pytest

from corpus import Message
from dovecot import Dovecot
from figures import note_figure
from scene import Scene, filled

FULL = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS"
OFFERS = {"all extensions": FULL, "none": "IMAP4rev1"}
SCENES = 8
UNAVAILABLE = 69
# What the run's own waits say, and libcurl's before the login is done.
SILENCE = re.compile("nothing came for 1 seconds|server response timeout|[Tt]imed out|[Tt]imeout")
LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n")


def places(said):
    """In each line its start and its middle; in each literal the same."""
    found = {0}
    for line in re.finditer(rb"[^\n]*\n", said):
        found |= {line.start(), (line.start() + line.end()) // 2}
    for literal in LITERAL.finditer(said):
        found |= {literal.end(), literal.end() + int(literal[1]) // 2}
    return sorted(found)


def fewer(offsets, most):
    return [offsets[number * len(offsets) // most] for number in range(most)] if len(offsets) > most else offsets


@pytest.fixture(scope="module")
def make_scenes(programs, scratch):
    """make_scenes(offer) are the same for the same."""
    servers, scenes = {}, {}

    def make(offer):
        if offer not in servers:
            servers[offer] = Dovecot(f"{scratch}/server{len(servers)}", capability=OFFERS[offer]).start()
            scenes[offer] = [Scene(programs, servers[offer], f"{scratch}/{offer}{number}", f"stalls{number}")
                             for number in range(SCENES)]
        for scene in scenes[offer]:
            scene.tree.put_back()
        return scenes[offer]

    yield make
    for scene in (one for made in scenes.values() for one in made):
        scene.close()
    for server in servers.values():
        server.close()


def run_with_timeout(scene, seconds, **happens):
    scene.channel.remote_keys["timeout"] = seconds
    scene.channel.write_config()
    try:
        return scene.suffer(**happens)
    finally:
        del scene.channel.remote_keys["timeout"]
        scene.channel.write_config()


def stall(scene, way, offset):
    scene.tree.put_back()
    status, said = run_with_timeout(scene, 1, how="stall", **{way: offset})
    # Once all is done nobody waits for anything.
    assert (status == UNAVAILABLE and SILENCE.search(said)) or (status, said) == (0, ""), (status, said)
    scene.assert_heals()
    return status == UNAVAILABLE


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("way,most", [("up", 40), ("down", 60)])
def test_nothing_comes_any_more(make_scenes, offer, way, most):
    """The run ends by itself, says so, and the next goes on: wherever it was waiting."""
    scenes = make_scenes(offer)
    assert scenes[0].run() == (0, "")
    left = collections.deque(fewer(places(scenes[0].relay.said(way)), most))
    stalls = len(left)

    def work(scene):
        timed_out = 0
        while left:
            try:
                offset = left.popleft()
            except IndexError:
                break
            try:
                timed_out += stall(scene, way, offset)
            except AssertionError as error:
                raise AssertionError(f"stalled after {offset} bytes {way}: {error}") from error
        return timed_out

    with concurrent.futures.ThreadPoolExecutor(SCENES) as pool:
        timed_out = sum(pool.map(work, scenes))
    assert timed_out > 0.8 * stalls
    note_figure("cuts", stalls, "stalls")


@pytest.mark.parametrize("offer", OFFERS)
def test_nobody_takes_what_is_sent(make_scenes, offer):
    """The buffers fill up in the middle of a message; the wait to send is no longer than any other."""
    scene = make_scenes(offer)[0]
    scene.channel.local.add("INBOX", Message(b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 3_000_000))
    status, said = run_with_timeout(scene, 1, how="deaf", up=100_000)
    assert status == UNAVAILABLE and SILENCE.search(said), (status, said)


# What a server may take for its answer here, and longer than that.
TIMEOUT, SLEEP = 15, 17


@pytest.mark.parametrize("line", ["nothing", "end"])
def test_a_computer_that_slept(make_scenes, line):
    """Longer than any wait may be. What came meanwhile is read; where the server gave us up, the next run goes on."""
    scene = make_scenes("all extensions")[0]
    assert scene.run() == (0, "")
    middle = len(scene.relay.said("down")) // 2
    scene.tree.put_back()
    status, said = run_with_timeout(scene, TIMEOUT, how=line, sleep=SLEEP, down=middle)
    assert scene.relay.was_cut
    if line == "nothing":
        assert (status, said) == (0, "")
        assert scene.channel.local.state() == scene.wanted == filled(scene.remote.state())
    else:
        assert status == UNAVAILABLE and "closed the line" in said
    scene.assert_heals()


def timer_of(port):
    """The timer that the kernel keeps for the connection to this port: 2 is the keepalive's; None: no connection."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            fields = line.split()
            if int(fields[2].split(":")[1], 16) == port and fields[3] == "01":
                return int(fields[5].split(":")[0], 16)
    return None


def test_a_line_that_lies_idle_is_kept_alive(channel):
    """So that a peer that is gone without a word is found out, and a NAT on the way does not forget the line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        channel.use_plain(port)
        process = channel.start()
        try:
            listener.settimeout(60)
            peer, _ = listener.accept()
            if timer_of(port) is None:
                pytest.skip("the kernel shows no connections")
            deadline = time.monotonic() + 60
            while timer_of(port) != 2:
                assert time.monotonic() < deadline, timer_of(port)
                time.sleep(0.05)
            peer.close()
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
