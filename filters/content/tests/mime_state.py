"""Postfix's own MIME engine, asked from Python: reads mails, says what its call-backs said.

Usage: mime_state.py LIBRARY, where LIBRARY is Debian's libpostfix-global.so.
Standard input: for each mail a line `LENGTH header_size line_length nesting boundary_length mime`,
then LENGTH bytes. Standard output: per mail lines `H class text`, `E`, `B offset text` with
texts in hexadecimal, at last `T flags`.
"""

import ctypes
import os
import sys

REC_NORM, REC_CONT, REC_XTRA = (ord(letter) for letter in "NLX")
REPORT_ENCODING_DOMAIN, REPORT_TRUNCATION, DISABLE_MIME, REPORT_NESTING = 1 << 3, 1 << 5, 1 << 6, 1 << 7
MIME_HDR_MULTIPART = 2
MIME_HEADERS = {
    b"content-description", b"content-disposition", b"content-id",
    b"content-transfer-encoding", b"content-type", b"mime-version",
}


class Vstring(ctypes.Structure):
    """VSTRING of Postfix: a VBUF, of which flags, data and the write position matter."""

    _fields_ = [
        ("flags", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_ssize_t),
        ("count", ctypes.c_ssize_t),
        ("position", ctypes.c_void_p),
    ]


def records(content, limit):
    """Cuts content as smtpd does: (type, text without line end)."""
    at = 0
    while at < len(content):
        end = content.find(b"\n", at, at + limit)
        end = min(at + limit, len(content)) if end < 0 else end + 1
        if content[end - 1:end + 1] == b"\r\n":
            end += 1
        record, at = content[at:end], end
        if record.endswith(b"\n"):
            yield REC_NORM, record[:-1].rstrip(b"\r")
        else:
            # A mail that ends without a line end gets one.
            yield (REC_CONT if at < len(content) else REC_NORM), record


def main():
    # The libraries need each other, and only Postfix's programs load both.
    ctypes.CDLL(os.path.join(os.path.dirname(sys.argv[1]), "libpostfix-util.so"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    head_type = ctypes.CFUNCTYPE(
        None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Vstring), ctypes.c_long)
    end_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    body_type = ctypes.CFUNCTYPE(
        None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char), ctypes.c_ssize_t, ctypes.c_long)
    library.mime_state_alloc.restype = ctypes.c_void_p
    library.mime_state_alloc.argtypes = [
        ctypes.c_int, head_type, end_type, body_type, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.mime_state_update.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_ssize_t]
    library.mime_state_free.argtypes = [ctypes.c_void_p]
    ctypes.c_char_p.in_dll(library, "var_drop_hdrs").value = b""
    said = []

    @head_type
    def head_out(_context, header_class, _info, buffer, _offset):
        text = ctypes.string_at(buffer.contents.data, buffer.contents.position - buffer.contents.data)
        # What cleanup makes of a MIME header, wherever it stands.
        if text.split(b":")[0].lower() in MIME_HEADERS:
            header_class = MIME_HDR_MULTIPART
        said.append("H %d %s" % (header_class, text.hex()))

    @end_type
    def head_end(_context):
        said.append("E")

    @body_type
    def body_out(_context, _type, text, length, offset):
        said.append("B %d %s" % (offset, ctypes.string_at(text, length).hex()))

    while line := sys.stdin.buffer.readline():
        length, header_size, line_length, nesting, boundary_length, mime = map(int, line.split())
        for name, value in [
                ("var_header_limit", header_size),
                ("var_mime_maxdepth", nesting),
                ("var_mime_bound_len", boundary_length)]:
            ctypes.c_int.in_dll(library, name).value = value
        content = sys.stdin.buffer.read(length)
        options = REPORT_ENCODING_DOMAIN | REPORT_TRUNCATION | REPORT_NESTING
        options |= 0 if mime else DISABLE_MIME
        state = library.mime_state_alloc(options, head_out, head_end, body_out, None, None, None)
        for kind, text in records(content, line_length):
            library.mime_state_update(state, kind, text, len(text))
        errors = library.mime_state_update(state, REC_XTRA, b"", 0)
        library.mime_state_free(state)
        said.append("T %d" % errors)
        sys.stdout.write("\n".join(said) + "\n")
        said.clear()


main()
