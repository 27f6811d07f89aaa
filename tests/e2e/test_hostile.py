# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that lies, in one way at a time: nothing is lost, doubled, or written where it does not belong.

FAULTS 20, 21, 22, 23, 24, 25, 26, 27, 28, 33, 34, 35, 36, 37, 38, 39, 44, 49. Each mode of
tests/servers/hostile_modes.py is met in a first run, and again in a later one with changes on both
sides; whenever the server is sane again, one run makes all even. The program that meets it has sanitizers; the one
that makes all even has none, and is quicker.
"""
import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from channel import SANITIZER_STATUS, Channel
from corpus import Message
from dovecot import make_ca, make_certificate
from figures import note_figure
from hostile import FULL, SANE, Hostile, Mailbox
from hostile_modes import MODES, STATUS

SECONDS = 120
SILENCE = 2        # seconds that a server may be silent, where it will be
MEMORY = 64 << 10  # KiB above what an honest server has a run take
LARGEST = 64       # MiB that may be asked of the allocator at once
LINE = 1000        # characters of a message on standard error
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]")
LETTERS = {b"\\Seen": "S", b"\\Flagged": "F", b"\\Answered": "R", b"\\Draft": "D", b"\\Deleted": "T"}
# Runs the rest of its arguments and writes the peak of its memory in KiB into the first: whoever forks counts into
# the peak of what is executed then, so this must be a small process.
MEASURE = """
import os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""
# What may lie in a tree, and in the state of a channel.
FILE_IN_TREE = re.compile(r"(.*/)?(cur|new)/[^/]+|(.*/)?dovecot-keywords|\.evenmail(-[A-Za-z0-9]+)?")
FILE_IN_STATE = re.compile(r"evenmail/test/[^/]+")


def mail(*numbers, flags=""):
    """Messages that their numbers tell apart."""
    return [Message(b"From: a@example.org\r\nMessage-ID: <h%d@example.org>\r\nSubject: %d\r\n\r\nbody %d\r\n"
                    % (n, n, n), flags, 1_100_000_000 + n) for n in numbers]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    place = str(tmp_path_factory.mktemp("hostile-tls"))
    make_ca(place, "ca")
    make_certificate(place, "ca", "server", "DNS:localhost,IP:127.0.0.1")
    return place


class Run:
    """What became of one run; the peak of its memory where that was measured."""

    def __init__(self, status, out, err, peak=None):
        self.status, self.out, self.err, self.peak = status, out, err, peak


