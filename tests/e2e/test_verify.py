# SPDX-License-Identifier: GPL-3.0-or-later
"""evenmail verify: files and server held against the journal, read-only, and what it mends."""
import glob
import json
import os
import re
import shutil
import subprocess
import zlib

import pytest

from answers import refuse
from channel import contents
from figures import note_figure

DIFFERENT = 1


def verify(channel, *arguments, status=0):
    """What it found, each as (finding, uid), with the findings themselves."""
    lines = channel.run("verify", "--json", *arguments, status=status).out.splitlines()
    events = [json.loads(line) for line in lines]
    assert events[-1] == {"event": "summary", "status": status, "mailboxes": events[-1]["mailboxes"]}
    return [event for event in events if event["event"] == "finding"], events


def kinds(findings):
    return sorted(event["finding"] for event in findings)


def path_of(channel, message, mailbox="INBOX"):
    return channel.local.paths(mailbox, message)[0]


def damage(path, where=-3):
    """One byte is another, as on a bad disk; neither size nor time changes."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        content = file.read()
        file.seek(len(content) + where)
        file.write(b"#" if content[where:where + 1] != b"#" else b"+")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def journals(channel):
    return glob.glob(f"{channel.state_directory}/*.journal")


def is_untouched(channel, run):
    disk, remote = channel.disk(), channel.remote.state()
    found = run()
    assert channel.disk() == disk and channel.remote.state() == remote, "verify changed something"
    return found


@pytest.mark.parametrize("deep", [[], ["--deep"]], ids=["shallow", "deep"])
def test_what_is_right_is_silent_about_it(pair, deep):
    findings, events = is_untouched(pair, lambda: verify(pair, *deep))
    assert not findings
    inbox = next(event for event in events if event.get("mailbox") == "INBOX")
    size = sum(len(message.body) for message in pair.messages)
    assert (inbox["messages"], inbox["read"], inbox["downloaded"]) == (3, size, size if deep else 0)
    assert "3 messages" in pair.run("verify", *deep).out and not pair.run("verify", "-q", *deep).out


def test_nothing_is_selected_and_no_body_fetched(pair, plain_line):
    pair.run("verify")
    said = plain_line.said("up")
    assert b"EXAMINE" in said and not re.search(rb" (SELECT|STORE|APPEND|EXPUNGE|CREATE|MOVE|COPY) ", said)
    assert b"BODY.PEEK[]" not in said


def test_shallow_bytes(channel, plain_line, corpus):
    """Shallow mode costs the lists: far less than the messages."""
    channel.remote.add("INBOX", *corpus.messages(20, "plain"), *[corpus.message("large") for _ in range(2)])
    channel.sync()
    plain_line.reset_counts()
    channel.run("verify")
    shallow = plain_line.total("down")
    plain_line.reset_counts()
    channel.run("verify", "--deep")
    deep = plain_line.total("down")
    assert shallow < 22 * 400 + 4000 < deep


@pytest.mark.parametrize("cut", [False, True], ids=["flipped", "cut"])
def test_a_damaged_file_is_found_and_fetched_again(pair, cut):
    path = path_of(pair, pair.messages[1])
    with open(path, "rb") as file:
        good = file.read()
    if cut:
        os.truncate(path, 100)
    else:
        damage(path)
    with open(path, "rb") as file:
        bad = file.read()
    findings, _ = is_untouched(pair, lambda: verify(pair, status=DIFFERENT))
    assert kinds(findings) == ["file-damaged"] and not findings[0]["mended"]
    assert findings[0]["name"] == os.path.basename(path).split(":2,")[0]
    said = pair.run("verify", status=DIFFERENT).out
    assert "is damaged" in said and "1 difference, 0 mended" in said
    findings, events = verify(pair, "--repair")
    assert findings[0]["mended"] and "fetched again" in findings[0]["mending"]
    with open(path, "rb") as file:
        assert file.read() == good
    kept = f"{pair.local.directory('INBOX')}/.evenmail-damaged/{os.path.basename(path)}"
    with open(kept, "rb") as file:
        assert file.read() == bad
    assert not pair.local.litter() and not verify(pair)[0]
    assert pair.summary()["local"]["new"] == 0 == pair.summary()["remote"]["new"]
    assert pair.state()[("INBOX",)] == contents(*pair.messages)


@pytest.mark.parametrize("slice_", range(3))
def test_a_repair_stopped_at_each_point(pair, faults_program, slice_):
    """FAULTS 1: the file is damaged or whole, never missing and never two; the damaged one is kept."""
    pair.evenmail = faults_program
    path = path_of(pair, pair.messages[0])
    kept = f"{pair.local.directory('INBOX')}/.evenmail-damaged"
    point, stops = 1 + slice_, 0
    while True:
        damage(path)
        done = pair.start("verify", "--repair", EVENMAIL_STOP_AT=str(point))
        out, err = done.communicate(timeout=300)
        assert done.returncode in (0, -9), out + err
        if done.returncode == 0:
            break
        pair.run("verify", "--repair")
        assert os.listdir(kept) and not pair.local.litter(), f"stopped at {point}"
        shutil.rmtree(kept)
        summary = pair.summary()
        assert not any(sum(summary[side].values()) for side in ("local", "remote")), f"stopped at {point}"
        point, stops = point + 3, stops + 1
    assert pair.state()[("INBOX",)] == contents(*pair.messages)
    assert stops > 3, "the program is built with --enable-faults"
    note_figure("stops", stops, "points stopped at")


def test_a_damaged_file_keeps_the_flags_that_it_has(pair):
    pair.local.set_flags("INBOX", pair.messages[0], "FS")
    damage(path_of(pair, pair.messages[0]))
    findings, _ = verify(pair, "--repair")
    assert kinds(findings) == ["file-damaged"]
    pair.sync()
    assert (pair.messages[0].digest, "FS") in {row[:2] for row in pair.state()[("INBOX",)]}


def test_a_damaged_file_in_maildirpp_is_kept_beside(channel, corpus):
    channel.layout = "maildir++"
    channel.remote.create("a/b")
    channel.remote.add("INBOX", first := corpus.message("plain"))
    channel.remote.add("a/b", second := corpus.message("plain"))
    channel.sync()
    damage(path_of(channel, first))
    damage(path_of(channel, second, "a/b"))
    findings, _ = verify(channel, "--repair")
    assert kinds(findings) == ["file-damaged"] * 2
    for top in (channel.local_root, f"{channel.local_root}/.a.b"):
        assert len(os.listdir(f"{top}/evenmail-damaged")) == 1
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(first)


def test_a_file_that_cannot_be_read_is_named(pair):
    """A FIFO in a file's place neither blocks nor passes for a message."""
    path = path_of(pair, pair.messages[0])
    os.unlink(path)
    os.mkfifo(path)
    findings, _ = verify(pair, status=DIFFERENT)
    assert kinds(findings) in (["file-missing"], ["file-unreadable"])


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
def test_what_is_gone_is_told_and_never_restored(channel, corpus, layout):
    """A file that is gone may be a deletion: verify says what the next sync makes of it."""
    channel.layout = layout
    messages = corpus.messages(3, "plain")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    channel.local.remove("INBOX", messages[0])
    channel.remote.remove("INBOX", messages[1])
    for arguments in ([], ["--repair"], ["--deep", "--repair"]):
        findings, _ = verify(channel, *arguments, status=DIFFERENT)
        assert kinds(findings) == ["file-missing", "message-missing"]
        texts = {event["side"]: event["text"] for event in findings}
        assert "put it back" in texts["local"] and "follows here" in texts["remote"]
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(messages[2]) and not verify(channel)[0]


