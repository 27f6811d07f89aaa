# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the works: one Dovecot, one line, and the tools side by side on accounts of their own."""
import json
import os
import signal
import subprocess
import sys
import time

from accounts import Account, Tree, clone_tree, move_route, state_of_messages
from dovecot import Dovecot, session_members
from limit import Limit
from tools import HERE
from works import Checker

# Longer runs are ended, and those above REPEAT_SECONDS not repeated.
MOST_SECONDS = 400
REPEAT_SECONDS = 60
# As where nobody but the server writes: else it reads a directory of 100,000 anew for every STORE.
# A million messages take it more than the 256 MB that it allows itself.
SERVER_SETTINGS = "maildir_very_dirty_syncs = yes\ndefault_vsz_limit = 4 G"
DRAIN_SECONDS = 0.05  # what a tool sent last, without awaiting the answer, still arrives
SETTLE_SECONDS = 1.2  # directories' times younger than a clock tick are not trusted


class NotEven(Exception):
    """A tool failed before the run that was to be measured."""


class Line:
    """The proxy, in a process of its own."""

    def __init__(self, port):
        program = os.path.join(os.path.dirname(HERE), "servers", "proxy.py")
        self.process = subprocess.Popen([sys.executable, program, "--to", str(port), "--steer"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def restart(self, delay):
        """Sets the delay, and returns what went through since the last call."""
        self.process.stdin.write(f"{delay}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Stock:
    """The mail of a work on disk, from which accounts and trees are cloned."""

    def __init__(self, server, directory, mail, seed):
        key = f"{mail.kind}{mail.messages}x{mail.mailboxes}"
        boxes = mail.make(seed)
        self.wanted = state_of_messages(boxes)
        self.account = Account(server, f"stock-{key}")
        self.account.fill(boxes)
        self.account.warm()
        self.tree = Tree(os.path.join(directory, f"stock-{key}"))
        self.remake = lambda: mail.make(seed)

    def fill(self, local):
        """Lays the mail down on a local side."""
        if isinstance(local, Account):
            local.clone_from(self.account)
            return
        if not os.path.isdir(self.tree.root):
            self.tree.fill(self.remake())
        clone_tree(self.tree.root, local.root)


class Case:
    """One tool on one account."""

    def __init__(self, bench, tool, name):
        self.tool = tool
        self.place = os.path.join(bench.directory, name)
        self.account = Account(bench.server, name)
        os.makedirs(self.place)
        self.local = tool.local(self.place, self.account)
        self.rounds = 0  # of changes so far
        self.checker = None


class Bench:
    """All that the works share."""

    def __init__(self, directory, tools, measure, seed, record):
        self.directory = directory
        self.tools = tools
        self.measure = measure
        self.seed = seed
        self.record = record  # record(dict) takes each run's result
        self.server = Dovecot(os.path.join(directory, "server"), deflate=True, settings=SERVER_SETTINGS).start()
        self.line = Line(self.server.imap_port)
        self.stocks = {}
        self.even = {}  # (mail, tool's name): a case of whom both sides are even; all others stay to the end, for
        # file systems are slow to make files for minutes after many were removed, and who comes next would pay
        self.made = 0

    def close(self):
        self.line.close()
        self.server.close()

    def stock(self, mail):
        if mail not in self.stocks:
            self.stocks[mail] = Stock(self.server, self.directory, mail, self.seed)
        return self.stocks[mail]

    def make_case(self, tool, work):
        """A case before its first run: the mail is on one side only."""
        self.made += 1
        case = Case(self, tool, f"{work.key}-{tool.name}-{self.made}")
        stock = self.stock(work.mail)
        if work.kind == "push":
            case.account.make_empty()
            stock.fill(case.local)
        else:
            case.account.clone_from(stock.account)
        case.checker = Checker(work, stock.wanted)
        tool.configure(case.place, case.account, self.line.port)
        return case

    def run(self, work, repeat):
        """Runs a work as often as asked, the tools in turn."""
        tools = [tool for tool in self.tools if tool.name not in work.without]
        for number in range(repeat):
            for tool in list(tools):
                result = self.run_once(work, tool, number)
                self.record({"work": work.key, "tool": tool.name, "round": number, **result})
                if result["error"] or result["seconds"] > REPEAT_SECONDS:
                    tools.remove(tool)

    def run_once(self, work, tool, number):
        """Prepares, measures and checks one run."""
        try:
            case = self.prepare(work, tool, number)
        except NotEven as error:
            return {"seconds": 0, "error": str(error), "wrong": None}
        result = self.take(work, case)
        result["wrong"] = None if result["error"] else self.check(work, case)
        self.keep(work, case, not result["error"])
        return result

    def prepare(self, work, tool, number):
        """A case that is ready for the run."""
        fresh = work.kind in ("pull", "push")
        case = self.make_case(tool, work) if fresh else self.find_even(work, tool, number)
        if isinstance(tool, Limit):
            tool.prepare(case, work)
        elif work.changes:
            change(case, work)
        if work.changes:
            time.sleep(SETTLE_SECONDS)
        return case

    def find_even(self, work, tool, number):
        """The case of the tool that holds this mail on both sides."""
        key = (work.mail, tool.name)
        if key not in self.even:
            self.even[key] = self.make_case(tool, work)
        case = self.even[key]
        if number == 0:
            self.settle(case)
        if case.checker.work is not work:
            case.checker = Checker(work, self.stock(work.mail).wanted)
        return case

    def settle(self, case):
        """Runs the tool twice without a clock, so that the sides are even and known to be."""
        if isinstance(case.tool, Limit):
            return
        for _ in range(2):
            time.sleep(SETTLE_SECONDS)
            self.line.restart(0)
            result = self.take(None, case)
            if result["error"]:
                raise NotEven(result["error"])

    def take(self, work, case):
        """One run: what it took, and what went over the line."""
        tool, report = case.tool, os.path.join(case.place, "measured.json")
        os.sync()
        delay = work.delay if work else 0
        self.line.restart(delay)
        before = server_seconds(self.server)
        argv = [self.measure, report, *tool.argv(case.place)]
        said, status = run_to_end(argv, tool.environment(case.place), case.place)
        if status is None:
            return {"seconds": MOST_SECONDS, "error": f"ended after {MOST_SECONDS} s"}
        with open(report, encoding="ascii") as file:
            result = json.load(file)
        if isinstance(tool, Limit) and result["status"] == 0:
            result["seconds"] = json.loads(said.splitlines()[-1])["seconds"]
        time.sleep(2 * delay + DRAIN_SECONDS)
        line = self.line.restart(0)
        result.update({key: line[key] for key in ("connections", "up", "down", "turns", "depth")})
        result["server_cpu"] = round(server_seconds(self.server) - before, 2)
        result["error"] = f"status {result['status']}: {said[-600:]}" if result["status"] else None
        return result

    def check(self, work, case):
        if isinstance(case.tool, Limit) and work.kind not in ("pull", "push"):
            return None
        return case.checker.check(case.local, case.account, case.rounds)

    def keep(self, work, case, good):
        """Both sides of a pull's case are even by now: the last one serves later works."""
        if work.kind == "pull" and good:
            self.even[(work.mail, case.tool.name)] = case


def change(case, work):
    """Changes the sides before a run."""
    case.rounds += 1
    if work.kind == "reflag":
        case.local.flag("INBOX", "F", work.changes, case.rounds)
        case.account.flag("INBOX", "R", work.changes, case.rounds)
    else:
        side = case.local if work.key == "move-local" else case.account
        side.move(*move_route(case.rounds), work.changes)


def run_to_end(argv, environment, directory):
    """What a program said and its status, which is None if it was ended for taking too long."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=environment, cwd=directory, start_new_session=True) as process:
        try:
            return process.communicate(timeout=MOST_SECONDS)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.communicate()[0], None


def server_seconds(server):
    """The CPU time of all of the server's processes so far, of those that have ended too."""
    with open(f"{server.dir}/run/master.pid", encoding="ascii") as file:
        members = session_members(int(file.read()))
    ticks = 0
    for pid in members:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                ticks += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return ticks / os.sysconf("SC_CLK_TCK")
