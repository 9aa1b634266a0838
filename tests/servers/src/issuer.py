"""Serves the file keys.json of the directory given, over TLS if a certificate is there too.

What the file `cache-control` says, if there is one, is the answer's header of that name.
"""
import http.server
import pathlib
import ssl
import sys

port, home = int(sys.argv[1]), pathlib.Path(sys.argv[2])


class Keys(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        keys = home / "keys.json"
        if self.path != "/keys.json" or not keys.exists():
            self.send_error(404)
            return
        body, kept = keys.read_bytes(), home / "cache-control"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if kept.exists():
            self.send_header("Cache-Control", kept.read_text())
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Keys)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
