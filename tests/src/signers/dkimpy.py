"""Verifies or signs the mails 0.eml, 1.eml and so on of this directory by dkimpy.

verify COUNT KEYS                                     a line for each: "pass", or why not
sign COUNT DOMAIN SELECTOR ALGORITHM CANONICAL LENGTH  writes 0.signed and so on, by key.pem

KEYS is a file of names and texts, or ADDRESS:PORT of a name server.
"""

import base64
import sys

import dkim
import dns.resolver


def name_server(at):
    address, port = at.rsplit(":", 1)
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = int(port)
    dns.resolver.default_resolver = resolver
    return {}


def texts(file):
    with open(file, encoding="ascii") as lines:
        known = dict(line.rstrip("\n").split(" ", 1) for line in lines)
    return {"dnsfunc": lambda name, timeout=5: known.get(name.decode().rstrip("."), "").encode() or None}


def content(number):
    with open(f"{number}.eml", "rb") as mail:
        return mail.read()


def verify(count, keys):
    source = name_server(keys) if ":" in keys else texts(keys)
    for number in range(int(count)):
        try:
            is_good = dkim.DKIM(content(number)).verify(**source)
            print("pass" if is_good else "fail")
        except dkim.DKIMException as error:
            print("error", repr(error))


def sign(count, domain, selector, algorithm, canonical, length):
    with open("key.pem", "rb") as file:
        key = file.read()
    if algorithm == "ed25519-sha256":
        # It wants the bare key, which stands at the end.
        key = base64.b64encode(base64.b64decode(key.split(b"-----")[2])[-32:])
    for number in range(int(count)):
        mail = content(number)
        field = dkim.sign(
            mail,
            selector.encode(),
            domain.encode(),
            key,
            canonicalize=tuple(canonical.encode().split(b"/")),
            signature_algorithm=algorithm.encode(),
            length=bool(length),
        )
        with open(f"{number}.signed", "wb") as signed:
            signed.write(field + mail)


{"verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:])
