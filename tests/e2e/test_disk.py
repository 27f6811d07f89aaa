# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 3, 5, 6: no room, no right to write, no inodes, descriptors or memory on the local side.

Each says what, where, why and what to do, leaves nothing torn, and goes on once it can.
"""
import os
import pathlib
import pwd
import re
import resource
import shutil
import subprocess
import tempfile

import pytest

from channel import contents
from corpus import FIRST_DATE, Message

PART, IO = 1, 74
MIB = 1 << 20
SECONDS = 300
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
BTRFS_BYTES = 120 * MIB


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(options) mounts a tmpfs and returns its path; skips where nobody may."""
    mounted = []

    def mount(options):
        path = tmp_path / f"disk{len(mounted)}"
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=0777", "tmpfs", path], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            pytest.skip(f"no tmpfs can be mounted here: {done.stdout.strip()}")
        mounted.append(path)
        return path

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


def run_as_root(*argv):
    return subprocess.run(argv, env={**os.environ, "PATH": PATH}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


class Btrfs:
    """In a file, with room for more than one may put there."""

    def __init__(self, image, place):
        self.place = str(place)
        with open(image, "xb") as file:
            file.truncate(BTRFS_BYTES)
        place.mkdir()
        for argv in (("mkfs.btrfs", "-q", image), ("mount", "-o", "loop", image, place),
                     ("btrfs", "quota", "enable", place)):
            done = run_as_root(*argv)
            if done.returncode:
                self.unmount()
                pytest.skip(f"no btrfs can be had here: {done.stdout.strip()}")

    def limit(self, most):
        assert run_as_root("btrfs", "qgroup", "limit", most, self.place).returncode == 0

    def unmount(self):
        if os.path.ismount(self.place) and run_as_root("umount", self.place).returncode:
            run_as_root("umount", "-l", self.place)


@pytest.fixture
def btrfs(tmp_path):
    if os.geteuid() != 0 or not shutil.which("mkfs.btrfs", path=PATH):
        pytest.skip("only root mounts a btrfs, and with btrfs-progs")
    made = Btrfs(tmp_path / "image", tmp_path / "btrfs")
    yield made
    made.unmount()


def is_whole(channel, *messages):
    """Each file is one of these messages, whole, and nothing is left in tmp."""
    assert not channel.local.litter()
    held = {row[0] for rows in channel.local.state().values() for row in rows}
    assert held <= {message.digest for message in messages}
    return len(held)


def large(corpus, count):
    """Messages of 400 kB."""
    return [Message(corpus.message("plain").body + corpus.attachment(400_000), "", FIRST_DATE + number)
            for number in range(count)]


def test_a_full_disk_stops_the_downloads_only(channel, small_disk, corpus):
    """FAULTS 3: flags and deletions go on, small mailboxes too, and it goes on when there is room."""
    disk = small_disk("size=6m")
    channel.local_root = f"{disk}/mail"
    old = corpus.messages(6, "plain", flags="")
    channel.remote.add("INBOX", *old)
    channel.sync()
    big = large(corpus, 30)
    total = sum(len(message.body) for message in big)
    assert total > 6 * MIB
    channel.remote.create("Big")
    channel.remote.add("Big", *big)
    channel.remote.set_flags("INBOX", old[0], "F")
    channel.remote.remove("INBOX", old[1])
    channel.local.set_flags("INBOX", old[2], "S")
    channel.local.remove("INBOX", old[3])
    err = channel.sync(status=PART).err
    assert "Big: no room for message UID " in err or "mailbox Big: no room for message UID" in err
    assert "are free" in err and "make room, the next run goes on" in err
    even = contents(old[0].with_flags("F"), old[2].with_flags("S"), *old[4:])
    assert channel.local.state()[("INBOX",)] == channel.remote.state()[("INBOX",)] == even
    held = is_whole(channel, *old, *big)
    assert 4 < held < 34
    assert channel.sync(status=PART).err and is_whole(channel, *old, *big) >= held
    subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
    channel.sync()
    assert channel.state()[("Big",)] == contents(*big)


def test_a_quota_stops_the_downloads_only(channel, btrfs, corpus):
    """FAULTS 3: as a kernel says it, and not before the disk itself is full."""
    channel.local_root = f"{btrfs.place}/mail"
    old, big = corpus.messages(4, "plain", flags=""), large(corpus, 20)
    channel.remote.add("INBOX", *old)
    channel.sync()
    channel.remote.create("Big")
    channel.remote.add("Big", *big)
    channel.remote.set_flags("INBOX", old[0], "F")
    channel.remote.remove("INBOX", old[1])
    channel.local.set_flags("INBOX", old[2], "S")
    btrfs.limit("5M")
    held = 0
    for _ in range(2):
        err = channel.sync(status=PART).err
        assert re.fullmatch(r"\S+ test/Big: .*: Disk quota exceeded\n", err), err
        even = contents(old[0].with_flags("F"), old[2].with_flags("S"), old[3])
        assert channel.local.state()[("INBOX",)] == channel.remote.state()[("INBOX",)] == even
        assert held <= is_whole(channel, *old, *big) < len(old) + len(big)
        held = is_whole(channel, *old, *big)
    btrfs.limit("none")
    channel.sync()
    assert channel.state()[("Big",)] == contents(*big)
    assert channel.sync().err == ""


def test_what_is_asked_for_fits(channel, small_disk, corpus, make_proxy):
    """Nothing that would find no room is downloaded."""
    disk = small_disk("size=4m")
    channel.local_root = f"{disk}/mail"
    messages = large(corpus, 20)
    channel.remote.add("INBOX", *messages)
    line = make_proxy(channel.server.imap_port)
    channel.use_plain(line.port)
    channel.keys["connections"] = 1
    channel.keys["compress"] = "no"
    channel.sync(status=PART)
    held = is_whole(channel, *messages)
    assert 0 < held < 20 and os.statvfs(disk).f_bfree * os.statvfs(disk).f_frsize >= MIB
    stored = sum(len(message.body) for message in messages[:held])
    assert stored <= line.total("down") < stored + 100_000
    line.reset_counts()
    channel.sync(status=PART)
    assert line.total("down") < 100_000


def test_deletions_on_the_server_make_room(channel, small_disk, corpus):
    """A full disk on which nothing could go would stay full for ever."""
    disk = small_disk("size=8m")
    channel.local_root = f"{disk}/mail"
    first, second = large(corpus, 12), large(corpus, 12)
    channel.remote.add("INBOX", *first)
    channel.sync()
    channel.remote.create("Next")
    channel.remote.add("Next", *second)
    channel.remote.remove("INBOX", *first[:11])
    channel.sync(status=PART)
    assert channel.local.state()[("INBOX",)] == contents(first[11])
    channel.sync()
    assert channel.state()[("Next",)] == contents(*second)


def test_no_inodes(channel, small_disk, corpus):
    """FAULTS 6: bytes are free, but no file can be made."""
    disk = small_disk("size=64m,nr_inodes=60")
    channel.local_root = f"{disk}/mail"
    messages = corpus.messages(80, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    err = channel.sync(status=PART).err
    assert "INBOX: no room for message UID " in err and "no more files can be made" in err
    assert 10 < is_whole(channel, *messages) < 60
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", disk], check=True)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*messages)


def test_the_state_has_no_room(channel, small_disk, corpus):
    """FAULTS 4: the journal cannot grow; what was put in place is found by the next run."""
    disk = small_disk("size=32k")
    messages = corpus.messages(250, "empty-body", flags="")
    channel.remote.add("INBOX", *messages[:2])
    os.makedirs(f"{channel.directory}/state")
    subprocess.run(["mount", "--bind", disk, f"{channel.directory}/state"], check=True)
    try:
        channel.sync()
        channel.remote.add("INBOX", *messages[2:])
        done = channel.sync(status=None)
        assert done.returncode in (PART, IO) and "No space left on device" in done.err
        is_whole(channel, *messages)
        subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(*messages)
        summary = channel.summary()
        assert summary["local"]["new"] == summary["remote"]["new"] == 0
    finally:
        subprocess.run(["umount", "-l", f"{channel.directory}/state"], check=True)


def test_a_file_that_may_not_be_so_large(channel, corpus):
    """FAULTS 3, EFBIG: those that fit are here in the same run, the others are named."""
    small, big = corpus.messages(10, "empty-body", flags=""), large(corpus, 5)
    channel.remote.add("INBOX", *big[:3], *small, *big[3:])
    process = channel.start("sync", most_bytes=50_000)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == PART and "File too large" in err
    assert is_whole(channel, *small, *big) == len(small)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*small, *big)


@pytest.mark.parametrize("kind", ["ENOSPC+", "EDQUOT+"])
@pytest.mark.parametrize("where", ["tmp", "journal"])
def test_a_disk_that_fills_up_under_way(channel, faults_program, corpus, kind, where):
    """FAULTS 3, 4: from the n-th call on nothing can be written; every n of a few."""
    messages = corpus.messages(6, "plain", flags="")
    channel.evenmail = faults_program
    for at in (1, 2, 3, 5, 8, 13):
        message = corpus.message("plain", flags="")
        messages.append(message)
        channel.remote.add("INBOX", message)
        if at == 1:
            channel.remote.add("INBOX", *messages[:6])
        process = channel.start("sync", EVENMAIL_FAIL_WITH=kind, EVENMAIL_FAIL_AT=str(at), EVENMAIL_FAIL_WHERE=where)
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode in (0, PART, IO), out + err
        if process.returncode:
            assert "No space left" in err or "Disk quota exceeded" in err, err
        is_whole(channel, *messages)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*messages)


