"""Makes chains.pem: certificates of which the tests put together documents with chains, each under its name; and chain.pem,
a document as a provider would publish it, with which the fuzzer begins.

    python3 tests/documents/chains.py     (cryptography 48)

`openssl verify` agrees with the tests on them, but for SHA-1, which it takes.

The first of a chain has the key of sns.pem, so what is signed with that can be verified with any of them. The keys of the
authorities are made anew at each run and kept nowhere.
"""

import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
SNS = x509.load_pem_x509_certificate((HERE / "sns.pem").read_bytes())
LONG = (2020, 2049)


def name(text):
    # As some authorities have it, without a common name.
    kind = NameOID.COMMON_NAME if "." in text else NameOID.ORGANIZATIONAL_UNIT_NAME
    return x509.Name([x509.NameAttribute(kind, text)])


def certificate(subject, key, issuer, signer, *, ca=True, below=None, usage="sign", years=LONG, digest=hashes.SHA256(), more=()):
    """`ca` None: no basic constraints. `usage` None: no key usage."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key if hasattr(key, "public_bytes") else key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(years[0], 1, 1))
        .not_valid_after(datetime.datetime(years[1], 1, 1))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, below), critical=True)
    if usage is not None:
        signs = usage == "sign"
        builder = builder.add_extension(
            x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False), critical=True
        )
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else digest)


def leaf(issuer, signer, **more):
    return certificate("sns.amazonaws.com", SNS.public_key(), issuer, signer, ca=False, usage="digital", **more)


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def changed(made, change):
    """The same with other bytes: its signature is then nobody's."""
    return change(bytearray(made.public_bytes(serialization.Encoding.DER)))


def another_algorithm(der):
    # What stands outside, behind what is signed: sha256WithRSAEncryption becomes sha384WithRSAEncryption.
    at = der.rindex(bytes.fromhex("2a864886f70d01010b"))
    der[at + 8] = 0x0C
    return der


def another_signature(der):
    der[-1] ^= 1
    return der


def with_sha1(made, signer):
    """The same, signed with SHA-1, which the library makes no certificates with any more."""
    sha256, sha1 = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
    signed = made.tbs_certificate_bytes.replace(sha256, sha1)
    signature = signer.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    return changed(made, lambda der: der.replace(sha256, sha1)[: -len(signature)] + signature)


root, issuer, upper, stranger = rsa_key(), rsa_key(), rsa_key(), rsa_key()
short = rsa_key(1024)
p256, p384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
p521, edwards = ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()
ROOT, ISSUER, UPPER = "chain root", "chain issuer", "chain upper issuer"
elsewhere = x509.NameConstraints(permitted_subtrees=[x509.DNSName("hookgate.example")], excluded_subtrees=None)
policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.2"), None)])

MADE = {
    # The first ones.
    "leaf": leaf(ISSUER, issuer),
    "leaf forged": leaf(ISSUER, stranger),
    "leaf with another algorithm outside": changed(leaf(ISSUER, issuer), another_algorithm),
    "leaf sha1": with_sha1(leaf(ISSUER, issuer), issuer),
    "leaf sha384": leaf(ISSUER, issuer, digest=hashes.SHA384()),
    "leaf sha512": leaf(ISSUER, issuer, digest=hashes.SHA512()),
    "leaf of the short": leaf("chain short", short),
    "leaf of p256": leaf("chain p256", p256),
    "leaf of p256 sha384": leaf("chain p256", p256, digest=hashes.SHA384()),
    "leaf of p384": leaf("chain p384", p384, digest=hashes.SHA384()),
    "leaf of p384 sha256": leaf("chain p384", p384),
    "leaf of p521": leaf("chain p521", p521),
    "leaf of itself": leaf("sns.amazonaws.com", stranger),
    # Those who issue.
    "issuer": certificate(ISSUER, issuer, ROOT, root, below=0, more=[(policy, False)]),
    "issuer until 2021": certificate(ISSUER, issuer, ROOT, root, below=0, years=(2020, 2021)),
    "issuer from 2048": certificate(ISSUER, issuer, ROOT, root, below=0, years=(2048, 2049)),
    "issuer forged": certificate(ISSUER, issuer, ROOT, stranger, below=0),
    "issuer with another key": certificate(ISSUER, stranger, ROOT, root, below=0),
    "issuer without authority": certificate(ISSUER, issuer, ROOT, root, ca=False),
    "issuer without constraints": certificate(ISSUER, issuer, ROOT, root, ca=None),
    "issuer without the usage": certificate(ISSUER, issuer, ROOT, root, usage="digital"),
    "issuer of any usage": certificate(ISSUER, issuer, ROOT, root, usage=None),
    "issuer with a critical constraint": certificate(ISSUER, issuer, ROOT, root, more=[(elsewhere, True)]),
    "issuer sha1": with_sha1(certificate(ISSUER, issuer, ROOT, root), root),
    "issuer by p384": certificate(ISSUER, issuer, "chain p384", p384, digest=hashes.SHA384()),
    "issuer by upper": certificate(ISSUER, issuer, UPPER, upper),
    "short": certificate("chain short", short, ROOT, root),
    "p256": certificate("chain p256", p256, "chain p384", p384, digest=hashes.SHA384()),
    "p384": certificate("chain p384", p384, "chain p384", p384, digest=hashes.SHA384()),
    "p521": certificate("chain p521", p521, ROOT, root),
    "upper of none below": certificate(UPPER, upper, ROOT, root, below=0),
    "upper of one below": certificate(UPPER, upper, ROOT, root, below=1),
    "root": certificate(ROOT, root, ROOT, root, below=1),
    "root until 2021": certificate(ROOT, root, ROOT, root, years=(2020, 2021)),
    "root sha1": with_sha1(certificate(ROOT, root, ROOT, root), root),
    "root with another signature": changed(certificate(ROOT, root, ROOT, root), another_signature),
    "stranger": certificate("chain stranger", stranger, "chain stranger", stranger),
    "stranger ed25519": certificate("chain edwards", edwards, "chain edwards", edwards),
}


def pem(made):
    if isinstance(made, x509.Certificate):
        return made.public_bytes(serialization.Encoding.PEM).decode()
    import ssl

    return ssl.DER_cert_to_PEM_cert(bytes(made))


TEXTS = {title: pem(made).strip() + "\n" for title, made in MADE.items()}
(HERE / "chains.pem").write_text("\n".join(f"{title}\n{text}" for title, text in TEXTS.items()))
(HERE / "chain.pem").write_text("".join(TEXTS[title] for title in ("leaf of p256", "p256", "p384")))
