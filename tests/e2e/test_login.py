# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaching the server and proving who one is; and refusing to, where that would be unsafe. FAULTS 40."""
import base64
import hashlib
import os
import socket
import ssl
import subprocess

import pytest

from channel import contents, write_private
from dovecot import find_free_port, make_ca

UNAVAILABLE, REFUSED, CONFIGURATION = 69, 77, 78


@pytest.fixture
def account(channel, corpus):
    """An account with one message; works() says whether evenmail got at it."""
    message = corpus.message()
    channel.remote.add("INBOX", message)

    def works():
        channel.sync()
        assert channel.state() == {("INBOX",): contents(message)}

    channel.works = works
    return channel


def untouched(channel):
    """No mail came."""
    return not any(channel.local.state().values()) if os.path.isdir(channel.local_root) else True


def test_implicit_tls(account):
    account.works()


def test_implicit_tls_by_address(account):
    account.remote_keys["host"] = "127.0.0.1"
    account.works()


def test_starttls(account):
    account.remote_keys.update(tls="starttls", port=account.server.imap_port)
    account.works()


def test_plain_on_loopback(account):
    account.use_plain()
    account.works()


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_no_ca_is_refused(account, tls):
    account.remote_keys["tls"] = tls
    account.remote_keys["port"] = account.server.imaps_port if tls == "implicit" else account.server.imap_port
    del account.remote_keys["ca-file"]
    account.sync(status=REFUSED)
    assert untouched(account)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_wrong_ca_is_refused(account, tmp_path, tls):
    account.remote_keys["tls"] = tls
    account.remote_keys["port"] = account.server.imaps_port if tls == "implicit" else account.server.imap_port
    account.remote_keys["ca-file"] = make_ca(tmp_path, "other")
    account.sync(status=REFUSED)
    assert untouched(account)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("certificate", [
    {"certificate_names": "DNS:imap.example.org"},
    {"certificate_names": "DNS:*.localhost,IP:192.0.2.1"},
    {"certificate_made": "-10 days"},
    {"certificate_made": "+10 days"},
    {"certificate_names": "", "certificate_subject": "imap.example.org"},
    {"certificate_names": "DNS:imap.example.org", "certificate_subject": "localhost"},
], ids=["of another host", "of hosts below and another address", "expired", "not yet good",
        "of another host by its subject", "of another host but for its subject"])
def test_wrong_certificate_is_refused(make_channel, servers, make_proxy, certificate, tls):
    """It is signed by the right CA, but not good for this host, or not now; the password must not get there."""
    server = servers(**certificate)
    channel = make_channel(server=server)
    port = server.imaps_port if tls == "implicit" else server.imap_port
    proxy = make_proxy(port, record=True)
    channel.remote_keys.update(tls=tls, port=proxy.port)
    channel.sync(status=REFUSED)
    assert b"AUTHENTICATE" not in proxy.said("up") and b"LOGIN" not in proxy.said("up")


@pytest.mark.parametrize("host,status", [("localhost", 0), ("127.0.0.1", REFUSED)])
def test_certificate_without_other_names(make_channel, servers, corpus, host, status):
    """Its subject's CN counts then, as RFC 7817 still allows, for hosts; not for addresses."""
    channel = make_channel(server=servers(certificate_names="", certificate_subject="localhost"))
    channel.remote_keys["host"] = host
    channel.sync(status=status)


def test_plain_off_loopback_is_refused_unasked(account):
    account.use_plain()
    account.remote_keys["host"] = "192.0.2.1"  # for documentation: nobody is there
    account.sync(status=CONFIGURATION)


def test_starttls_cannot_be_taken_away(account, make_proxy):
    """Somebody on the line hides that the server offers STARTTLS: no password goes out in clear."""
    proxy = make_proxy(account.server.imap_port, record=True)
    proxy.alter = lambda direction, data: data.replace(b"STARTTLS", b"XNOTHING")
    account.remote_keys.update(tls="starttls", port=proxy.port)
    assert account.sync(status=None).returncode in (UNAVAILABLE, REFUSED)
    said = proxy.said("up")
    assert b"CAPABILITY" in said and b"AUTHENTICATE" not in said and b"LOGIN " not in said