class Pair:
    """A hostile server and a channel to it; what was put into it is what must be there at the end."""

    def __init__(self, sanitized, fast, directory, certificate, offers):
        self.sanitized, self.fast = sanitized, fast
        self.server = Hostile(f"{certificate}/server")
        self.server.offers = offers
        self.server.ca_file, self.server.imaps_port = f"{certificate}/ca.pem", 0
        self.directory = str(directory)
        os.mkdir(f"{directory}/inner")
        os.mkdir(f"{directory}/inner/box")
        self.channel = Channel(sanitized, self.server, "alice", f"{directory}/inner/box")
        self.channel.use_plain(self.server.imap_port)
        self.channel.remote_keys["host"] = "127.0.0.1"
        self.channel.keys["connections"] = 1

    def add(self, mailbox, *messages):
        for message in messages:
            flags = {flag for flag, letter in LETTERS.items() if letter in message.flags}
            self.server.create(mailbox).add(message.body, flags, message.date)

    def find(self, mailbox, message):
        box = self.server.account[mailbox.encode()]
        return box, next(one for one in box.messages if one.body == message.body)

    def flag(self, mailbox, message, flag):
        box, found = self.find(mailbox, message)
        box.change(found, found.flags | {flag})

    def remove(self, mailbox, message):
        box, found = self.find(mailbox, message)
        box.remove([found])

    def remote(self):
        """{mailbox: sorted [(digest, letters, epoch)]}, in truth."""
        return {tuple(name.decode(errors="surrogateescape").split("/")): sorted(
            Message(one.body, "".join(sorted(LETTERS.get(flag, "") for flag in one.flags)), one.date).state
            for one in box.messages) for name, box in self.server.account.items()}

    def local(self):
        return self.channel.local.state() if os.path.isdir(self.channel.local_root) else {}

    def set_up(self, mode):
        """The server, and what the channel must be told to meet that mode."""
        self.server.mode = mode
        for number, name in enumerate(mode.names):
            self.server.account[name] = Mailbox(9000 + number)
            self.server.account[name].add(mail(200 + number)[0].body)
        remote = self.channel.remote_keys
        remote.update(tls="starttls" if mode.tested.get("starttls") else "none", timeout=SILENCE
                      if mode.tested.get("silent") else SECONDS)
        remote.pop("ca-file", None)
        if remote["tls"] == "starttls":
            remote["ca-file"] = self.server.ca_file
        self.channel.keys["compress"] = "yes" if mode.tested.get("compress") else "no"

    def meet(self, mode):
        """Runs evenmail against the server in that mode; whatever it meets, it must end well."""
        return self.run_program(self.sanitized, mode)

    def run(self, *arguments):
        """Runs evenmail against an honest server."""
        return self.run_program(self.fast, SANE, *arguments)

    def run_program(self, program, mode, *arguments):
        self.set_up(mode)
        self.channel.evenmail = program
        self.channel.write_config()
        said = f"{self.directory}/peak"
        measured = [sys.executable, "-ISc", MEASURE, said] if program == self.sanitized else []
        environment = self.channel.environment()
        environment["ASAN_OPTIONS"] += f":max_allocation_size_mb={LARGEST}:quarantine_size_mb=1:malloc_context_size=6"
        process = subprocess.Popen(
            [*measured, *self.channel.argv("sync", *arguments)], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.channel.directory,
            start_new_session=True)
        timer = threading.Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            out, err = (text.decode(errors="replace") for text in process.communicate())
        finally:
            timer.cancel()
        assert process.returncode >= 0, "it hangs"
        run = Run(process.returncode, out, err)
        if measured:
            with open(said, encoding="ascii") as file:
                run.peak = int(file.read())
        assert run.status in (0, 1, 2, 69, 77), (run.status, run.err[-4000:])
        assert "Sanitizer" not in run.err and "runtime error" not in run.err, run.err[-4000:]
        self.check_words(run)
        self.check_disk()
        return run

    @staticmethod
    def check_words(run):
        """FAULTS 44: what the server says reaches no terminal as it is; a bad end is told."""
        assert not CONTROLS.search(run.err) and not CONTROLS.search(run.out), (run.err, run.out)
        assert not [line for line in run.err.splitlines() if len(line) > LINE]
        assert bool(run.err) or run.status == 0

    def check_disk(self):
        """FAULTS 33, 35: nothing but mail in mailboxes, and nothing elsewhere."""
        assert sorted(os.listdir(f"{self.directory}/inner")) == ["box"]
        assert set(os.listdir(self.directory)) <= {"inner", "peak"}
        assert set(os.listdir(self.channel.directory)) <= {"mail", "state", "config.yaml"}
        assert not os.path.exists("/tmp/evil") and not os.path.exists("/evil")
        self.check_files(self.channel.local_root, FILE_IN_TREE)
        self.check_files(f"{self.channel.directory}/state", FILE_IN_STATE)

    @staticmethod
    def check_files(top, allowed):
        for parent, folders, names in os.walk(top):
            inside = os.path.relpath(parent, top)
            for name in (*folders, *names):
                name.encode()  # UTF-8
                assert not CONTROLS.search(name), (parent, name)
                assert not os.path.islink(os.path.join(parent, name))
            for name in names:
                assert allowed.fullmatch(os.path.normpath(f"{inside}/{name}")), (parent, name)
            if os.path.basename(parent) in ("cur", "new", "tmp"):
                assert not folders, (parent, folders)

    def digests(self, side):
        return Counter(state[0] for states in side.values() for state in states)

    def check_kept(self, before, gone=()):
        """What was there, and was not deleted or moved by its user, is there; nothing came twice."""
        free = {message.digest for message in gone}
        sides = self.digests(self.local()), self.digests(self.remote())
        for now, was in zip(sides, map(self.digests, before)):
            lost = [digest for digest in was if now[digest] < was[digest] and digest not in free]
            doubled = [digest for digest in now if now[digest] > 1 and digest not in free]
            assert not lost and not doubled, (self.describe(lost), self.describe(doubled))
        assert (sides[0] + sides[1])[MOVED.digest] or not any(MOVED.digest in self.digests(was) for was in before)

    @staticmethod
    def describe(digests):
        return [number for number in range(100) if mail(number)[0].digest in digests]

    def close(self):
        self.server.close()


