# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness itself: what judges evenmail must be able to see each difference."""
import concurrent.futures
import imaplib
import os
import re
import shutil
import ssl
import subprocess
import time

import pytest

from channel import contents
from conftest import ROOT
from corpus import KINDS, Corpus, Message
from dovecot import Dovecot, session_members
from forks import Forks, Programs, is_sanitized
from local import Local
from mailbox_names import decode_utf7, encode_utf7
from remote import Remote


@pytest.fixture
def remote(server, user):
    account = Remote(server, user)
    yield account
    account.close()


@pytest.fixture
def tree(tmp_path):
    tree = Local(tmp_path / "mail")
    tree.create("INBOX")
    return tree


def test_corpus_repeats_itself():
    assert Corpus("a").messages(50) == Corpus("a").messages(50)
    assert Corpus("a").messages(5) != Corpus("b").messages(5)


def test_corpus_averages_fifteen_kilobytes():
    sizes = [len(message.body) for message in Corpus("sizes").messages(2000)]
    assert 10_000 < sum(sizes) / len(sizes) < 20_000


@pytest.mark.parametrize("kind", KINDS)
def test_corpus_has_only_whole_line_ends(kind):
    for message in Corpus(kind).messages(3, kind):
        bare = message.body.replace(b"\r\n", b"")
        assert message.body and b"\r" not in bare and b"\n" not in bare


@pytest.mark.parametrize("kind", KINDS)
def test_server_keeps_what_is_appended(remote, corpus, kind):
    messages = corpus.messages(3, kind)
    remote.add("INBOX", *messages)
    assert remote.state() == {("INBOX",): contents(*messages)}


def test_server_keeps_what_is_laid_down(remote, corpus):
    boxes = {"INBOX": corpus.messages(20), "Archive/2024": corpus.messages(20)}
    remote.fill(boxes)
    assert remote.state() == {("INBOX",): contents(*boxes["INBOX"]),
                              ("Archive", "2024"): contents(*boxes["Archive/2024"])}


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
def test_tree_keeps_what_is_added(tmp_path, corpus, layout):
    tree = Local(tmp_path / "mail", layout)
    boxes = {"INBOX": corpus.messages(20), "Archive/2024": corpus.messages(20)}
    tree.fill(boxes)
    assert tree.state() == {("INBOX",): contents(*boxes["INBOX"]),
                            ("Archive", "2024"): contents(*boxes["Archive/2024"])}


@pytest.mark.parametrize("side", ["remote", "tree"])
def test_sides_see_each_change(request, corpus, side):
    account = request.getfixturevalue(side)
    one, two = corpus.messages(2, "plain", flags="S")
    account.add("INBOX", one, two)
    account.set_flags("INBOX", one, "FPRS")
    assert account.state()[("INBOX",)] == contents(one.with_flags("FPRS"), two)
    account.set_flags("INBOX", one, "")
    assert account.state()[("INBOX",)] == contents(one.with_flags(""), two)
    account.remove("INBOX", one)
    assert account.state()[("INBOX",)] == contents(two)
    account.add("INBOX", two)
    assert account.state()[("INBOX",)] == contents(two, two)
    account.remove_all("INBOX")
    assert account.state()[("INBOX",)] == []


def test_tree_reads_raw_files_as_they_are(tree):
    body = b"From: a\r\n\r\nbare\nline\r\n"
    path = os.path.join(tree.directory("INBOX"), "cur", f"1.M1P1.host,S={len(body)},W={len(body)}:2,")
    with open(path, "wb") as file:
        file.write(body)
    assert tree.state()[("INBOX",)][0][0] == Message(body).digest


@pytest.mark.parametrize("text,wire", [("Entwürfe", "Entw&APw-rfe"), ("A&B", "A&-B"), ("日本語", "&ZeVnLIqe-"),
                                       ("a~peter", "a~peter"), ("𝄞", "&2DTdHg-")])
def test_utf7(text, wire):
    assert encode_utf7(text) == wire
    assert decode_utf7(wire) == text


@pytest.mark.parametrize("options,name", [
    ({"mail": "sdbox"}, ("a.b", "cur")), ({"separator": "."}, ("a", "b")),
    ({"separator": ".", "prefix": "INBOX."}, ("Entwürfe", "x")),
    ({"separator": ".", "listescape": True}, ("a/b", "100%"))])
def test_servers_of_every_kind(servers, user, corpus, options, name):
    remote = Remote(servers(**options), user)
    message = corpus.message()
    remote.create(name)
    remote.add(name, message)
    assert remote.state()[name] == contents(message)
    remote.close()


