# SPDX-License-Identifier: GPL-3.0-or-later
"""A line between one run after the other and the server, that can be cut after so many bytes, or altered."""
import os
import select
import signal
import socket
import struct
import subprocess
import threading

# A wait for something to happen; how long nothing may happen at all.
PATIENCE_MS = 60_000
CHUNK = 65536
WAYS = ("up", "down")


class Stuck(Exception):
    """Neither the program nor the server went on."""


class Line:
    """One connection: two sockets, and what went through them."""

    def __init__(self, relay, client):
        self.relay = relay
        self.ends = {"up": client, "down": socket.create_connection(("127.0.0.1", relay.port_to), 10)}
        for end in self.ends.values():
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.said = {"up": bytearray(), "down": bytearray()}
        self.is_cut = False
        self.is_deaf = False
        if relay.alter:
            relay.alter.begin()
        for way in WAYS:
            self.pass_on(way, b"")

    def open_ends(self):
        """Those that are still to be heard."""
        return [(end.fileno(), self, way) for way, end in self.ends.items()
                if end.fileno() >= 0 and not (self.is_deaf and way == "up")]

    def read(self, way):
        """What that end said goes on to the other; after a cut nothing does."""
        try:
            data = self.ends[way].recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            self.ends[way].close()
            self.end(other_of(way))
        elif not self.is_cut:
            self.pass_on(way, self.relay.alter(way, data) if self.relay.alter else data)

    def pass_on(self, way, data):
        most = self.relay.cuts.get(way)
        cut = most is not None and not self.relay.was_cut and len(self.said[way]) + len(data) >= most
        if cut and self.relay.how != "nothing":
            data = data[:most - len(self.said[way])]
        self.said[way] += data
        try:
            self.ends[other_of(way)].sendall(data)
        except OSError:
            pass
        if cut:
            self.cut()

    def cut(self):
        """What is to happen once so much was said; of an end the server is told, too, and does what it was told before."""
        self.relay.was_cut = True
        if self.relay.sleep:
            self.relay.put_to_sleep()
        self.is_cut = self.relay.how != "nothing"
        self.is_deaf = self.relay.how == "deaf"
        if self.relay.how in ("end", "reset"):
            self.end("down")
            if self.relay.how == "reset":
                self.reset_client()
            self.end("up")

    def reset_client(self):
        client = self.ends["up"]
        if client.fileno() >= 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    def close(self):
        for way in WAYS:
            self.ends[way].close()

    def end(self, way):
        try:
            self.ends[way].shutdown(socket.SHUT_WR)
        except OSError:
            pass


def other_of(way):
    return WAYS[1 - WAYS.index(way)]


def start_program(argv, environment):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            env=environment)


class Relay:
    """Between one run after the other and a server on 127.0.0.1; `port` is where the runs are to connect.

    Where there are `forks`, the runs of their program are forked by them.
    """

    def __init__(self, port_to, forks=None):
        self.port_to = port_to
        self.forks = forks
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.alter = None  # alter(way, data) returns what goes on instead; alter.begin() is called for each line
        self.forget({}, "end", None)

    def close(self):
        self.listener.close()
        if self.forks:
            self.forks.close()

    def forget(self, cuts, how, sleep):
        self.cuts = cuts
        self.how = how
        self.sleep = sleep
        self.process = None
        self.was_cut = False
        self.lines = []

    def run(self, argv, environment, how="end", sleep=None, **cuts):
        """Runs a program to its end, and the server's side of its lines; returns (status, standard error).

        up=N or down=N says after how many bytes that way something happens to its line: an "end", a "reset",
        nobody is heard any more ("stall"), nor read ("deaf"), or "nothing". With it the program may be put to
        sleep for some seconds. `was_cut` tells whether it came so far.
        """
        self.forget(cuts, how, sleep)
        start = self.forks.start if self.forks and argv[0] == self.forks.program else start_program
        with start(argv, environment) as self.process:
            try:
                return self.serve(self.process)
            except BaseException:
                self.process.kill()
                raise

    def put_to_sleep(self):
        """As a computer that is suspended: what comes meanwhile is there when it wakes up."""
        self.process.send_signal(signal.SIGSTOP)
        threading.Timer(self.sleep, self.process.send_signal, [signal.SIGCONT]).start()

    def serve(self, process):
        errors, running = b"", True
        while True:
            ends = [found for line in self.lines for found in line.open_ends()]
            if not running and not ends:
                return process.wait(), errors.decode(errors="replace")
            by_fd = {fd: (line, way) for fd, line, way in ends}
            poll = select.poll()
            for fd in [*by_fd, self.listener.fileno(), *[process.stderr.fileno()] * running]:
                poll.register(fd, select.POLLIN)
            ready = [fd for fd, _ in poll.poll(PATIENCE_MS)]
            if not ready:
                raise Stuck(f"nothing happens; so far: {errors.decode(errors='replace')}")
            for fd in ready:
                if fd == self.listener.fileno():
                    self.lines.append(Line(self, self.listener.accept()[0]))
                elif fd in by_fd:
                    by_fd[fd][0].read(by_fd[fd][1])
                else:
                    said = os.read(fd, CHUNK)
                    errors += said
                    running = bool(said)
            for line in self.lines if not running else ():
                if line.is_deaf:
                    line.close()

    def said(self, way):
        return b"".join(bytes(line.said[way]) for line in self.lines)
