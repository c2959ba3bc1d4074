"""A time-stamping authority: `openssl ts` with a CA of its own, behind HTTP, honest or not."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.harness.needs import need
from verifier.times.form import parse_token

DAY = timedelta(days=1)
REPLY = "application/timestamp-reply"
_CONFIG = """\
[tsa]
default_tsa = this
[this]
serial = {directory}/serial
crypto_device = builtin
signer_cert = {directory}/tsa.pem
certs = {directory}/certs.pem
signer_key = {directory}/tsa.key
signer_digest = {digest}
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""
_COMMENT = x509.ObjectIdentifier("1.3.6.1.4.1.99999.2")
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Authority:
    """Stamps in `directory`; every argument of the constructor is a way to be another authority."""

    def __init__(
        self,
        directory: Path,
        *,
        kind: str = "rsa",
        digest: str = "sha256",
        ess: str = "sha256",
        age: timedelta = DAY,
        is_ca: bool = True,
    ) -> None:
        """`age` is how long ago the signer's certificate began; it lasts for 30 days. `is_ca`: its issuer may issue."""
        need("openssl")
        directory.mkdir(parents=True)
        self.directory = directory
        root_key, middle_key = _key(kind), _key(kind)
        self._middle_key = middle_key
        self.key = _key(kind)
        root = _issue("TSA Root", root_key, None, None, DAY * 400, is_ca=True)
        middle = _issue("TSA Issuing", middle_key, root, root_key, DAY * 300, is_ca=is_ca)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        self._middle = middle
        self.certificate = _issue("Clock", self.key, middle, middle_key, age, usage=usage)
        self.root = root.public_bytes(serialization.Encoding.PEM)
        """The PEM that a verifier would be given."""
        pem = serialization.Encoding.PEM
        (directory / "tsa.pem").write_bytes(self.certificate.public_bytes(pem))
        (directory / "certs.pem").write_bytes(middle.public_bytes(pem))
        plain = serialization.NoEncryption()
        (directory / "tsa.key").write_bytes(self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        (directory / "serial").write_text("01\n")
        (directory / "tsa.cnf").write_text(_CONFIG.format(directory=directory, digest=digest, ess=ess))
        self._lock = threading.Lock()

    def reply(self, query: bytes) -> bytes:
        """Return the answer to a TimeStampReq."""
        with self._lock:
            (self.directory / "query").write_bytes(query)
            self._openssl("-reply", "-config", "tsa.cnf", "-section", "this", "-queryfile", "query", "-out", "reply")
            return (self.directory / "reply").read_bytes()

    def stamp(self, data: bytes, digest: str = "sha256", *, with_certificate: bool = True) -> bytes:
        """Return a TimeStampResp over bytes."""
        (self.directory / "data").write_bytes(data)
        flags = ["-cert"] if with_certificate else []
        self._openssl("-query", "-data", "data", f"-{digest}", "-out", "asked", *flags)
        return self.reply((self.directory / "asked").read_bytes())

    def token(self, data: bytes) -> bytes:
        """Return the bare token over bytes, without the answer around it."""
        (self.directory / "whole").write_bytes(self.stamp(data))
        self._openssl("-reply", "-in", "whole", "-token_out", "-out", "token")
        return (self.directory / "token").read_bytes()

    def token_pss(self, data: bytes, digest: str = "sha256", *options: str) -> bytes:
        """Return a token over bytes, signed with RSASSA-PSS, which `openssl ts` does not do and `openssl cms` does.

        `options` are for -keyopt.
        """
        (self.directory / "info").write_bytes(parse_token(self.stamp(data)).info)
        command = "cms -sign -binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 -cades -nosmimecap -outform DER"
        files = "-in info -signer tsa.pem -inkey tsa.key -certfile certs.pem -out pss"
        padded = [word for option in ("rsa_padding_mode:pss", *options) for word in ("-keyopt", option)]
        run = ["openssl", *command.split(), *files.split(), "-md", digest, *padded]
        subprocess.run(run, cwd=self.directory, check=True, capture_output=True, timeout=60)
        return (self.directory / "pss").read_bytes()

    def stamp_as(
        self, data: bytes, purposes: Sequence[x509.ObjectIdentifier], *, is_critical: bool
    ) -> tuple[bytes, bytes]:
        """Return a token signed as holder of a certificate for other purposes, and its PEM: openssl would not."""
        usage = x509.ExtendedKeyUsage(list(purposes))
        other = _issue("Clock", self.key, self._middle, self._middle_key, DAY, usage=usage, is_critical=is_critical)
        der = serialization.Encoding.DER
        raw = self.stamp(data).replace(
            sha256(self.certificate.public_bytes(der)).digest(), sha256(other.public_bytes(der)).digest()
        )
        token = parse_token(raw)
        assert isinstance(self.key, rsa.RSAPrivateKey)
        signature = self.key.sign(token.signed, padding.PKCS1v15(), hashes.SHA256())
        return raw.replace(token.signature, signature), other.public_bytes(serialization.Encoding.PEM)

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", "ts", *arguments]
        subprocess.run(command, cwd=self.directory, check=True, capture_output=True, timeout=60)


def _key(kind: str) -> Key:
    if kind == "ec":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65_537, 2048)


def _issue(
    name: str,
    key: Key,
    above: x509.Certificate | None,
    above_key: Key | None,
    age: timedelta,
    *,
    is_ca: bool | None = None,
    usage: x509.ExtendedKeyUsage | None = None,
    is_critical: bool = True,
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    begin = datetime.now(UTC).replace(microsecond=0) - age
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.subject if above is not None else subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(sha256(name.encode()).digest()[:8], "big"))
        .not_valid_before(begin)
        .not_valid_after(begin + (DAY * 30 if usage is not None else DAY * 800))
    )
    if is_ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        # openssl puts the signer's certificate first, and DER the shorter one, which a strict reader insists on.
        builder = builder.add_extension(x509.UnrecognizedExtension(_COMMENT, bytes(200)), critical=False)
    if usage is not None:
        builder = builder.add_extension(usage, critical=is_critical)
    return builder.sign(above_key or key, hashes.SHA256())


class Server:
    """An authority behind HTTP: `answer` gets the query, and returns status, content type and body."""

    def __init__(self, authority: Authority) -> None:
        """Answer honestly, until a test sets `answer` or `pace_s`."""
        self.authority = authority
        self.asked: list[bytes] = []
        self.content_types: list[str] = []
        self.location = ""
        """Where it redirects to, if anywhere."""
        self.pace_s = 0.0
        """Seconds a byte."""
        self.answer: Callable[[bytes], tuple[int, str, bytes]] = lambda query: (200, REPLY, authority.reply(query))
        self.url = ""


@contextmanager
def serving_tsa(authority: Authority) -> Iterator[Server]:
    """Serve an authority on the loopback."""
    server = Server(authority)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append(query)
            server.content_types.append(self.headers["Content-Type"])
            status, kind, body = server.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if server.location:
                self.send_header("Location", server.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                if not server.pace_s:
                    self.wfile.write(body)
                    return
                for at in range(len(body)):
                    self.wfile.write(body[at : at + 1])
                    time.sleep(server.pace_s)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/tsr"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
