# SPDX-License-Identifier: GPL-3.0-or-later
"""Keywords both ways: letters in files and dovecot-keywords here, flags of any name there. FAULTS 29."""
import os
import re
import shutil
import string
import threading

from remote import Remote

FORWARDED = "$Forwarded"


class Keywords:
    """The keywords of one mailbox on both sides, by message."""

    def __init__(self, channel, mailbox="INBOX"):
        self.channel = channel
        self.mailbox = mailbox

    @property
    def table_file(self):
        return os.path.join(self.channel.local.directory(self.mailbox), "dovecot-keywords")

    def table(self):
        """{letter: keyword} of the local side; the file must be as Dovecot writes it."""
        if not os.path.exists(self.table_file):
            return {}
        with open(self.table_file, encoding="ascii") as file:
            lines = file.read().split("\n")
        assert lines.pop() == "", "the last line ends"
        table = {}
        for line in lines:
            number, keyword = re.fullmatch(r"(0|[1-9]|1\d|2[0-5]) ([!-~]+)", line).groups()
            assert chr(ord("a") + int(number)) not in table
            table[chr(ord("a") + int(number))] = keyword
        return table

    def write_table(self, *keywords):
        with open(self.table_file, "w", encoding="ascii") as file:
            file.writelines(f"{number} {keyword}\n" for number, keyword in enumerate(keywords))

    def local(self, message):
        (path,) = self.channel.local.paths(self.mailbox, message)
        table = self.table()
        letters = os.path.basename(path).partition(":2,")[2]
        assert letters == "".join(sorted(letters))
        return {table[letter] for letter in letters if letter in string.ascii_lowercase and letter in table}

    def set_local(self, message, letters):
        self.channel.local.set_flags(self.mailbox, message, letters)

    def remote(self, message):
        remote = self.channel.remote
        (uid,) = remote.uids(self.mailbox, message)
        remote.ask("EXAMINE", remote.imap.select(remote.wire_name(self.mailbox), readonly=True))
        data = remote.ask("FETCH", remote.imap.uid("FETCH", uid, "(FLAGS)"))
        remote.imap.unselect()
        flags = re.search(rb"FLAGS \(([^)]*)\)", data[0])[1].decode().split()
        return {flag for flag in flags if not flag.startswith("\\") and flag != FORWARDED}

    def change_remote(self, message, item, *keywords):
        self.channel.remote._change(self.mailbox, message, item, f"({' '.join(keywords)})")
        self.channel.remote.imap.unselect()

    def even(self, message, *keywords):
        assert self.remote(message) == set(keywords)
        assert self.local(message) == set(keywords)


def idle(channel):
    """A run that finds nothing to do, on either side."""
    channel.sync()
    before = channel.disk()
    summary = channel.summary()
    assert summary["local"]["flagged"] == summary["remote"]["flagged"] == 0
    assert channel.disk() == before


def test_both_ways(channel, corpus):
    keywords = Keywords(channel)
    one, two, three = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "Work", "$MDNSent", "NonJunk")
    channel.sync()
    keywords.even(one, "Work", "$MDNSent", "NonJunk")
    assert channel.local.paths("INBOX", one)[0].split("/")[-2] == "cur"

    # New here, with a keyword that the server knows and one that it does not.
    table = {keyword: letter for letter, keyword in keywords.table().items()}
    keywords.write_table(*sorted(table, key=table.get), "Later")
    channel.local.add("INBOX", two.with_flags("S" + table["Work"] + "d"), three)
    channel.sync()
    keywords.even(two, "Work", "Later")
    keywords.even(three)
    idle(channel)

    # Added and taken away, on both sides at once, with a flag in between.
    keywords.change_remote(one, "+FLAGS", "Remote", "\\Flagged")
    keywords.change_remote(two, "-FLAGS", "Work")
    keywords.set_local(one, "S" + table["Work"] + table["$MDNSent"] + "d")
    channel.sync()
    keywords.even(one, "Work", "$MDNSent", "Later", "Remote")
    keywords.even(two, "Later")
    assert {letters for _, letters, _ in channel.state()[("INBOX",)]} == {"FS", "S", ""}
    keywords.set_local(one, "")
    channel.sync()
    keywords.even(one)
    keywords.change_remote(two, "-FLAGS", "Later")
    channel.sync()
    keywords.even(two)
    idle(channel)


