# Logs in by SCRAM that is bound to the TLS connection (RFC 5802, RFC 9266), and hands in a mail.
# OpenSSL's s_client speaks TLS and tells the keying material; the proof is by Python's hashlib.
import base64, hashlib, hmac, os, re, subprocess, sys

LABEL = "EXPORTER-Channel-Binding"
openssl = subprocess.Popen(
    ["openssl", "s_client", "-starttls", "smtp", "-name", "client.example", "-nocommands",
     "-connect", f"{HOST}:{PORT}", "-CAfile", AUTHORITY, "-verify_return_error",
     "-verify_hostname", "localhost", "-keymatexport", LABEL, "-keymatexportlen", "32"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def line():
    text = openssl.stdout.readline().decode()
    if not text:
        sys.exit("the connection ended")
    return text.rstrip("\r\n")


def ask(command, expected):
    print("C:", command)
    openssl.stdin.write(command.encode() + b"\r\n")
    openssl.stdin.flush()
    reply = line()
    while not re.match(r"\d{3}( |$)", reply):
        reply = line()
    print("S:", reply)
    if not reply.startswith(expected):
        sys.exit(f"expected {expected}")
    return reply[4:]


def encode(data):
    return base64.b64encode(data).decode()


binding = None
while not binding:
    binding = re.match(r"\s*Keying material: ([0-9A-F]{64})$", line())
binding = bytes.fromhex(binding[1])

function = "sha" + re.match(r"SCRAM-SHA-(\d+)-PLUS$", MECHANISM)[1]
header = b"p=tls-exporter,,"
first = f"n={USER},r={encode(os.urandom(18))}"
ask("EHLO client.example", "250")
challenge = base64.b64decode(ask(f"AUTH {MECHANISM} {encode(header + first.encode())}", "334")).decode()
nonce, salt, rounds = (field[2:] for field in challenge.split(","))
last = f"c={encode(header + binding)},r={nonce}"
signed = f"{first},{challenge},{last}".encode()
salted = hashlib.pbkdf2_hmac(function, SECRET.encode(), base64.b64decode(salt), int(rounds))
client_key = hmac.digest(salted, b"Client Key", function)
signature = hmac.digest(hashlib.new(function, client_key).digest(), signed, function)
proof = encode(bytes(key ^ mask for key, mask in zip(client_key, signature)))
verdict = base64.b64decode(ask(encode(f"{last},p={proof}".encode()), "334")).decode()
server_key = hmac.digest(salted, b"Server Key", function)
if verdict != "v=" + encode(hmac.digest(server_key, signed, function)):
    sys.exit("the server has not proved that it knows the keys")
ask("", "235")
ask(f"MAIL FROM:<{SENDER}>", "250")
ask(f"RCPT TO:<{RECIPIENT}>", "250")
ask("DATA", "354")
ask("Subject: by OpenSSL\r\n\r\ntext\r\n.", "250")
ask("QUIT", "221")