def test_what_is_kept_is_said_otherwise(pair):
    pair.keys["deletions"] = {"remote": "keep", "local": "keep"}
    pair.local.remove("INBOX", pair.messages[0])
    pair.remote.remove("INBOX", pair.messages[1])
    findings, _ = verify(pair, status=DIFFERENT)
    assert all("keeps the" in event["text"] for event in findings)
    pair.sync()
    assert not verify(pair)[0], "what is kept on one side is as was agreed on"


def test_what_is_new_waits(pair, corpus):
    pair.local.add("INBOX", corpus.message("plain"))
    pair.remote.add("INBOX", corpus.message("plain"))
    pair.local.create("Fresh")
    findings, _ = is_untouched(pair, lambda: verify(pair, status=DIFFERENT))
    assert kinds(findings) == ["never-synced", "unpaired", "unpaired"]
    assert sorted(event["side"] for event in findings) == ["local", "local", "remote"]
    pair.sync()
    assert not verify(pair)[0]


def test_what_is_to_stay_where_it_is_is_no_difference(pair, corpus):
    pair.keys["push"] = []
    pair.local.add("INBOX", corpus.message("plain"))
    findings, _ = verify(pair)
    assert kinds(findings) == ["unpaired"] and findings[0]["harmless"]
    assert "new here" not in pair.run("verify").out and "as configured" in pair.run("verify", "-v").out


