"""Certificates that a gateway may show, made for the tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
import ipaddress
from pathlib import Path
import ssl
from tempfile import TemporaryDirectory
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_TIME = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate that signed itself; `server` is the context of who shows it.

    `pem` is the certificate, `key` its private key, in PEM as well.
    """

    pem: str
    fingerprint: str
    server: ssl.SSLContext
    key: str

    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts just this certificate."""
        return ssl.create_default_context(cadata=self.pem)


@cache
def certificate(name: str = "127.0.0.1", *, old: bool = False) -> Certificate:
    """Make a certificate for an address, the same one for the same arguments.

    An old one has a short key, and who shows it speaks TLS 1.0 only.
    """
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        rsa.generate_private_key(65537, 1024)
        if old
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    # Home Assistant's tests may have frozen the time; what is read here is not.
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _TIME)
        .not_valid_after(now + _TIME)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    fingerprint = made.fingerprint(hashes.SHA256()).hex()
    return Certificate(pem, fingerprint, _server(key_pem + pem, old=old), key_pem)


def _server(pem: str, *, old: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.maximum_version = ssl.TLSVersion.TLSv1
    with TemporaryDirectory() as folder:
        path = Path(folder) / "asterisk.pem"
        path.write_text(pem, "utf-8")
        context.load_cert_chain(path)
    return context


# At once: `cryptography` keeps the class of the first time that it is given, which
# would be that of a test that has frozen time, and takes no other from then on.
certificate()
