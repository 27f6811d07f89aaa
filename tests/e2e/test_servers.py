# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that can do less: the same end, and never a command that they did not offer."""
import re

import pytest

from channel import contents

FULL = ("IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS"
        " LIST-EXTENDED CONDSTORE QRESYNC ESEARCH LIST-STATUS MOVE LITERAL+ SPECIAL-USE").split()

# What a client may say only where it was offered.
NEEDS = {
    "SASL-IR": rb"^\S+ AUTHENTICATE \S+ \S",
    "ID": rb"^\S+ ID\b",
    "ENABLE": rb"^\S+ ENABLE\b",
    "UNSELECT": rb"^\S+ UNSELECT\b",
    "NAMESPACE": rb"^\S+ NAMESPACE\b",
    "UIDPLUS": rb"^\S+ UID EXPUNGE\b",
    "LIST-EXTENDED": rb"^\S+ LIST \(|^\S+ LIST .* RETURN \(",
    "LIST-STATUS": rb"RETURN \([^\r\n]*STATUS",
    "CONDSTORE": rb"CHANGEDSINCE|UNCHANGEDSINCE|HIGHESTMODSEQ|\(CONDSTORE\)|\bMODSEQ\b",
    "QRESYNC": rb"QRESYNC|VANISHED",
    "ESEARCH": rb"SEARCH RETURN",
    "MOVE": rb"^\S+ (UID )?MOVE\b",
    # LITERAL- allows the same up to 4096 bytes.
    "LITERAL-": rb"\{\d+\+\}\r\n",
    "LITERAL+": rb"\{(\d{5,}|[5-9]\d{3}|4[1-9]\d\d|409[7-9])\+\}\r\n",
    # A message behind another's literal.
    "MULTIAPPEND": rb"\" \{\d+\+?\}\r\n ",
    "SPECIAL-USE": rb"SPECIAL-USE",
    "COMPRESS=DEFLATE": rb"^\S+ COMPRESS\b",
    "NOTIFY": rb"^\S+ NOTIFY\b",
    "IDLE": rb"^\S+ IDLE\b",
}

SERVERS = {
    "everything": FULL,
    "plain IMAP4rev1": ["IMAP4rev1"],
    "CONDSTORE without QRESYNC": [name for name in FULL if name != "QRESYNC"],
    "neither CONDSTORE nor QRESYNC": [name for name in FULL if name not in ("QRESYNC", "CONDSTORE")],
    "no UIDPLUS": [name for name in FULL if name != "UIDPLUS"],
    "no LIST-STATUS": [name for name in FULL if name != "LIST-STATUS"],
    "no MULTIAPPEND": [name for name in FULL if name != "MULTIAPPEND"],
    "no LITERAL+": [name for name in FULL if name != "LITERAL+"],
    "LITERAL-": [name for name in FULL if name != "LITERAL+"] + ["LITERAL-"],
    "like Gmail": [name for name in FULL if name not in ("QRESYNC", "LITERAL+", "MULTIAPPEND")] + ["LITERAL-"],
    "like Exchange": "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+".split(),
}


@pytest.mark.parametrize("name", SERVERS)
def test_same_end(make_channel, make_proxy, servers, corpus, name):
    offered = SERVERS[name]
    server = servers(capability=" ".join(offered))
    channel = make_channel(server=server)
    proxy = make_proxy(server.imap_port, record=True)
    channel.use_plain(proxy.port)

    kept, flagged, gone_here, gone_there, marked = (corpus.messages(4, "plain", flags="") for _ in range(5))
    if "UIDPLUS" not in offered:
        marked = []  # nobody can expunge one marked message and leave another: see the test below
    deep, large = corpus.messages(3), corpus.messages(2, "large")
    channel.remote.create("Work/2024")
    channel.remote.add("INBOX", *kept, *flagged, *gone_here, *gone_there, *marked)
    channel.remote.add("Work/2024", *deep)
    channel.sync()
    assert channel.state()[("Work", "2024")] == contents(*deep)

    for number, message in enumerate(flagged):
        channel.side(("local", "remote")[number % 2]).set_flags("INBOX", message, "FPS")
    for message in marked:
        channel.remote.set_flags("INBOX", message, "T")
    channel.local.remove("INBOX", *gone_here)
    channel.remote.remove("INBOX", *gone_there)
    here, there = corpus.messages(4), corpus.messages(4)
    channel.local.add("INBOX", *here, *large)
    channel.remote.add("INBOX", *there)
    channel.local.fill({"Home": deep})
    channel.sync()
    inbox = contents(*kept, *[message.with_flags("FPS") for message in flagged], *here, *there, *large,
                     *[message.with_flags("T") for message in marked])
    wanted = {("INBOX",): inbox, ("Work", "2024"): contents(*deep), ("Home",): contents(*deep)}
    state = {mailbox: found for mailbox, found in channel.state().items() if mailbox != ("Work",)}
    assert state == wanted
    # What the second run left open must not double or vanish in a third.
    channel.sync()
    assert {mailbox: found for mailbox, found in channel.state().items() if mailbox != ("Work",)} == wanted

    commands = without_literals(proxy.said("up"))
    known = set(offered) | ({"LITERAL-"} if "LITERAL+" in offered else set())
    assert bool(re.search(NEEDS["MULTIAPPEND"], commands)) == ({"MULTIAPPEND", "UIDPLUS", "LITERAL+"} <= known)
    for capability, pattern in NEEDS.items():
        if capability not in known:
            found = re.search(pattern, commands, re.I | re.M)
            assert not found, f"{capability} was not offered, and {found[0]!r} was said"


def test_others_marks_are_safe_without_uidplus(make_channel, servers, corpus):
    """A bare EXPUNGE would take along what somebody else has marked \\Deleted, and not yet expunged."""
    channel = make_channel(server=servers(capability="IMAP4rev1"))
    kept, marked, gone = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", kept, marked, gone)
    channel.sync()
    channel.remote.set_flags("INBOX", marked, "T")
    channel.local.remove("INBOX", gone)
    for _ in range(3):
        channel.sync(status=None)
        assert channel.local.state()[("INBOX",)] == contents(kept, marked.with_flags("T"))
        left = channel.remote.state()[("INBOX",)]
        assert set(contents(kept, marked.with_flags("T"))) <= set(left)
        assert set(left) <= set(contents(kept, marked.with_flags("T"), gone.with_flags("T")))


def without_literals(said):
    """The commands alone: what a message holds is not said to the server."""
    out, rest = [], said
    while found := re.search(rb"\{(\d+)[+-]?\}\r\n", rest):
        out.append(rest[:found.end()])
        rest = rest[found.end() + int(found[1]):]
    return b"".join(out) + rest
