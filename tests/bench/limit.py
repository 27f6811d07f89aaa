# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit as one of the tools: it tells bare.py what there is to do."""
import json
import os
import random
import re
import sys

from accounts import move_route, search
from tools import HERE, Tool

LIST_STATUS = 'LIST "" * RETURN (STATUS (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ))'


class Limit(Tool):
    """bare.py, which times itself; in a work with changes it has as many files to rename as there are."""

    name = "limit"

    def __init__(self):
        super().__init__(os.path.join(HERE, "bare.py"))
        self.logins = {}  # by place

    def version(self):
        return "-"

    def configure(self, place, account, port):
        os.makedirs(f"{place}/mail", exist_ok=True)
        self.logins[place] = [str(port), account.user, account.server.password]

    def argv(self, place):
        return [sys.executable, self.program, self.kind, *self.logins[place], f"{place}/mail"]

    def prepare(self, case, work):
        """Changes the server where it is to change, and writes down the task."""
        self.kind = work.kind if work.kind in ("pull", "push") else "flight"
        if self.kind != "flight":
            return
        case.rounds += bool(work.changes)
        commands = make_commands(case.account, work, case.rounds) if work.changes else [LIST_STATUS]
        renames = work.changes if work.key in ("reflag", "move-remote") else 0
        self.write_task(os.path.join(case.place, "mail"), commands, renames)

    @staticmethod
    def write_task(directory, commands, renames):
        paths = [os.path.join(directory, f"file{number}") for number in range(renames)]
        for path in paths:
            with open(path, "wb"):
                pass
        with open(os.path.join(directory, "task.json"), "w", encoding="utf-8") as file:
            json.dump({"commands": commands, "renames": [(path, path + ":2,S") for path in paths]}, file)


def make_commands(account, work, number):
    """Makes the server's part of the changes; returns what hears of it and does the other part."""
    names = source, target = move_route(number)
    if work.kind == "reflag":
        names = ("INBOX",)
    with account.session() as imap:
        hear = ["ENABLE QRESYNC", *(resynchronize(imap, name) for name in names)]
        imap.select(f'"{names[0]}"')
        uids = search(imap, "UNFLAGGED")
    if work.key == "move-local":
        return [f'SELECT "{source}"', f'UID MOVE {uid_set(uids[:work.changes])} "{target}"']
    if work.key == "move-remote":
        account.move(source, target, work.changes)
        return hear
    account.flag("INBOX", "R", work.changes, number)
    some = sorted(random.Random(number).sample(uids, work.changes))
    return [*hear, f"UID STORE {uid_set(some)} +FLAGS.SILENT (\\Flagged)"]


def resynchronize(imap, name):
    said = imap.status(f'"{name}"', "(UIDVALIDITY HIGHESTMODSEQ)")[1][0].decode()
    return f'SELECT "{name}" (QRESYNC ({" ".join(re.findall(r"(?:VALIDITY|MODSEQ) ([0-9]+)", said))}))'


def uid_set(uids):
    """Ascending UIDs as an IMAP set."""
    ranges = []
    for uid in uids:
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ranges)