def test_without_condstore_and_uidplus(servers, make_channel, corpus):
    server = servers(capability="IMAP4rev1")
    channel = make_channel(server=server)
    keywords = Keywords(channel)
    one, two = corpus.messages(2, "plain", flags="")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "Work")
    channel.sync()
    keywords.even(one, "Work")
    channel.local.add("INBOX", two.with_flags("Sa"))
    channel.run("sync", status=None)
    channel.sync()
    keywords.even(two, "Work")
    keywords.set_local(two, "S")
    keywords.change_remote(one, "-FLAGS", "Work")
    channel.sync()
    keywords.even(one)
    keywords.even(two)


def test_case_is_folded(channel, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "MixedCase")
    channel.sync()
    keywords.even(one, "MixedCase")
    keywords.write_table("mixedcase")
    channel.local.add("INBOX", corpus.message("plain", flags="S"))
    channel.sync()
    assert keywords.remote(one) == {"MixedCase"}
    assert keywords.local(one) == {"mixedcase"}
    idle(channel)
    keywords.set_local(one, "")
    channel.sync()
    assert keywords.remote(one) == set()


def test_150_keywords_are_never_lost(channel, corpus):
    keywords = Keywords(channel)
    names = [f"Keyword{number:03}" for number in range(150)]
    one, two = corpus.messages(2, "plain", flags="")
    channel.remote.add("INBOX", one, two)
    keywords.change_remote(one, "+FLAGS", *names)
    assert channel.run("sync").err.count("the local side has no room for") == 1
    assert keywords.remote(one) == set(names)
    assert keywords.local(one) == set(names[:26])
    assert len(keywords.table()) == 26
    idle(channel)
    # The journal knows the rest, and no change here takes them away there.
    pair = next(line for line in channel.run("journal", "--json").out.splitlines() if names[149] in line)
    assert all(f'"{name}"' in pair for name in names)
    keywords.set_local(one, "Sbc")
    assert channel.run("sync").err == ""
    assert keywords.remote(one) == set(names[1:3] + names[26:])
    # What has no letter is followed there, and what has one goes both ways.
    keywords.change_remote(one, "-FLAGS", names[26], names[1])
    keywords.change_remote(two, "+FLAGS", names[0], names[149])
    channel.sync()
    assert keywords.remote(one) == set(names[2:3] + names[27:])
    assert keywords.local(one) == {names[2]}
    assert keywords.local(two) == {names[0]}
    assert keywords.remote(two) == {names[0], names[149]}
    idle(channel)


