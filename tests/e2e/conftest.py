# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: real servers for the session, a fresh user and directory for each test.

EVENMAIL names the program; without it the one in build/asan is taken. EVENMAIL_FAULTS_PROGRAM names a
faster one for suites of many runs.
"""
import concurrent.futures
import itertools
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "servers"))

from channel import Channel  # noqa: E402
from corpus import Corpus  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from forks import Programs  # noqa: E402
from preload import build_preload  # noqa: E402
from proxy import Proxy  # noqa: E402

USERS = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "big: thousands of messages; run with the release build")
    # Below nohup(1), or in a script's background, they are ignored, and what is started inherits that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def find_program(variable):
    path = os.environ.get(variable) or os.environ.get("EVENMAIL", str(ROOT / "build" / "asan" / "evenmail"))
    assert os.access(path, os.X_OK), f"no evenmail at {path}: build it, or name it in {variable}"
    return path


@pytest.fixture(scope="session")
def evenmail():
    return find_program("EVENMAIL")


@pytest.fixture(scope="session")
def faults_program():
    """One with fault points and no sanitizers, for what needs many runs: its module's evenmail is this one."""
    return find_program("EVENMAIL_FAULTS_PROGRAM")


@pytest.fixture(scope="session")
def programs(faults_program, evenmail, tmp_path_factory):
    return Programs(faults_program, evenmail, build_preload(tmp_path_factory.mktemp("forks"), "forks/serve.c"))


@pytest.fixture(scope="session")
def servers():
    """servers(separator=".", ...) starts a Dovecot so made, once for all tests."""
    started = {}

    def start(**options):
        key = tuple(sorted(options.items()))
        if key not in started:
            started[key] = Dovecot(**options).start()
        return started[key]

    yield start
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(Dovecot.close, started.values()))


@pytest.fixture
def server(servers):
    return servers()


@pytest.fixture
def user():
    """A user whom nobody else has: the account is empty."""
    return f"user{next(USERS)}"


@pytest.fixture(scope="module")
def scratch():
    """A directory for server and tree, in memory where there is one: for what is done ten thousand times."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = tempfile.mkdtemp(prefix="evenmail-tests-", dir=memory)
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def corpus(request):
    return Corpus(request.node.nodeid)


@pytest.fixture
def make_channel(evenmail, server, tmp_path):
    """make_channel(server=..., user=..., name=...) makes a channel in a directory of its own."""
    made = []

    def make(server=server, user=None, name="test", directory=None):
        place = directory or tmp_path / f"channel{len(made)}"
        place.mkdir(exist_ok=True)
        channel = Channel(evenmail, server, user or f"user{next(USERS)}", place, name=name)
        made.append(channel)
        return channel

    yield make
    for channel in made:
        channel.close()


@pytest.fixture
def channel(make_channel, user):
    return make_channel(user=user)


@pytest.fixture
def pair(channel, corpus):
    """Three messages in INBOX on both sides, as they should be."""
    channel.messages = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", *channel.messages)
    channel.sync()
    return channel


@pytest.fixture
def make_proxy():
    """make_proxy(port, delay=..., record=...) puts a line before a server."""
    made = []

    def make(port, **options):
        made.append(Proxy(port, **options))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def plain_line(channel, make_proxy):
    """The channel's line without TLS, through a proxy that records what is said."""
    proxy = make_proxy(channel.server.imap_port, record=True)
    channel.use_plain(proxy.port)
    return proxy