def test_a_channel_that_was_never_synced(channel, corpus):
    """Nothing is made, also not by --repair."""
    channel.remote.add("INBOX", corpus.message("plain"))
    findings, _ = verify(channel, "--repair", status=DIFFERENT)
    assert kinds(findings) == ["never-synced"]
    assert not os.path.exists(channel.local_root) and not os.path.exists(channel.state_directory)


def test_equal_copies_are_told_and_harmless(channel, corpus):
    message = corpus.message("plain")
    channel.remote.add("INBOX", message, message, message)
    channel.sync()
    findings, _ = verify(channel)
    assert kinds(findings) == ["copies"] and findings[0]["harmless"] and findings[0]["text"].startswith("3 files")
    assert "equal" not in channel.run("verify").out and "3 files are equal" in channel.run("verify", "-v").out


def test_a_mailbox_that_is_gone_on_a_side(pair, corpus):
    pair.remote.create("Gone")
    pair.remote.create("Lost")
    for name in ("Gone", "Lost"):
        pair.remote.add(name, corpus.message("plain"))
    pair.sync()
    pair.remote.delete_mailbox("Gone")
    subprocess.run(["rm", "-r", pair.local.directory("Lost")], check=True)
    findings, _ = verify(pair, status=DIFFERENT)
    missing = {(event["mailbox"], event["side"]) for event in findings if event["finding"] == "mailbox-missing"}
    assert missing == {("Gone", "remote"), ("Lost", "local")}


def test_a_new_uidvalidity(pair, corpus):
    """Files are held against the journal all the same."""
    pair.remote.create("Work")
    pair.remote.add("Work", message := corpus.message("plain"))
    pair.sync()
    damage(path_of(pair, message, "Work"))
    before = pair.remote.uidvalidity("Work")
    pair.remote.delete_mailbox("Work")
    pair.remote.create("Work")
    pair.remote.add("Work", message)
    assert pair.remote.uidvalidity("Work") != before
    findings, _ = verify(pair, "--repair", status=DIFFERENT)
    assert kinds(findings) == ["file-damaged", "uidvalidity-changed"]
    assert not findings[0]["mended"] and not findings[1]["mended"]


def altering(change):
    """A line that changes the first thing that it finds in what the server says."""
    done = []

    def alter(direction, data):
        changed = data if direction == "up" or done else change(data)
        if changed != data:
            done.append(True)
        return changed

    return alter


def test_another_message_under_a_uid(pair, plain_line):
    """A server restored from a backup: size and date are another message's."""
    plain_line.alter = altering(lambda data: re.sub(rb"RFC822\.SIZE \d+", b"RFC822.SIZE 7", data, count=1))
    findings, _ = verify(pair, status=DIFFERENT)
    assert kinds(findings) == ["message-other"] and "size" in findings[0]["text"]
    plain_line.alter = altering(lambda data: re.sub(rb'INTERNALDATE "..-...-\d{4}',
                                                 b'INTERNALDATE "01-Jan-1999', data, count=1))
    findings, _ = verify(pair, status=DIFFERENT)
    assert kinds(findings) == ["message-other"] and "INTERNALDATE" in findings[0]["text"]
    plain_line.alter = altering(lambda data: re.sub(rb"(?i)(Message-ID: <)....", rb"\1XXXX", data, count=1))
    findings, _ = verify(pair, status=DIFFERENT)
    assert kinds(findings) == ["message-other"] and "Message-ID" in findings[0]["text"]