@pytest.fixture
def two_accounts(make_channel, tmp_path, make_proxy):
    """Two of one host and port: alice's channel goes in clear, bob's by STARTTLS; run(which) names those to be run."""
    alice, bob = (make_channel(name=name, directory=tmp_path / "both") for name in ("alice", "bob"))
    line = make_proxy(alice.server.imap_port, record=True)
    alice.use_plain(line.port)
    bob.remote_keys.update(tls="starttls", port=line.port)
    for channel in (alice, bob):
        channel.local_root = f"{tmp_path}/both/{channel.name}"

    def run(*which):
        alice.write_config(bob)
        done = subprocess.run([alice.evenmail, "sync", "-c", alice.config_file, *which], env=alice.environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    return alice, bob, line, run


def in_clear(channel, line):
    """Whether that account's login was said where it can be read."""
    words = f"\0{channel.user}\0{channel.server.password}".encode()
    return base64.b64encode(words) in line.said("up")


@pytest.mark.parametrize("which", [("alice", "bob"), ("bob", "alice"), ()], ids=" ".join)
def test_two_accounts_of_one_host(two_accounts, corpus, which):
    """FAULTS 41: no connection is taken over, nor what one of them was content with."""
    alice, bob, line, run = two_accounts
    mail = corpus.messages(2)
    for channel, message in zip((alice, bob), mail):
        channel.remote.add("INBOX", message)
    assert run(*which) == (0, "")
    for channel, message in zip((alice, bob), mail):
        assert channel.state() == {("INBOX",): contents(message)}
    assert in_clear(alice, line) and not in_clear(bob, line)
    assert line.said("up").count(b" STARTTLS\r\n") >= 1


@pytest.mark.parametrize("which", [("alice", "bob"), ("bob", "alice"), ()], ids=" ".join)
def test_two_accounts_of_a_host_without_tls(two_accounts, corpus, which):
    """FAULTS 41: who wants TLS does not go in behind the one who does not."""
    alice, bob, line, run = two_accounts
    line.alter = lambda way, data: data.replace(b"STARTTLS", b"XNOTHING") if way == "down" else data
    alice.remote.add("INBOX", message := corpus.message())
    bob.remote.add("INBOX", corpus.message())
    status, said = run(*which)
    assert status == REFUSED and "bob: localhost: the server offers no STARTTLS on this port" in said
    assert alice.state() == {("INBOX",): contents(message)} and untouched(bob)
    assert in_clear(alice, line) and not in_clear(bob, line)


@pytest.mark.parametrize("key,tried", [("password", 1), ("token-command", 2)])
def test_wrong_secret_is_refused(account, make_proxy, key, tried):
    """Once, or servers lock the account; of a command there may be a newer token, and no third one."""
    line = make_proxy(account.server.imap_port, record=True)
    account.use_plain(line.port)
    del account.remote_keys["password"]
    account.remote_keys[key] = "wrong" if key == "password" else "echo wrong"
    account.sync(status=REFUSED)
    assert untouched(account)
    assert line.said("up").count(b" AUTHENTICATE ") == tried


def test_nobody_answers(channel):
    channel.remote_keys["port"] = find_free_port()
    channel.sync(status=UNAVAILABLE)


def test_server_hangs_up(channel):
    """One that accepts and says nothing but goodbye."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        channel.use_plain(listener.getsockname()[1])
        process = channel.start()
        listener.settimeout(60)
        peer, _ = listener.accept()
        peer.sendall(b"* BYE too many connections\r\n")
        peer.close()
        listener.close()
        _, err = process.communicate(timeout=60)
        assert process.returncode == UNAVAILABLE, err


@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_password_mechanisms(account, make_proxy, mechanism):
    proxy = make_proxy(account.server.imap_port, record=True)
    account.use_plain(proxy.port)
    account.remote_keys["auth"] = [mechanism]
    account.works()
    assert b"AUTHENTICATE " + mechanism.upper().encode() in proxy.said("up")


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_token_mechanisms(account, make_proxy, mechanism):
    proxy = make_proxy(account.server.imap_port, record=True)
    account.use_plain(proxy.port)
    del account.remote_keys["password"]
    account.remote_keys["token-command"] = f"printf '%s\\n' {account.server.token}"
    account.remote_keys["auth"] = [mechanism]
    account.works()
    assert b"AUTHENTICATE " + mechanism.upper().encode() in proxy.said("up")


def test_token_without_a_mechanism_named(account):
    del account.remote_keys["password"]
    account.remote_keys["token-command"] = f"echo {account.server.token}"
    account.works()


@pytest.mark.parametrize("ending", ["", "\n"])
def test_password_file(account, tmp_path, ending):
    write_private(tmp_path / "secret", account.remote_keys.pop("password") + ending)
    account.remote_keys["password-file"] = str(tmp_path / "secret")
    account.works()


def test_password_command(account):
    account.remote_keys["password-command"] = f"printf %s {account.remote_keys.pop('password')}"
    account.works()


def test_password_command_that_fails(account):
    del account.remote_keys["password"]
    account.remote_keys["password-command"] = "echo the vault is locked >&2; exit 3"
    process = account.sync(status=None)
    assert process.returncode in (REFUSED, CONFIGURATION) and "password-command" in process.err


@pytest.mark.parametrize("program", ["doveadm -c {conf} exec imap -u {user} | cat",
                                     "/usr/lib/dovecot/imap -c {conf} -u {user} | cat"])
def test_tunnel(account, program):
    """What one runs over ssh: the server's own imap program, which greets with PREAUTH.

    Run by root, Dovecot's takes a socket for inetd's and refuses; hence the pipe.
    """
    command = program.format(conf=account.server.conf, user=account.user)
    account.remote_keys.clear()
    account.remote_keys["tunnel"] = command
    account.works()


def test_tunnel_that_fails(account):
    account.remote_keys.clear()
    account.remote_keys["tunnel"] = "exit 1"
    account.sync(status=UNAVAILABLE)


@pytest.mark.parametrize("command", ["sync -vv", "check -vv", "plan -vv"])
@pytest.mark.parametrize("auth", ["plain", "login", "xoauth2"])
def test_no_secret_is_ever_shown(account, command, auth):
    account.remote_keys["auth"] = [auth]
    secret = account.server.password
    if auth == "xoauth2":
        del account.remote_keys["password"]
        secret = account.server.token
        account.remote_keys["token-command"] = f"echo {secret}"
    process = account.run(command)
    said = process.out + process.err
    assert "LIST" in process.err, "the protocol is shown at -vv"
    hidden = [secret, base64.b64encode(secret.encode()).decode().rstrip("=")]
    hidden.append(base64.b64encode(f"\0{account.user}\0{secret}".encode()).decode().rstrip("="))
    hidden.append(base64.b64encode(f"user={account.user}\1auth=Bearer {secret}\1\1".encode()).decode().rstrip("="))
    assert not [text for text in hidden if text in said]
    for parent, _, names in os.walk(f"{account.directory}/state"):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                assert secret.encode() not in file.read()


class Listener:
    """A port where TLS is spoken with the server's own certificate, and nothing else but goodbye."""

    def __init__(self, server, **options):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{server.dir}/tls/server.pem", f"{server.dir}/tls/server.key")
        for name, value in options.items():
            setattr(self.context, name, value)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def take_one(self):
        """The version that was agreed on and the certificate that was shown; None where TLS failed."""
        self.socket.settimeout(60)
        peer, _ = self.socket.accept()
        try:
            with self.context.wrap_socket(peer, server_side=True) as line:
                line.sendall(b"* BYE too many connections\r\n")
                return line.version(), line.getpeercert(binary_form=True)
        except ssl.SSLError:
            return None


@pytest.mark.parametrize("least", ["1.2", "1.3"])
def test_min_tls(channel, least):
    """A server that knows no more than 1.2 is taken, or left, as the user says."""
    listener = Listener(channel.server, maximum_version=ssl.TLSVersion.TLSv1_2)
    with listener.socket:
        channel.remote_keys.update({"port": listener.port, "min-tls": least})
        process = channel.start()
        shaken = listener.take_one()
        _, err = process.communicate(timeout=60)
    assert (shaken is not None) == (least == "1.2")
    assert process.returncode == UNAVAILABLE
    assert "too many connections" in err if least == "1.2" else "min-tls" in err


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_that_is_too_old_is_refused(channel, newest):
    """FAULTS 40: nothing is sent in it, and it is said what is wrong."""
    listener = Listener(channel.server, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=newest)
    listener.context.set_ciphers("ALL:@SECLEVEL=0")
    with listener.socket:
        channel.remote_keys["port"] = listener.port
        process = channel.start()
        assert listener.take_one() is None
        _, err = process.communicate(timeout=60)
    assert process.returncode == UNAVAILABLE
    assert "the server speaks no TLS 1.2 or later: what is older is not safe" in err


@pytest.mark.parametrize("key", ["client-key", None])
def test_client_certificate(channel, tmp_path, key):
    """It is shown; its key is in a file of its own or in the same."""
    certificate = f"{tmp_path}/alice.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=alice", "-keyout", f"{tmp_path}/alice.key", "-out", certificate],
                   stderr=subprocess.DEVNULL, check=True)
    listener = Listener(channel.server, verify_mode=ssl.CERT_REQUIRED)
    listener.context.load_verify_locations(certificate)
    with open(certificate, encoding="ascii") as file:
        shown = ssl.PEM_cert_to_DER_cert(file.read())
    if key is None:
        with open(certificate, "a", encoding="ascii") as out, open(f"{tmp_path}/alice.key", encoding="ascii") as file:
            out.write(file.read())
    channel.remote_keys.update({"port": listener.port, "client-cert": certificate})
    if key is not None:
        channel.remote_keys[key] = f"{tmp_path}/alice.key"
    with listener.socket:
        process = channel.start()
        shaken = listener.take_one()
        _, err = process.communicate(timeout=60)
    assert shaken and shaken[1] == shown, err


def public_key_hash(certificate):
    """sha256//HASH of a certificate's public key, as curl and HPKP write it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], stdout=subprocess.PIPE,
                         check=True, text=True).stdout
    der = base64.b64decode("".join(key.splitlines()[1:-1]))
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def test_pinned_key(account):
    account.remote_keys["pinned-key"] = public_key_hash(f"{account.server.dir}/tls/server.pem")
    account.works()


def test_wrong_pinned_key_is_refused(account):
    """The CA's key, say: a good certificate of another key."""
    account.remote_keys["pinned-key"] = public_key_hash(account.server.ca_file)
    account.sync(status=REFUSED)
    assert untouched(account)