def test_letters_that_nothing_explains_stay(channel, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.local.create("INBOX")
    channel.local.add("INBOX", one.with_flags("Saz"))
    channel.sync()
    assert keywords.remote(one) == set()
    keywords.change_remote(one, "+FLAGS", "Work", "\\Flagged")
    channel.sync()
    assert keywords.table() == {"b": "Work"}, "a letter in use is not given out"
    (path,) = channel.local.paths("INBOX", one)
    assert path.endswith(":2,FSabz")
    keywords.change_remote(one, "-FLAGS", "Work", "\\Flagged")
    channel.sync()
    (path,) = channel.local.paths("INBOX", one)
    assert path.endswith(":2,Saz")


def test_the_table_deleted_takes_no_keyword_away(channel, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "Work")
    channel.sync()
    os.unlink(keywords.table_file)
    channel.local.add("INBOX", corpus.message("plain", flags="S"))
    channel.sync()
    assert keywords.remote(one) == {"Work"}


def test_a_keyword_that_the_server_refuses_costs_nothing_else(channel, corpus):
    """Dovecot takes up to 50 characters."""
    keywords = Keywords(channel)
    one, two = corpus.messages(2, "plain", flags="")
    channel.local.create("INBOX")
    keywords.write_table("Short", "x" * 60)
    channel.local.add("INBOX", one.with_flags("Sab"), two.with_flags("b"))
    warned = channel.run("sync").err
    assert warned.count("the remote side has no room for the keyword xxx") == 1
    assert keywords.remote(one) == {"Short"}
    assert keywords.remote(two) == set()
    assert keywords.local(one) == {"Short", "x" * 60}
    # It is not tried again.
    idle(channel)
    channel.local.add("INBOX", corpus.message("plain", flags="bS"))
    assert channel.run("sync").err == ""
    keywords.set_local(one, "Sb")
    channel.sync()
    assert keywords.remote(one) == set()
    assert keywords.local(one) == {"x" * 60}
    idle(channel)


def test_what_can_be_no_keyword_costs_nothing(channel, corpus):
    """FAULTS 29: the message goes without it, its letter stays, and nothing is said of what no server could keep."""
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.local.create("INBOX")
    invalid = ["bad(name", "two words", "\\Odd", "x]y", "", "%a", "{5}", '"q"', "k" * 300, "ctl\x01", "*", "nul\0"]
    keywords.write_table("Good", *invalid)
    with open(keywords.table_file, "ab") as file:
        file.write(b"20 caf\xc3\xa9\n99 Far\nx\n")
    letters = string.ascii_lowercase[:len(invalid) + 1] + "uv"
    channel.local.add("INBOX", one.with_flags("FS" + letters))
    assert channel.run("sync").err == ""
    assert keywords.remote(one) == {"Good"}
    assert {flags for _, flags, _ in channel.state()[("INBOX",)]} == {"FS"}
    assert channel.local.paths("INBOX", one)[0].endswith(":2,FS" + letters)
    idle(channel)
    keywords.set_local(one, "S" + letters[1:])
    channel.sync()
    assert keywords.remote(one) == set()
    idle(channel)


def test_dovecot_reads_what_is_written_here(channel, server, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="S")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "Work", "$Junk")
    channel.sync()
    other = "reader" + channel.user
    home = server.home(other)
    os.makedirs(home, exist_ok=True)
    root = os.path.join(home, "Maildir")
    shutil.copytree(channel.local.directory("INBOX"), root)
    server.give_to_owner(home)
    reader = Remote(server, other)
    try:
        reader.ask("SELECT", reader.imap.select("INBOX"))
        data = reader.ask("FETCH", reader.imap.uid("FETCH", "1:*", "(FLAGS)"))
        assert {b"Work", b"$Junk", b"\\Seen"} <= set(re.search(rb"FLAGS \(([^)]*)\)", data[0])[1].split())
        # And gives letters of its own to others.
        reader.ask("STORE", reader.imap.uid("STORE", "1:*", "+FLAGS", "(Third)"))
    finally:
        reader.close()
    with open(os.path.join(root, "dovecot-keywords"), encoding="ascii") as file:
        assert "2 Third\n" in file.read()


def test_the_lock_of_dovecot_is_awaited(channel, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.remote.add("INBOX", one)
    channel.sync()
    keywords.change_remote(one, "+FLAGS", "Work")
    lock = keywords.table_file + ".lock"
    with open(lock, "x", encoding="ascii"):
        pass
    release = threading.Timer(0.5, os.unlink, [lock])
    release.start()
    channel.sync()
    release.join()
    keywords.even(one, "Work")
    # Held for long: an error of the mailbox, and the next run goes on; for too long: nobody has it.
    keywords.change_remote(one, "+FLAGS", "Later")
    with open(lock, "x", encoding="ascii"):
        pass
    assert "dovecot-keywords.lock" in channel.run("sync", status=1).err
    assert keywords.remote(one) == {"Work", "Later"}
    os.utime(lock, (1_700_000_000, 1_700_000_000))
    channel.sync()
    keywords.even(one, "Work", "Later")
    assert not os.path.exists(lock)


def test_plan_shows_keywords(channel, corpus):
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="")
    channel.remote.add("INBOX", one)
    channel.sync()
    keywords.change_remote(one, "+FLAGS", "Work", "\\Flagged")
    assert "+F +Work" in channel.run("plan", "-v").out
    assert '"add":"F","remove":"","add_keywords":["Work"],"remove_keywords":[]' in channel.run("plan", "--json").out