def damage_on_server(channel, message):
    """The same number of bytes in the server's own file."""
    for path in glob.glob(f"{channel.server.home(channel.user)}/Maildir/*/*"):
        if os.path.isfile(path) and message.body.replace(b"\r\n", b"\n") == open(path, "rb").read():
            damage(path)
            return
    raise AssertionError("the server holds no such file")


def test_the_servers_bytes_are_compared_deep_only(pair):
    damage_on_server(pair, pair.messages[2])
    assert not verify(pair)[0]
    findings, _ = is_untouched(pair, lambda: verify(pair, "--deep", status=DIFFERENT))
    assert kinds(findings) == ["message-damaged"] and findings[0]["side"] == "remote"
    findings, _ = verify(pair, "--deep", "--repair", status=DIFFERENT)
    assert not findings[0]["mended"], "the server is never written to"


def test_nothing_proves_which_of_three_is_right(pair):
    """File, server and journal all differ: nothing is touched."""
    damage_on_server(pair, pair.messages[0])
    path = path_of(pair, pair.messages[0])
    damage(path, where=-5)
    before = open(path, "rb").read()
    findings, _ = verify(pair, "--repair", status=DIFFERENT)
    assert kinds(findings) == ["file-damaged"] and "nothing is proved" in findings[0]["mending"]
    assert open(path, "rb").read() == before and not pair.local.litter()


def test_a_journal_that_is_wrong_learns(pair):
    """Both sides hold the same, and the journal something else."""
    damage_on_server(pair, pair.messages[0])
    damage(path_of(pair, pair.messages[0]))
    findings, _ = verify(pair, "--repair")
    assert kinds(findings) == ["file-damaged"] and "corrected" in findings[0]["mending"]
    assert not verify(pair, "--deep")[0]


def test_a_message_that_the_server_does_not_give(pair, plain_line):
    refuse(plain_line, rb"UID FETCH", "NO cannot convert this message", rb"BODY\.PEEK\[\]")
    findings, _ = verify(pair, "--deep", status=DIFFERENT)
    assert kinds(findings) == ["message-unreadable"] * 3


def test_a_mailbox_that_the_server_does_not_list(pair, plain_line):
    refuse(plain_line, rb"UID FETCH", "NO not now")
    findings, _ = verify(pair, status=DIFFERENT)
    assert kinds(findings) == ["mailbox-unreadable"] and "not now" in findings[0]["text"]


def test_refused_messages_are_told_with_their_reason(channel, plain_line, corpus):
    channel.remote.add("INBOX", corpus.message("plain"))
    refuse(plain_line, rb"UID FETCH", "NO cannot convert this message", rb"BODY")
    channel.sync(status=1)
    plain_line.alter = None
    findings, _ = verify(channel, status=DIFFERENT)
    assert kinds(findings) == ["note"] and "refused: " in findings[0]["text"]
    assert "cannot convert" in findings[0]["text"] and findings[0]["uid"] == 1


def test_a_damaged_journal_is_set_aside(pair):
    """FAULTS 8: and the next sync pairs the messages anew, without a download or an upload."""
    path = next(name for name in journals(pair) if "INBOX" in name)
    with open(path, "r+b") as file:
        lines = file.read().split(b"\n")
        lines[1] = lines[1][:-2] + b"\xff\xff"
        file.seek(0)
        file.write(b"\n".join(lines) + b"\nx 1 2\nc 99 garbage\n")
    findings, _ = is_untouched(pair, lambda: verify(pair, status=DIFFERENT))
    assert "journal-damaged" in kinds(findings) and not any(event["mended"] for event in findings)
    findings, _ = verify(pair, "--repair")
    assert findings[0]["mended"] and glob.glob(f"{pair.state_directory}/*INBOX.journal.damaged-*")
    summary = pair.summary()
    assert summary["matched"] == 3 and summary["local"]["new"] == summary["remote"]["new"] == 0
    findings, _ = verify(pair)
    assert kinds(findings) == ["stray-file"] and findings[0]["harmless"]