def test_server_offers_only_what_it_is_told(servers, user):
    server = servers(capability="IMAP4rev1 ENABLE CONDSTORE")
    remote = Remote(server, user)
    assert remote.imap.capability()[1][-1] == b"IMAP4rev1 ENABLE CONDSTORE"
    remote.close()


@pytest.mark.parametrize("mechanism,answer", [
    ("PLAIN", "\0{user}\0{password}"), ("XOAUTH2", "user={user}\1auth=Bearer {token}\1\1"),
    ("OAUTHBEARER", "n,a={user},\1host=localhost\1port=1\1auth=Bearer {token}\1\1")])
def test_server_authenticates(server, mechanism, answer):
    good = answer.format(user="someone", password=server.password, token=server.token)
    bad = answer.format(user="someone", password="wrong", token="wrong")
    context = ssl.create_default_context(cafile=server.ca_file)
    imap = imaplib.IMAP4_SSL("localhost", server.imaps_port, ssl_context=context)
    assert imap.authenticate(mechanism, lambda _: good.encode())[0] == "OK"
    imap.logout()
    with imaplib.IMAP4_SSL("localhost", server.imaps_port, ssl_context=context) as imap:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            imap.authenticate(mechanism, lambda asked: b"\1" if asked else bad.encode())


def test_servers_run_side_by_side_and_end():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: Dovecot().start(), range(3)))
    leaders = []
    for server in started:
        Remote(server, "someone").close()
        with open(f"{server.dir}/run/master.pid", encoding="ascii") as file:
            leaders.append(int(file.read()))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(Dovecot.close, started))
    assert not any(session_members(leader) for leader in leaders)
    assert not any(os.path.exists(server.dir) for server in started)


def test_proxy_delays_and_counts(server, user, make_proxy):
    proxy = make_proxy(server.imap_port, delay=0.05, record=True)
    imap = imaplib.IMAP4("127.0.0.1", proxy.port)
    before = proxy.describe()
    start = time.monotonic()
    for _ in range(3):
        imap.noop()
    assert time.monotonic() - start >= 0.3
    after = proxy.describe()
    assert after["turns"] - before["turns"] == after["depth"] - before["depth"] == 3
    assert proxy.said("up").count(b"NOOP") == 3
    # Pipelined commands wait once, however many they are.
    imap.sock.sendall(b"".join(b"x%d NOOP\r\n" % number for number in range(50)))
    while not imap.readline().startswith(b"x49"):
        pass
    assert proxy.most("depth") - after["depth"] == 1
    imap.shutdown()


def test_proxy_does_not_serialize_chunks(server, make_proxy):
    """Bytes sent over some time arrive over that time, not that time for each chunk."""
    proxy = make_proxy(server.imap_port, delay=0.5)
    imap = imaplib.IMAP4("127.0.0.1", proxy.port)
    start = time.monotonic()
    for number in range(20):
        imap.sock.sendall(b"x%d NOOP\r\n" % number)
        time.sleep(0.005)
    while not imap.readline().startswith(b"x19"):
        pass
    assert time.monotonic() - start < 20 * 0.5, "one after the other"
    imap.shutdown()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_proxy_cuts(server, make_proxy, direction):
    proxy = make_proxy(server.imap_port, **{f"cut_{direction}": 600})
    imap = imaplib.IMAP4("127.0.0.1", proxy.port)
    with pytest.raises((imaplib.IMAP4.error, OSError)):
        for _ in range(100):
            imap.noop()
    assert proxy.total(direction) == 600


@pytest.mark.parametrize("path,text,verdict", [
    ("mail/a.c", '#include "base/buf.h"\n', None),
    ("mail/a.c", '#include "imap/lex.h"\n', "each folder includes only what lies below it"),
    ("imap/a.c", '#include "maildir/tree.h"\n', "each folder includes only what lies below it"),
    ("run/a.c", '#include "config/config.h"\n', "each folder includes only what lies below it"),
    ("attic/a.c", "\n", "each folder includes only what lies below it"),
    ("base/a.c", "void f(char *a) { strcpy (a, g); }\n", "no banned call"),
    ("base/a.c", "/* never strcpy(a, b), */ char a[] = \"system(1)\";\n", None),
    ("imap/a.c", "int a = set(c, CURLOPT_SSL_VERIFYPEER, 0L);\n", "no banned call"),
    ("imap/a.c", "int a = set(c, CURLOPT_SSL_VERIFYHOST, 2L);\n", None)])
