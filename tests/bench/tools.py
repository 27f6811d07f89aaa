# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are measured: how each is configured for an account and a directory, and run.

All of them log in without TLS, so that the bytes and turns on the line are the protocol's. All else is
each program's default, but that offlineimap3 is told to sync its files to disk, as evenmail and mbsync do.
"""
import os
import re
import shutil
import subprocess

from accounts import Account, Tree

HERE = os.path.dirname(os.path.abspath(__file__))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def ask_version(*argv):
    """The first number with a dot that a program says of itself."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    found = re.search(rb"\d+(\.\d+)+", done.stdout)
    return found[0].decode() if found else "unknown"


class Tool:
    """One program; `place` is a directory of one account's, below which it keeps all that it has."""

    name = ""

    def __init__(self, program):
        self.program = program

    @staticmethod
    def local(place, account):
        """Its local side."""
        return Tree(os.path.join(place, "mail"))

    def environment(self, place):
        return {"PATH": os.environ["PATH"], "HOME": place, "LANG": "C.UTF-8", "XDG_CONFIG_HOME": f"{place}/config",
                "XDG_STATE_HOME": f"{place}/state", "XDG_DATA_HOME": f"{place}/data"}


class Evenmail(Tool):
    name = "evenmail"

    def version(self):
        return ask_version(self.program, "--version")

    def configure(self, place, account, port):
        os.makedirs(f"{place}/mail", exist_ok=True)
        write(f"{place}/config.yaml", f"""\
channels:
  bench:
    remote:
      host: 127.0.0.1
      port: {port}
      tls: none
      user: {account.user}
      password: {account.server.password}
    local:
      path: {place}/mail
""")

    def argv(self, place):
        return [self.program, "sync", "-c", f"{place}/config.yaml"]


class Mbsync(Tool):
    name = "mbsync"

    def version(self):
        return ask_version(self.program, "--version")

    def configure(self, place, account, port):
        os.makedirs(f"{place}/mail", exist_ok=True)
        write(f"{place}/mbsyncrc", f"""\
IMAPStore remote
Host 127.0.0.1
Port {port}
User {account.user}
Pass {account.server.password}
SSLType None
AuthMechs LOGIN

MaildirStore local
Path {place}/mail/
Inbox {place}/mail/INBOX
SubFolders Verbatim

Channel bench
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
""")

    def argv(self, place):
        return [self.program, "-q", "-c", f"{place}/mbsyncrc", "bench"]


class Interimap(Tool):
    """Its local side is IMAP too: a second account on the same server, which syncs nothing to disk."""

    name = "interimap"

    @staticmethod
    def local(place, account):
        return Account(account.server, account.user + "-local")

    def version(self):
        return ask_version(self.program, "--version")

    def configure(self, place, account, port):
        local = self.local(place, account)
        if not os.path.isdir(local.maildir):
            local.make_empty()
        os.makedirs(f"{place}/data/interimap", mode=0o700, exist_ok=True)
        write(f"{place}/interimap.conf", f"""\
database = bench.db

[local]
type = imap
host = 127.0.0.1
port = {account.server.imap_port}
username = {local.user}
password = {account.server.password}
STARTTLS = NO
compress = NO
auth = PLAIN LOGIN

[remote]
type = imap
host = 127.0.0.1
port = {port}
username = {account.user}
password = {account.server.password}
STARTTLS = NO
auth = PLAIN LOGIN
""")

    def argv(self, place):
        return [self.program, "--quiet", f"--config={place}/interimap.conf"]


class Offlineimap(Tool):
    name = "offlineimap3"

    def version(self):
        return ask_version(self.program, "--version")

    def configure(self, place, account, port):
        os.makedirs(f"{place}/mail", exist_ok=True)
        write(f"{place}/offlineimaprc", f"""\
[general]
metadata = {place}/metadata
accounts = bench
fsync = true

[Account bench]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = {place}/mail

[Repository remote]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {account.user}
remotepass = {account.server.password}
ssl = no
starttls = no
""")

    def argv(self, place):
        return [self.program, "-u", "quiet", "-c", f"{place}/offlineimaprc"]


PEERS = {"mbsync": Mbsync, "interimap": Interimap, "offlineimap3": Offlineimap}
PROGRAMS = {"mbsync": "mbsync", "interimap": "interimap", "offlineimap3": "offlineimap"}


def find_peers(wanted):
    """The other tools that are wanted and installed."""
    found = ((kind, shutil.which(PROGRAMS[name])) for name, kind in PEERS.items() if name in wanted)
    return [kind(program) for kind, program in found if program]