def test_another_mailboxes_journal_is_told_and_kept(pair, corpus):
    """FAULTS 8: it is whole, and whose it is the user knows."""
    pair.remote.create("Other")
    pair.remote.add("Other", corpus.message("plain"))
    pair.sync()
    inbox, other = (f"{pair.state_directory}/{name}.journal" for name in ("INBOX", "Other"))
    shutil.copy(other, inbox)
    for arguments in ([], ["--repair"]):
        findings, _ = verify(pair, *arguments, status=DIFFERENT)
        assert kinds(findings) == ["journal-damaged"] and "belongs to mailbox Other" in findings[0]["text"]
    assert os.path.exists(inbox)


def test_a_digest_that_the_journal_lacks_is_filled_in(channel, corpus, plain_line):
    """Pairs that were matched by Message-ID have the file's digest; one that never got it gets it."""
    message = corpus.message("plain")
    channel.remote.add("INBOX", message)
    channel.sync()
    forget_digest(channel)
    findings, _ = verify(channel, status=DIFFERENT)
    assert kinds(findings) == ["digest-unknown"]
    findings, _ = verify(channel, "--repair")
    assert findings[0]["mended"] and not verify(channel, "--deep")[0]
    assert message.digest in channel.run("journal").out


def forget_digest(channel):
    """Writes the journal anew with the pair's digest unknown, checksums and all."""
    path = next(name for name in journals(channel) if "INBOX" in name)
    with open(path, "rb") as file:
        lines = file.read().decode().splitlines()
    first = lines[0]
    pairs = [re.sub(r"\b[0-9a-f]{64}\b", "-", line) for line in lines[1:] if line.startswith("p ")]
    commit = next(line for line in reversed(lines) if line.startswith("c ")).split(" ")
    commit[1] = "1"
    head = " ".join(commit[:-2])
    line = f"{head} {zlib.crc32(chr(10).join([first, *pairs, head]).encode()):08x}"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([first, *pairs, f"{line} {zlib.crc32(line.encode()):08x}"]) + "\n")


def test_what_a_stopped_run_left_in_tmp(pair):
    """FAULTS 1: a file of our own naming whose process is gone."""
    tmp = f"{pair.local.directory('INBOX')}/tmp"
    owner = subprocess.Popen(["true"])
    owner.wait()
    host = re.search(r"\.([^.,]+),S=", path_of(pair, pair.messages[0])).group(0)
    name = os.path.basename(path_of(pair, pair.messages[0])).split(",S=")[0]
    name = re.sub(r"P\d+Q", f"P{owner.pid}Q", name)
    assert host and name
    with open(f"{tmp}/{name}", "wb") as file:
        file.write(b"half a mess")
    with open(f"{tmp}/1700000000.M1P1.elsewhere", "wb") as file:
        file.write(b"another program is at it")
    findings, _ = is_untouched(pair, lambda: verify(pair, status=DIFFERENT))
    assert [(event["finding"], event["name"]) for event in findings] == [("litter", name)]
    findings, _ = verify(pair, "--repair")
    assert findings[0]["mended"] and os.listdir(tmp) == ["1700000000.M1P1.elsewhere"]


def test_strays_in_the_state_directory(pair):
    state = pair.state_directory
    for name in ("notes.txt", ".INBOX.journal.tmp"):
        with open(f"{state}/{name}", "w", encoding="ascii") as file:
            file.write("x")
    findings, _ = is_untouched(pair, lambda: verify(pair, status=DIFFERENT))
    assert [event["name"] for event in findings] == [".INBOX.journal.tmp", "notes.txt"]
    findings, _ = verify(pair, "--repair", status=DIFFERENT)
    assert [event["mended"] for event in findings] == [True, False]
    assert sorted(os.listdir(state)) == sorted(["channel", "generation", "lock", "notes.txt",
                                                *(os.path.basename(path) for path in journals(pair))])
    assert not verify(pair, "test/INBOX")[0], "a mailbox that was named has no strays"


def test_a_mailbox_can_be_named(pair):
    pair.remote.create("Other")
    pair.sync()
    damage(path_of(pair, pair.messages[0]))
    assert not verify(pair, "test/Other")[0]
    assert len(verify(pair, "test/INBOX", status=DIFFERENT)[0]) == 1


def test_the_wrong_tree_is_refused(pair):
    os.unlink(f"{pair.local_root}/.evenmail")
    assert "not the tree" in pair.run("verify", status=2).err