def test_check_layers_sees_each_fault(tmp_path, path, text, verdict):
    place = tmp_path / "src" / path
    place.parent.mkdir(parents=True)
    place.write_text("// SPDX-License-Identifier: GPL-3.0-or-later\n" + text)
    # What libcurl is told must be found somewhere.
    (tmp_path / "src" / "imap").mkdir(exist_ok=True)
    shutil.copy(ROOT / "src" / "imap" / "transport-login.c", tmp_path / "src" / "imap")
    done = subprocess.run([ROOT / "tests" / "check-layers", "--source", tmp_path], check=False,
                          stdout=subprocess.PIPE, text=True)
    found = [line.removeprefix("not ok - ").partition(" (")[0] for line in done.stdout.splitlines()
             if line.startswith("not ok")]
    assert found == ([verdict] if verdict else [])
    assert done.returncode == (1 if verdict else 0)


@pytest.mark.parametrize("text,pure", [("unsigned long f(const char *s) { return strlen(s); }", True),
                                       ("long f(void) { return time(0); }", False),
                                       ("int f(void) { return puts(\"x\"); }", False)])
def test_check_layers_sees_an_impure_planner(tmp_path, text, pure):
    place = tmp_path / "src" / "sync"
    place.mkdir(parents=True)
    for name in ("plan", "planner", "guard", "match"):
        source = place / f"{name}.c"
        source.write_text(f"#include <stdio.h>\n#include <string.h>\n#include <time.h>\n{text}\n")
        subprocess.run(["gcc", "-fno-builtin", "-c", "-o", place / f"{name}.o", source], check=True)
    done = subprocess.run([ROOT / "tests" / "check-layers", "--source", tmp_path, "--build", tmp_path],
                          check=False, stdout=subprocess.PIPE, text=True)
    assert ("\nok - the planner is pure" in done.stdout) == pure


@pytest.mark.parametrize("text,clean", [("int main(void) { return 0; }", True),
                                        ("int fault_point(void) { return 0; } int main(void) { return fault_point(); }", False),
                                        ("#include <stdlib.h>\nint main(void) { return !getenv(\"EVENMAIL_STOP_AT\"); }", False)])
def test_check_layers_sees_fault_points(tmp_path, text, clean):
    source = tmp_path / "main.c"
    source.write_text(text)
    subprocess.run(["gcc", "-o", tmp_path / "evenmail", source], check=True)
    done = subprocess.run([ROOT / "tests" / "check-layers", "--build", tmp_path], check=False,
                          stdout=subprocess.PIPE, text=True)
    assert ("\nok - a release has no fault points" in done.stdout) == clean


WALLS = ("-O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE -pie"
         " -ftrivial-auto-var-init=zero -fno-strict-overflow -Wl,-z,relro,-z,now,-z,noexecstack").split()
# What some compilers do unasked.
WITHOUT = {"-fPIE -pie": ["-no-pie"], "-fstack-protector-strong": ["-fno-stack-protector"],
           "-Wl,-z,relro,-z,now,-z,noexecstack": ["-Wl,-z,norelro,-z,lazy,-z,execstack"]}
READS = "#include <unistd.h>\nint main(int count, char **words) { char b[8]; return read(0, b, count) + words[0][0]; }"


@pytest.mark.parametrize("wall", [None, "-fPIE -pie", "-fstack-protector-strong", "-Wl,-z,relro,-z,now,-z,noexecstack",
                                  "-D_FORTIFY_SOURCE=2", "-ftrivial-auto-var-init=zero", "-fstack-clash-protection"])
def test_check_layers_sees_a_wall_that_is_missing(tmp_path, wall):
    (tmp_path / "main.c").write_text(READS)
    flags = [flag for flag in WALLS if flag not in (wall or "").split()]
    subprocess.run(["gcc", *flags, *WITHOUT.get(wall, []), "-o", tmp_path / "evenmail", tmp_path / "main.c"], check=True)
    done = subprocess.run([ROOT / "tests" / "check-layers", "--build", tmp_path], check=False,
                          stdout=subprocess.PIPE, text=True)
    assert ("\nok - a release is hardened" in done.stdout) == (wall is None), done.stdout


FIGURES = {("stops", "points stopped at"): 2000, ("errors", "calls that failed"): 10_000, ("messages", "lost"): 0}


@pytest.mark.parametrize("change,status", [({}, 0), ({("stops", "points stopped at"): 1999}, 1),
                                           ({("messages", "lost"): 1}, 1), ({("power", "messages doubled"): 2}, 1)])
