#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit: what line, server and disk allow a client that knows beforehand what there is to do.

    bare.py pull|push|flight PORT USER PASSWORD DIRECTORY

It sends the fewest commands in the fewest flights over one session, syncs nothing and keeps no
journal. It prints the seconds from connecting to the last answer, without Python's own start. Python is
no bottleneck: 100,000 messages take it 0.7 s of its own CPU time, while the server is busy for 3.7 s.

    pull    every mailbox into DIRECTORY, a file for each message
    push    every mailbox of DIRECTORY, in one flight of MULTIAPPENDs
    flight  what DIRECTORY/task.json holds: {"commands": [...], "renames": [[from, to], ...]}
"""
import json
import os
import re
import socket
import sys
import time

LISTED = re.compile(rb'\* LIST \([^)]*\) "." "?([^"\r]+)')
WORDS = {"S": b"\\Seen", "F": b"\\Flagged", "R": b"\\Answered", "D": b"\\Draft"}


class Session:
    """One session that pipelines by hand."""

    def __init__(self, port, user, password):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", 1 << 20)
        self.file.readline()
        self.ask(f"LOGIN {user} {password}")

    def ask(self, *commands):
        """Sends commands in one flight; returns all lines of the answers."""
        return [line for line, _ in self.answers(*commands)]

    def answers(self, *commands):
        """Sends commands in one flight; yields (line, the literal that ended it or None)."""
        parts = []
        for number, command in enumerate(commands):
            parts += [f"T{number} ".encode(), command if isinstance(command, bytes) else command.encode(), b"\r\n"]
        self.sock.sendall(b"".join(parts))
        left = len(commands)
        while left:
            line = self.file.readline()
            if not line:
                raise ConnectionError("the server hung up")
            if line.startswith(b"T"):
                left -= 1
                if b" OK " not in line:
                    raise ValueError(line)
            yield line, self.file.read(int(line[line.rindex(b"{") + 1:-3])) if line.endswith(b"}\r\n") else None


def pull(session, directory):
    names = [found[1].decode() for found in map(LISTED.match, session.ask('LIST "" *')) if found]
    for name in names:
        os.makedirs(os.path.join(directory, name, "cur"))
        os.makedirs(os.path.join(directory, name, "new"))
    flight = [command for name in names
              for command in (f'EXAMINE "{name}"', "UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])")]
    rest, place, number = iter(names), b"", 0
    for line, body in session.answers(*flight):
        if body is not None:
            number += 1
            letters = b"".join(letter.encode() for letter, word in sorted(WORDS.items()) if word in line)
            with open(b"%s/cur/%d:2,%s" % (place, number, letters), "wb") as file:
                file.write(body)
        elif b"[UIDVALIDITY " in line:
            place = os.path.join(directory, next(rest)).encode()


def push(session, directory):
    flight = []
    for name in os.listdir(directory):
        if name != "INBOX":
            flight.append(f'CREATE "{name}"')
        parts = [f'APPEND "{name}"'.encode()]
        for entry in os.scandir(os.path.join(directory, name, "cur")):
            with open(entry.path, "rb") as file:
                body = file.read().replace(b"\n", b"\r\n")
            words = b" ".join(WORDS[letter] for letter in entry.name.partition(":2,")[2])
            parts.append(b" (%s) {%d+}\r\n%s" % (words, len(body), body))
        flight.append(b"".join(parts))
    session.ask(*flight)


def flight(session, directory):
    with open(os.path.join(directory, "task.json"), encoding="utf-8") as file:
        task = json.load(file)
    session.ask(*task["commands"])
    for source, target in task["renames"]:
        os.rename(source, target)


def main(kind, port, user, password, directory):
    began = time.monotonic()
    {"pull": pull, "push": push, "flight": flight}[kind](Session(int(port), user, password), directory)
    print(json.dumps({"seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
