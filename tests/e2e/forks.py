# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of runs of one program, loaded once (tests/forks/serve.c): each is forked before it begins."""
import array
import os
import re
import signal
import socket
import struct
import subprocess
from typing import NamedTuple


class Programs(NamedTuple):
    """One for many runs, and what serves them; one with sanitizers for the runs to which something happens."""

    fast: str
    sanitized: str
    library: str

    def make_forks(self):
        """None where the fast one has sanitizers, too."""
        return None if is_sanitized(self.fast) else Forks(self.library, self.fast)


def is_sanitized(program):
    """A sanitizer wants nothing loaded before itself."""
    with open(program, "rb") as file:
        return re.search(rb"\0__[at]san_init\0", file.read()) is not None


class Forks:
    """Serves the runs of one program, one after the other; a run is what subprocess.Popen makes of it."""

    def __init__(self, library, program):
        self.program = program
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.server = subprocess.Popen([program], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                                           env={**os.environ, "LD_PRELOAD": library, "LD_BIND_NOW": "1",
                                                "FORKS_FD": str(theirs.fileno())})
        assert self.hear() == self.server.pid, f"{program} serves no forks"

    def close(self):
        self.socket.close()
        self.server.wait()

    def start(self, argv, environment):
        """As Popen() with standard error in a pipe, and the rest none of anybody's."""
        assert not [name for name in environment if name.startswith("LD_")], "it is loaded already"
        strings = [*argv, *(f"{name}={value}" for name, value in environment.items())]
        request = struct.pack("i", len(argv)) + b"".join(os.fsencode(string) + b"\0" for string in strings)
        read_end, write_end = os.pipe()
        with open(os.devnull, "r+b", buffering=0) as null, os.fdopen(write_end, "wb", 0):
            fds = array.array("i", [null.fileno(), null.fileno(), write_end])
            self.socket.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            return Fork(self, self.hear(), os.fdopen(read_end, "rb"))

    def hear(self, flags=0):
        """The next number; None where the server broke."""
        said = self.socket.recv(4, flags)
        return struct.unpack("i", said)[0] if said else None


class Fork:
    """One run: the part of subprocess.Popen that the tests need."""

    def __init__(self, forks, pid, stderr):
        assert pid is not None, "the server of forks broke"
        self.forks, self.pid, self.stderr = forks, pid, stderr
        self.returncode = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stderr.close()
        self.wait()

    def wait(self):
        if self.returncode is None:
            self.returncode = self.forks.hear()
        return self.returncode

    def send_signal(self, number):
        """Its ID is its own until the next run is started."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)