def test_figures_that_fall_short(tmp_path, change, status):
    """A suite that shrinks, or finds harm, fails the run; for stages of which one alone was made, only harm counts."""
    path = tmp_path / "figures"
    lines = [f"{suite}\t{count}\t{words}\n" for (suite, words), count in {**FIGURES, **change}.items()]
    path.write_text("".join(lines))
    rest = [("power", "images of power cuts"), ("histories", "on real Dovecot"), ("hostile", "server modes"),
            ("cuts", "bytes after which the line was cut, up"), ("cuts", "bytes after which the line was cut, down")]
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"{suite}\t3000\t{words}\n{suite}\t3000\t{words}\n" for suite, words in rest)
    environment = {"PATH": os.environ["PATH"]}
    command = [f"{ROOT}/tests/check-figures", str(path)]
    assert subprocess.run([*command, "faults", "e2e"], env=environment, stdout=subprocess.DEVNULL).returncode == status
    assert subprocess.run([*command, "faults"], env=environment, stdout=subprocess.DEVNULL).returncode == \
        (status if ("stops", "points stopped at") not in change else 0)


@pytest.fixture
def shells(programs):
    """A shell whose runs are forked, as a program's are."""
    forks = Forks(programs.library, "/bin/sh")
    yield forks
    forks.close()


def run_forked(forks, *arguments, **environment):
    with forks.start(["sh", *arguments], environment) as run:
        said = run.stderr.read().decode()
        return run.wait(), said


def test_a_forked_run_has_what_it_was_given(shells):
    """Arguments, environment, descriptors and nothing of the run before; it ends as it ends by itself."""
    script = 'echo "$# $2 $A-$B $LD_PRELOAD$FORKS_FD" >&2; A=again; exec 5>&1; exit "$1"'
    assert run_forked(shells, "-c", script, "sh", "3", "two words", A="1", B="") == (3, "2 two words 1- \n")
    assert run_forked(shells, "-c", script, "sh", "0", B="2") == (0, "1  -2 \n")
    assert run_forked(shells, "-c", "echo /proc/self/fd/* >&2") == \
        (0, " ".join(f"/proc/self/fd/{number}" for number in range(4)) + "\n"), "the last is the directory itself"
    assert run_forked(shells, "-c", "kill -9 $$") == (-9, "")


def test_a_forked_run_can_be_killed(shells):
    with shells.start(["sh", "-c", "echo here >&2; exec sleep 600"], {}) as run:
        assert run.stderr.readline() == b"here\n"
        run.kill()
        assert run.wait() == -9
        run.kill()
    assert run_forked(shells, "-c", "echo $$ >&2")[0] == 0


def test_only_what_has_no_sanitizers_is_forked(programs, tmp_path):
    """A sanitizer wants nothing loaded before itself, and is known by what the program asks the linker for."""
    source = tmp_path / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    for sanitizer in "address", "thread":
        program = f"{tmp_path}/{sanitizer}"
        subprocess.run(["cc", f"-fsanitize={sanitizer}", "-o", program, source], check=True)
        assert is_sanitized(program) and Programs(program, program, programs.library).make_forks() is None
    assert not is_sanitized("/bin/sh")


FAULTS = 49
ROWS = re.compile(r"FAULTS (\d+(?:(?:, | and |, and )\d+)*)")


def test_each_fault_is_named_where_it_is_tested():
    """The rows of the catalogue of faults: none is without a test that names its number."""
    named = set()
    for path in (ROOT / "tests").rglob("*"):
        if path.suffix in (".py", ".c", ".imapd") and path.is_file():
            for found in ROWS.findall(path.read_text(encoding="utf-8")):
                named.update(map(int, re.findall(r"\d+", found)))
    # 41 is about what is not to be called: a check of the sources.
    assert "FAULTS 41" in (ROOT / "tests" / "check-layers").read_text(encoding="utf-8")
    assert named | {41} == set(range(1, FAULTS + 1))


def lines_naming_tests(name):
    """The lines "    FILE: TEXT" of a list; that each FILE holds its TEXT."""
    lines = (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()
    named = [re.fullmatch(r" {4}([^:]+)(?:: (.+))?", line) for line in lines if line.startswith(" ")]
    for found in named:
        assert (found[2] or "") in (ROOT / found[1]).read_text(encoding="utf-8"), found[0]
    return named


def test_each_regression_has_its_test():
    assert len(lines_naming_tests("REGRESSIONS")) > 50


def test_each_promise_of_security_has_its_check():
    """And each of those that are not made, its reason."""
    assert len(lines_naming_tests("SECURITY")) > 50
    lines = (ROOT / "tests" / "SECURITY").read_text(encoding="utf-8").splitlines()
    # A line that says what is promised is followed by what sees to it, or goes on.
    for line, after in zip(lines, [*lines[1:], ""]):
        if line.endswith(".") and not line.startswith(" ") and after != "":
            assert after.startswith("    "), line