# Nobody: CI is root, who may write anywhere.
NOBODY = pwd.getpwnam("nobody")


def become_nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)


def run_as_nobody(channel, command="sync", *arguments):
    """Runs evenmail unprivileged."""
    channel.write_config()
    if os.geteuid() == 0:
        os.chown(channel.config_file, NOBODY.pw_uid, NOBODY.pw_gid)
    return subprocess.run(channel.argv(command, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=channel.environment(), cwd=channel.directory,
                          preexec_fn=become_nobody, timeout=SECONDS, check=False)


@pytest.fixture
def unprivileged(make_channel, evenmail):
    """A channel of nobody's, in a directory that nobody can reach, with the program: what pytest and tests/run make
    is for root alone."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="evenmail-nobody-"))
    program = shutil.copy(evenmail, place)
    if os.geteuid() == 0:
        os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    channel = make_channel(directory=place)
    channel.evenmail = program
    try:
        subprocess.run([program, "--version"], preexec_fn=become_nobody, cwd=place, stdout=subprocess.DEVNULL,
                       check=False)
    except (PermissionError, subprocess.SubprocessError):
        shutil.rmtree(place)
        pytest.skip("root here may not become another user, or run what lies where temporary files go")
    yield channel
    subprocess.run(["chmod", "-R", "u+rwX", place], check=True)
    shutil.rmtree(place)


@pytest.mark.parametrize("part", ["cur", "new", "tmp", ""])
def test_a_directory_that_may_not_be_written(unprivileged, corpus, part):
    """FAULTS 5: the mailbox is named with the reason, the others go on, nothing is lost."""
    channel = unprivileged
    mail = corpus.messages(4, "plain", flags="S")
    channel.remote.create("Open")
    channel.remote.add("INBOX", mail[0])
    channel.remote.add("Open", mail[1])
    done = run_as_nobody(channel)
    assert done.returncode == 0, done.stderr
    channel.remote.add("INBOX", mail[2])
    channel.remote.add("Open", mail[3])
    directory = os.path.join(channel.local.directory("INBOX"), part)
    os.chmod(directory, 0o500)
    done = run_as_nobody(channel)
    assert done.returncode == (PART if part else 0), "nothing is made beside cur"
    if part:
        assert f"mailbox INBOX: nothing can be put into its directory {part}: Permission denied" in done.stderr
    assert channel.local.state()[("Open",)] == contents(mail[1], mail[3])
    assert mail[0].digest in {row[0] for row in channel.local.state()[("INBOX",)]}
    os.chmod(directory, 0o700)
    assert run_as_nobody(channel).returncode == 0
    assert channel.state()[("INBOX",)] == contents(mail[0], mail[2])
    assert channel.state()[("Open",)] == contents(mail[1], mail[3])


@pytest.mark.parametrize("what", ["state", "tree"])
def test_a_place_that_may_not_be_written(unprivileged, corpus, what):
    """FAULTS 5: it is named, and nothing is lost."""
    channel = unprivileged
    channel.remote.add("INBOX", corpus.message("plain"))
    assert run_as_nobody(channel).returncode == 0
    place = channel.state_directory if what == "state" else channel.local_root
    channel.remote.add("INBOX", message := corpus.message("plain"))
    channel.remote.create("Fresh")
    os.chmod(place, 0o500)
    done = run_as_nobody(channel)
    assert done.returncode in (PART, IO) and "Permission denied" in done.stderr, done.stderr
    assert run_as_nobody(channel, "plan").returncode == 0
    os.chmod(place, 0o700)
    assert run_as_nobody(channel).returncode == 0
    assert message.digest in {row[0] for row in channel.state()[("INBOX",)]}


def test_a_read_only_file_system(channel, small_disk, corpus, make_proxy):
    """FAULTS 5, EROFS."""
    disk = small_disk("size=20m")
    channel.local_root = f"{disk}/mail"
    mail = corpus.messages(4, "plain", flags="")
    channel.remote.add("INBOX", *mail[:2])
    channel.sync()
    mail[2] = large(corpus, 1)[0]
    channel.remote.add("INBOX", mail[2])
    channel.local.add("INBOX", mail[3])
    channel.remote.set_flags("INBOX", mail[0], "F")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    line = make_proxy(channel.server.imap_port)
    channel.use_plain(line.port)
    done = channel.sync(status=None)
    assert done.returncode in (PART, IO) and "Read-only file system" in done.err, done.err
    assert line.total("down") < len(mail[2].body), "what cannot be written is not downloaded"
    channel.run("plan")
    channel.run("verify", status=1)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(mail[0].with_flags("F"), *mail[1:])


@pytest.mark.parametrize("most", [8, 12, 16, 20, 24, 32, 64])
def test_few_descriptors(channel, corpus, most):
    """FAULTS 6: it either does its work or says that there are too few; never half a message."""
    mail = {name: corpus.messages(3, "plain", flags="") for name in ("INBOX", "a", "a/b", "c")}
    for name, messages in mail.items():
        if name != "INBOX":
            channel.remote.create(name)
        channel.remote.add(name, *messages)
    every = [message for messages in mail.values() for message in messages]

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    channel.write_config()
    done = subprocess.run(channel.argv("sync"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=channel.environment(), cwd=channel.directory,
                          preexec_fn=limit, timeout=SECONDS, check=False)
    if done.returncode:
        assert done.returncode in (PART, IO, 69, 78) and done.stderr, done.stderr
    assert most < 32 or done.returncode == 0, done.stderr
    is_whole(channel, *every)
    channel.sync()
    assert {name: rows for name, rows in channel.state().items() if rows} == {
        tuple(name.split("/")): contents(*messages) for name, messages in mail.items()}


def test_few_descriptors_for_an_upload(channel, corpus):
    """FAULTS 6: as many files are opened at once as can be."""
    messages = corpus.messages(60, "plain", flags="")
    channel.sync()
    channel.local.add("INBOX", *messages)
    channel.keys["connections"] = 1

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    channel.write_config()
    done = subprocess.run(channel.argv("sync"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=channel.environment(), cwd=channel.directory,
                          preexec_fn=limit, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert channel.state()[("INBOX",)] == contents(*messages)


def test_little_memory(channel, corpus, faults_program):
    """FAULTS 6: it ends with a word, and leaves nothing torn. A sanitizer's shadow does not fit into little memory."""
    channel.evenmail = faults_program
    messages = corpus.messages(10, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    said = set()
    for mib in (24, 32, 40, 48, 56, 64, 80, 96, 128):
        def limit(most=mib * MIB):
            resource.setrlimit(resource.RLIMIT_AS, (most, most))

        channel.write_config()
        done = subprocess.run(channel.argv("sync"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=channel.environment(), cwd=channel.directory,
                              preexec_fn=limit, timeout=SECONDS, check=False)
        assert done.returncode >= 0, f"killed by signal {-done.returncode} with {mib} MiB: {done.stderr}"
        assert done.returncode == 0 or done.stderr
        said.add(done.returncode)
        is_whole(channel, *messages)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*messages)