def test_the_trash_has_letters_of_its_own(channel, corpus):
    channel.keys["deletions"] = {"local": "trash"}
    keywords = Keywords(channel)
    (one,) = corpus.messages(1, "plain", flags="S")
    channel.remote.create("Trash")
    channel.remote.add("INBOX", one)
    keywords.change_remote(one, "+FLAGS", "Other", "Work")
    channel.sync()
    trash = Keywords(channel, "Trash")
    trash.write_table("Work")
    channel.remote.remove("INBOX", one)
    channel.sync()
    assert trash.local(one) == {"Other", "Work"}
    assert trash.table()["a"] == "Work"


def test_letters_that_came_along_mean_what_they_meant(channel, corpus):
    """As mutt and "mv" move: the file keeps its letters, which are other keywords where it comes to."""
    inbox, other = Keywords(channel), Keywords(channel, "Other")
    kept, fresh, there = corpus.messages(3, "plain", flags="S")
    channel.remote.create("Other")
    channel.remote.add("INBOX", kept, fresh)
    channel.remote.add("Other", there)
    for message in (kept, fresh):
        inbox.change_remote(message, "+FLAGS", "NonJunk")
    other.change_remote(there, "+FLAGS", "$Junk")
    channel.sync()
    channel.local.move("INBOX", "Other", kept)
    channel.local.move("INBOX", "Other", fresh, fresh_names=True)
    for _ in range(2):
        channel.sync()
        for message in (kept, fresh):
            other.even(message, "NonJunk")
        other.even(there, "$Junk")


def test_a_move_takes_keywords_along(channel, corpus):
    inbox, other = Keywords(channel), Keywords(channel, "Other")
    here, there = corpus.messages(2, "plain", flags="S")
    channel.remote.create("Other")
    channel.remote.add("INBOX", here, there)
    for message in (here, there):
        inbox.change_remote(message, "+FLAGS", "Zebra", "Work")
    channel.sync()
    other.write_table("Unlike")
    # A mail program that knows of letters gives the file those of the mailbox that it goes to.
    (path,) = channel.local.paths("INBOX", here)
    os.rename(path, os.path.join(channel.local.directory("Other"), "cur",
                                 os.path.basename(path).partition(":2,")[0] + ":2,S"))
    remote = channel.remote
    uids = remote.uids("INBOX", there)
    remote.ask("SELECT", remote.imap.select("INBOX"))
    remote.ask("MOVE", remote.imap.uid("MOVE", ",".join(uids), remote.wire_name("Other")))
    remote.imap.unselect()
    channel.sync()
    channel.sync()
    assert channel.state()[("INBOX",)] == []
    for message in (here, there):
        other.even(message, "Zebra", "Work")
    assert other.table()["a"] == "Unlike"
    idle(channel)


def test_a_move_into_a_full_mailbox_loses_no_keyword(channel, corpus):
    inbox, other = Keywords(channel), Keywords(channel, "Other")
    (one,) = corpus.messages(1, "plain", flags="S")
    channel.remote.create("Other")
    channel.remote.add("INBOX", one)
    inbox.change_remote(one, "+FLAGS", "Work")
    channel.sync()
    names = [f"Keyword{number:02}" for number in range(26)]
    other.write_table(*names)
    remote = channel.remote
    (uid,) = remote.uids("INBOX", one)
    remote.ask("SELECT", remote.imap.select("INBOX"))
    remote.ask("MOVE", remote.imap.uid("MOVE", uid, remote.wire_name("Other")))
    remote.imap.unselect()
    assert channel.run("sync").err.count("the local side has no room for the keyword Work") == 1
    assert other.remote(one) == {"Work"}
    assert other.local(one) == set()
    # Once there is a letter for it, a file without that letter is no word against it.
    other.write_table(*names[:25], "Work")
    other.set_local(one, "FS")
    channel.sync()
    assert other.remote(one) == {"Work"}
    idle(channel)
