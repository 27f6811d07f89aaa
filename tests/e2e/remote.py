# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote side as another mail program sees it: Python's imaplib, nothing of evenmail."""
import calendar
import datetime
import hashlib
import imaplib
import os
import re
import time

from mailbox_names import as_components, decode_utf7, encode_utf7

IMAP_FLAGS = {"D": r"\Draft", "F": r"\Flagged", "P": "$Forwarded", "R": r"\Answered",
              "S": r"\Seen", "T": r"\Deleted"}
LETTERS = {name.lower(): letter for letter, name in IMAP_FLAGS.items()}
LIST_LINE = re.compile(rb'\((?P<attributes>[^)]*)\) (?:"(?P<delimiter>.)"|NIL) (?P<name>.*)', re.S)
FETCH_LINE = re.compile(rb'UID (\d+) FLAGS \(([^)]*)\) INTERNALDATE "([^"]*)"')
# imaplib gives up on longer lines; a mailbox of thousands makes some.
imaplib._MAXLINE = 10_000_000


class RemoteError(Exception):
    """The server refused what the test asked of it."""


class Remote:
    """One user's account on a server; mailboxes are named by path or by tuple of components."""

    def __init__(self, server, user):
        self.server = server
        self.user = user
        self.imap = imaplib.IMAP4("127.0.0.1", server.imap_port)
        self.ask("LOGIN", self.imap.login(user, server.password))

    def close(self):
        try:
            self.imap.logout()
        except (OSError, imaplib.IMAP4.error):
            pass

    @staticmethod
    def ask(what, answer):
        kind, data = answer
        if kind != "OK":
            raise RemoteError(f"{what}: {kind} {data}")
        return data

    def wire_name(self, mailbox):
        components = as_components(mailbox)
        if components == ("INBOX",):
            return '"INBOX"'
        name = self.server.prefix + self.server.separator.join(encode_utf7(part) for part in components)
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def mailboxes(self):
        """All that can be selected."""
        names = []
        for line in self.ask("LIST", self.imap.list('""', '"*"')):
            if line is None:
                continue
            if isinstance(line, tuple):  # the name came as a literal
                found, raw = LIST_LINE.match(line[0]), line[1]
            else:
                found = LIST_LINE.match(line)
                raw = found["name"]
                if raw.startswith(b'"'):
                    raw = re.sub(rb"\\(.)", rb"\1", raw[1:-1])
            if re.search(rb"\\(Noselect|NonExistent)", found["attributes"], re.I):
                continue
            names.append((raw.decode(), found["delimiter"].decode(), found["attributes"]))
        # Dovecot 2.3 lists a deleted mailbox, as if it could be selected, while there are others below it.
        return [self.components(name, delimiter) for name, delimiter, attributes in names
                if b"HasChildren" not in attributes or self.imap.status(f'"{name}"', "(MESSAGES)")[0] == "OK"]

    def components(self, name, delimiter):
        prefix = self.server.prefix
        if prefix and name.startswith(prefix):
            name = name[len(prefix):]
        return tuple(decode_utf7(part) for part in name.split(delimiter))

    def rows(self, mailbox):
        """(uid, digest, letters, epoch) of each message."""
        self.ask("EXAMINE", self.imap.select(self.wire_name(mailbox), readonly=True))
        rows = []
        data = self.ask("FETCH", self.imap.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])"))
        for part in data:
            if isinstance(part, tuple):
                uid, flags, date = FETCH_LINE.search(part[0]).groups()
                rows.append((int(uid), hashlib.sha256(part[1]).hexdigest(), letters_of(flags.decode()),
                             epoch_of(date.decode())))
        return rows

    def state(self):
        """{mailbox: sorted [(digest, letters, epoch)]}"""
        return {mailbox: sorted(row[1:] for row in self.rows(mailbox)) for mailbox in self.mailboxes()}

    def uids(self, mailbox, message):
        return [str(row[0]) for row in self.rows(mailbox) if row[1] == message.digest]

    def create(self, mailbox):
        self.ask("CREATE", self.imap.create(self.wire_name(mailbox)))

    def delete_mailbox(self, mailbox):
        self.ask("DELETE", self.imap.delete(self.wire_name(mailbox)))

    def rename_mailbox(self, old, new):
        self.ask("RENAME", self.imap.rename(self.wire_name(old), self.wire_name(new)))

    def add(self, mailbox, *messages):
        for message in messages:
            date = time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(message.date))
            self.ask("APPEND", self.imap.append(self.wire_name(mailbox), imap_flags(message.flags), date,
                                                message.body))

    def _change(self, mailbox, message, item, flags):
        uids = self.uids(mailbox, message)
        self.ask("SELECT", self.imap.select(self.wire_name(mailbox)))
        self.ask("STORE", self.imap.uid("STORE", ",".join(uids), item, flags))
        return uids

    def set_flags(self, mailbox, message, letters):
        """Makes the flags of a message these letters and no others."""
        self._change(mailbox, message, "FLAGS.SILENT", imap_flags(letters))
        self.imap.unselect()

    def set_all_flags(self, mailbox, letters):
        self.ask("SELECT", self.imap.select(self.wire_name(mailbox)))
        self.ask("STORE", self.imap.uid("STORE", "1:*", "FLAGS.SILENT", imap_flags(letters)))
        self.imap.unselect()

    def remove(self, mailbox, *messages):
        for message in messages:
            uids = self._change(mailbox, message, "+FLAGS.SILENT", r"(\Deleted)")
            self.ask("EXPUNGE", self.imap.uid("EXPUNGE", ",".join(uids)))
            self.imap.unselect()

    def move(self, source, target, *messages):
        for message in messages:
            uid = self.uids(source, message)[0]
            self.ask("move", self.imap.uid("MOVE", str(uid), self.wire_name(target)))

    def remove_all(self, mailbox):
        self.ask("SELECT", self.imap.select(self.wire_name(mailbox)))
        self.ask("STORE", self.imap.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)"))
        self.ask("EXPUNGE", self.imap.expunge())
        self.imap.unselect()

    def uidvalidity(self, mailbox):
        data = self.ask("STATUS", self.imap.status(self.wire_name(mailbox), "(UIDVALIDITY)"))
        return int(re.search(rb"UIDVALIDITY (\d+)", data[0])[1])

    def fill(self, mailboxes):
        """Lays {mailbox: [messages]} down as Maildir files, before the user's first login.

        For tests that need thousands: only on a server with mail="maildir", separator "/".
        """
        home = self.server.home(self.user)
        for name, messages in mailboxes.items():
            components = as_components(name)
            folder = "" if components == ("INBOX",) else "." + ".".join(map(encode_utf7, components))
            root = os.path.join(home, "Maildir", folder)
            for part in ("cur", "new", "tmp"):
                os.makedirs(os.path.join(root, part), exist_ok=True)
            # Dovecot has $Forwarded as a keyword: the letter is its number in this file.
            with open(os.path.join(root, "dovecot-keywords"), "w", encoding="ascii") as file:
                file.write("0 $Forwarded\n")
            for number, message in enumerate(messages):
                write_dovecot_file(root, number, message)
        self.server.give_to_owner(home)


def write_dovecot_file(root, number, message):
    content = message.body.replace(b"\r\n", b"\n")
    flags = "".join(sorted(message.flags.replace("P", "a")))
    path = os.path.join(root, "cur", f"{message.date}.M{number:06}P1.filled,S={len(content)},"
                                     f"W={len(message.body)}:2,{flags}")
    with open(path, "xb") as file:
        file.write(content)
    os.utime(path, (message.date, message.date))


def imap_flags(letters):
    return "(" + " ".join(IMAP_FLAGS[letter] for letter in letters) + ")"


def letters_of(flags):
    return "".join(sorted(LETTERS[flag.lower()] for flag in flags.split() if flag.lower() in LETTERS))


def epoch_of(date):
    parsed = datetime.datetime.strptime(date.strip(), "%d-%b-%Y %H:%M:%S %z")
    return calendar.timegm(parsed.utctimetuple())