FIRST = {"INBOX": mail(1, 2, 3, 4, 5, 6), "Work": mail(11, 12, 13), "Archive": mail(21, 22), "Here": mail(41, 42, 43)}
GONE_HERE, GONE_THERE, MOVED = mail(4)[0], mail(21)[0], mail(11)[0]
LATER = {"INBOX": mail(1, 2, 3, 5, 6, 7, 11, 31, 32), "Work": mail(12, 13, 14), "Archive": mail(22),
         "Here": mail(41, 42, 43)}
FLAGGED = {2: "F", 3: "S"}


def wanted(mailboxes, flags=()):
    """What both sides show at the end."""
    flags = {mail(number)[0].digest: letters for number, letters in dict(flags).items()}
    return {(name,): sorted(message.with_flags(flags.get(message.digest, "")).state for message in messages)
            for name, messages in mailboxes.items()}


@pytest.fixture
def pair(evenmail, faults_program, tmp_path, certificate):
    made = make_pair(evenmail, faults_program, tmp_path, certificate)
    yield made
    made.close()


@pytest.fixture(scope="module")
def honest_peak(evenmail, tmp_path_factory, certificate):
    """KiB that the program with sanitizers takes at most where nobody lies."""
    made = make_pair(evenmail, evenmail, tmp_path_factory.mktemp("honest"), certificate)
    run = made.run()
    made.close()
    assert run.status == 0, run.err
    return run.peak


def make_pair(sanitized, fast, directory, certificate):
    """Six messages in INBOX, of which one is here, too; more in Work and Archive; in Here what is only here."""
    made = Pair(sanitized, fast, directory, certificate, FULL)
    for name in ("INBOX", "Work", "Archive"):
        made.add(name, *FIRST[name])
    made.channel.local.fill({"INBOX": mail(1, 31), "Here": FIRST["Here"]})
    return made


def change(pair):
    """Both users are at work."""
    pair.add("INBOX", *mail(7))
    pair.add("Work", *mail(14))
    pair.flag("INBOX", mail(2)[0], b"\\Flagged")
    pair.remove("Archive", GONE_THERE)
    local = pair.channel.local
    local.add("INBOX", *mail(32))
    local.set_flags("INBOX", mail(3)[0], "S")
    local.remove("INBOX", GONE_HERE)
    local.move("Work", "INBOX", MOVED)


def meet(pair, mode, gone=()):
    """A run with the server in that mode."""
    before = pair.local(), pair.remote()
    run = pair.meet(mode)
    pair.check_kept(before, gone)
    return run


def leave_out(part, side):
    """States without what the server lied about in a way that nobody can see through: it is believed."""
    return {name: sorted(state[:part] + state[part + 1:] for state in states) for name, states in side.items()}


def heal(pair, mode, want):
    """The server is as it should be again; what it made up is gone."""
    for name in mode.names:
        del pair.server.account[name]
    run = pair.run(*(["--allow-deletions"] if mode.names else []))
    assert run.status == 0, run.err
    local, remote = pair.local(), pair.remote()
    if mode.tested.get("swaps"):
        # What it said was in a message of INBOX is what is here, and nobody can know better.
        assert len(local.pop(("INBOX",))) == len(want[("INBOX",)])
        want = dict(want)
        assert remote.pop(("INBOX",)) == want.pop(("INBOX",))
    for part, lie in enumerate(("misflags", "misdates"), 1):
        if mode.tested.get(lie):
            local, remote, want = (leave_out(part, side) for side in (local, remote, want))
    assert local == remote
    if mode.tested.get("forgets"):
        # Matched anew, nobody knows what was deleted: better too much than too little.
        here, wanted_here = pair.digests(local), pair.digests(want)
        assert not wanted_here - here
        assert set(here) <= {*wanted_here, GONE_HERE.digest, GONE_THERE.digest}
        assert all(count == 1 for digest, count in here.items() if digest != MOVED.digest)
    else:
        assert remote == want


