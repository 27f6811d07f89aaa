#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that delays, counts, cuts and records.

From Python (`with Proxy(port, delay=0.025) as proxy: ...`) or from the shell, until interrupted:

    proxy.py --to PORT [--listen PORT] [--delay SECONDS] [--rate BYTES] [--cut-up BYTES] [--cut-down BYTES]

With --steer it reads delays from standard input instead, one a line, until that ends: each closes the
connections, prints what went through since the last, and holds for those to come.

Up is client to server, down is server to client. The delay is one way and pipelined, as on a long
line: each chunk goes on that long after it came, and chunks do not wait for each other. The rate is
bytes a second each way.

What is counted per connection:
    up, down   bytes
    turns      client bursts that follow upon server data: how often the client spoke in turn
    depth      the longest chain of "the client said this after it had heard that": the round trips
               that it waited for one after the other. n pipelined commands are 1 deep. On a long
               line, depth times twice the delay is the time that the connection takes.
"""
import argparse
import json
import queue
import signal
import socket
import struct
import sys
import threading
import time

CHUNK = 65536


class Connection:
    """Two sockets, the two pumps between them, and what went through."""

    def __init__(self, proxy, client, number):
        self.proxy = proxy
        self.number = number
        self.client = client
        self.server = socket.create_connection(("127.0.0.1", proxy.port_to), 10)
        self.server.settimeout(None)
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lock = threading.Lock()
        self.up = self.down = self.turns = self.depth = 0
        self.spoke_last = "server"
        self.depth_at_server = self.depth_at_client = 0
        self.transcript = []
        self.threads = []
        self.start_pump("up", self.client, self.server)
        self.start_pump("down", self.server, self.client)

    def start_pump(self, direction, source, sink):
        line = queue.Queue(1 if self.proxy.rate else 0)
        for target in (self.read, self.write):
            thread = threading.Thread(target=target, args=(direction, source, sink, line), daemon=True)
            self.threads.append(thread)
            thread.start()

    def read(self, direction, source, _sink, line):
        while True:
            try:
                data = source.recv(CHUNK)
            except OSError:
                data = b""
            now = time.monotonic()
            if data and direction == "down" and self.number in self.proxy.silent:
                continue
            if data and self.proxy.alter:
                data = self.proxy.alter(direction, data)
                if not data:
                    continue
            data, cut = self.limit(direction, data)
            if data:
                line.put((now + self.proxy.delay, data, self.note_entry(direction, data)))
            if cut:
                line.put((now + self.proxy.delay, None, 0))
                return
            if not data:
                line.put((now + self.proxy.delay, b"", 0))
                return

    def write(self, direction, _source, sink, line):
        while True:
            due, data, depth = line.get()
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            try:
                if data is None:
                    self.reset()
                    return
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self.note_exit(direction, depth)
                sink.sendall(data)
                if self.proxy.rate:
                    time.sleep(len(data) / self.proxy.rate)
            except OSError:
                return

    def limit(self, direction, data):
        """What of data is still to go, and whether the line breaks after it."""
        if self.proxy.cut_only is not None and self.number not in self.proxy.cut_only:
            return data, False
        most = self.proxy.cut_up if direction == "up" else self.proxy.cut_down
        if most is None:
            return data, False
        room = most - (self.up if direction == "up" else self.down)
        return (data[:room], True) if len(data) >= room else (data, False)

    def note_entry(self, direction, data):
        """Counts a chunk where it enters the line; returns how deep in the dialogue it is."""
        with self.lock:
            if self.proxy.record:
                self.transcript.append((direction, data))
            if direction == "down":
                self.down += len(data)
                return self.depth_at_server
            self.up += len(data)
            if self.spoke_last == "server":
                self.turns += 1
                self.spoke_last = "client"
            self.depth = max(self.depth, self.depth_at_client + 1)
            return self.depth_at_client + 1

    def note_exit(self, direction, depth):
        with self.lock:
            if direction == "down":
                self.spoke_last = "server"
                self.depth_at_client = max(self.depth_at_client, depth)
            else:
                self.depth_at_server = max(self.depth_at_server, depth)

    def reset(self):
        """Breaks both ends at once, as a lost line does."""
        for sock in (self.client, self.server):
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def close(self):
        for sock in (self.client, self.server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(5)
        self.client.close()
        self.server.close()

    def describe(self):
        return {"up": self.up, "down": self.down, "turns": self.turns, "depth": self.depth}


class Proxy:
    """Forwards each connection to 127.0.0.1:port_to; listens on `port` (0: any free one)."""

    def __init__(self, port_to, delay=0.0, cut_up=None, cut_down=None, record=False, listen=0, rate=None):
        self.port_to = port_to
        self.delay = delay
        self.rate = rate
        self.cut_up = cut_up
        self.cut_down = cut_down
        self.cut_only = None  # the numbers of the connections that are cut; None: all
        self.silent = ()  # the numbers of those in which the server is not heard
        self.record = record
        # alter(direction, data) returns what goes on instead; alter.begin(), if it has one, is called for each connection
        self.alter = None
        self.connections = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", listen))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if hasattr(self.alter, "begin"):
                self.alter.begin()
            try:
                connection = Connection(self, client, len(self.connections))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.connections.append(connection)

    def reset_counts(self):
        """Forgets the connections so far; those still open are closed."""
        with self.lock:
            old, self.connections = self.connections, []
        for connection in old:
            connection.close()

    def total(self, name):
        with self.lock:
            return sum(getattr(connection, name) for connection in self.connections)

    def most(self, name):
        with self.lock:
            return max((getattr(connection, name) for connection in self.connections), default=0)

    def said(self, direction):
        """All bytes that went up or down on recorded connections, one connection after the other."""
        with self.lock:
            return b"".join(data for connection in self.connections
                            for way, data in connection.transcript if way == direction)

    def describe(self):
        with self.lock:
            each = [connection.describe() for connection in self.connections]
        return {"connections": len(each), "up": sum(one["up"] for one in each),
                "down": sum(one["down"] for one in each), "turns": sum(one["turns"] for one in each),
                "depth": max((one["depth"] for one in each), default=0), "each": each}

    def close(self):
        # accept() is woken by shutdown; closing alone would leave it in the call.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.connections:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description="a delaying, counting, cutting TCP proxy")
    parser.add_argument("--to", type=int, required=True, help="port of the server on 127.0.0.1")
    parser.add_argument("--listen", type=int, default=0, help="port to listen on; default any")
    parser.add_argument("--delay", type=float, default=0.0, help="one-way delay in seconds")
    parser.add_argument("--rate", type=float, help="bytes a second each way; default any")
    parser.add_argument("--cut-up", type=int, help="break after so many bytes to the server")
    parser.add_argument("--cut-down", type=int, help="break after so many bytes to the client")
    parser.add_argument("--steer", action="store_true", help="read delays from standard input")
    args = parser.parse_args()
    proxy = Proxy(args.to, args.delay, args.cut_up, args.cut_down, listen=args.listen,
                  rate=args.rate)
    print(json.dumps({"port": proxy.port}), flush=True)
    if args.steer:
        steer(proxy)
        return
    # Threads inherit the mask: the signal stays for sigwait.
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    proxy.close()
    print(json.dumps(proxy.describe()))


def steer(proxy):
    for line in sys.stdin:
        counts = proxy.describe()
        proxy.reset_counts()
        proxy.delay = float(line)
        print(json.dumps(counts), flush=True)
    proxy.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
