"""A mail server (aiosmtpd) for tests: prints each mail that it takes as a line of JSON, read by Python's own parser of mails.

usage: server.py PORT [--starttls|--tls CHAIN KEY] [--login USER PASSWORD] [--refuse|--refuse-end|--greet CODE]
"""
import argparse
import email
import email.policy
import json
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

options = argparse.ArgumentParser()
options.add_argument("port", type=int)
options.add_argument("--starttls", nargs=2)
options.add_argument("--tls", nargs=2)
options.add_argument("--login", nargs=2)
options.add_argument("--refuse", type=int)
options.add_argument("--refuse-end", type=int)
options.add_argument("--greet", type=int)
options = options.parse_args()


class Taker:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if options.refuse:
            return f"{options.refuse} not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "headers": {name: str(value) for name, value in mail.items()},
            "defects": [str(one) for one in mail.defects], "text": parts.get("text/plain"), "html": parts.get("text/html"),
            "encrypted": session.ssl is not None, "user": getattr(session.auth_data, "login", b"").decode(),
            "longest": max(len(line) for line in envelope.original_content.split(b"\r\n")),
        }), flush=True)
        return f"{options.refuse_end} no such words" if options.refuse_end else "250 OK"


def judge(server, session, envelope, mechanism, data):
    good = [data.login.decode(), data.password.decode()] == options.login
    return AuthResult(success=good, handled=good, auth_data=data)


def context(files):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(*files)
    return result


class Busy(SMTP):
    async def push(self, status):
        await super().push(f"{options.greet} come again" if status.startswith("220 ") else status)


class Doors(Controller):
    def factory(self):
        login = {"authenticator": judge, "auth_required": True, "auth_require_tls": not options.tls} if options.login else {}
        secure = {"tls_context": context(options.starttls), "require_starttls": True} if options.starttls else {}
        return (Busy if options.greet else SMTP)(self.handler, enable_SMTPUTF8=False, **login, **secure)


Doors(Taker(), hostname="127.0.0.1", port=options.port, ssl_context=context(options.tls) if options.tls else None).start()
print("listening", flush=True)
threading.Event().wait()