def check_secret(pair, mode):
    """FAULTS 39: no password without TLS where TLS was asked for, and none where nobody asked who one is."""
    if not mode.tested.get("starttls") and not mode.tested.get("unsaid"):
        return
    if never := mode.tested.get("never"):
        assert not re.search(rb"(?m)^\S+ (" + never + b")", pair.server.said()), "it was not offered any more"
    said = pair.server.said(tls=False)
    for secret in (pair.server.password.encode(), b"alice\0" + pair.server.password.encode()):
        assert secret not in said and base64.b64encode(secret)[:12] not in said
    assert b"AUTHENTICATE" not in said and b"LOGIN" not in said


def meet_and_heal(pair, mode, status, want, gone=()):
    """The server lies and is sane again; returns how much memory the lies took."""
    pair.server.log.clear()
    run = meet(pair, mode, gone)
    assert run.status == status, run.err
    check_secret(pair, mode)
    if status < 2 and (mode.figure or mode.item):
        local, remote = pair.local(), pair.remote()
        # What moved here to where nothing could be added stays there in that run; all else goes on.
        assert all({state for state in remote[name] if state[0] != MOVED.digest} <= set(local[name])
                   for name in remote if name != ("INBOX",)), "others go on"
        assert MOVED.digest in {state[0] for states in remote.values() for state in states}
        assert gone or all(remote[(name,)] == local[(name,)] == wanted(FIRST)[(name,)] for name in FIRST
                           if name != "INBOX"), "others go on"
    heal(pair, mode, want)
    return run.peak


@pytest.mark.parametrize("name", MODES)
def test_mode(pair, honest_peak, name):
    mode = MODES[name]
    first, later = STATUS.get(name, (0, 0))
    peaks = []
    if mode.tested.get("swaps") or mode.tested.get("later"):
        assert pair.run().status == 0
    else:
        peaks.append(meet_and_heal(pair, mode, first, wanted({**FIRST, "INBOX": [*FIRST["INBOX"], *mail(31)]})))
    change(pair)
    may_go = mail(*mode.tested.get("may_go", ()))
    peaks.append(meet_and_heal(pair, mode, later, wanted(LATER, FLAGGED),
                               gone=(GONE_HERE, GONE_THERE, MOVED, *may_go)))
    assert max(peaks) < honest_peak + MEMORY, (peaks, honest_peak)
    summary = json.loads(pair.run("--json").out.splitlines()[-1])
    assert not any([*summary["local"].values(), *summary["remote"].values(), summary["matched"]]), summary
    note_figure("hostile", 1, "server modes")
    note_figure("hostile", 0, "messages lost or doubled")


def test_refused_together_and_stored_in_part(pair):
    """It is said that nobody knows which; then each is there once."""
    run = meet(pair, MODES["multiappend-stops-short"])
    assert run.status == 1 and run.err.count("the next run finds out whether they are of these") == 1
    heal(pair, SANE, wanted({**FIRST, "INBOX": [*FIRST["INBOX"], *mail(31)]}))


def test_moved_to_what_cannot_be_read(pair):
    """What the server's user moved stays here until it can be read where it went."""
    assert pair.run().status == 0
    moved, = mail(12)
    pair.remove("Work", moved)
    pair.add("INBOX", moved)
    run = meet(pair, MODES["uid-zero"])
    assert run.status == 1 and run.err.count("nothing is removed on the local side") == 1
    assert moved.digest in {state[0] for state in pair.local()[("Work",)]}
    heal(pair, SANE, wanted({**FIRST, "INBOX": [*FIRST["INBOX"], *mail(31, 12)], "Work": mail(11, 13)}))
