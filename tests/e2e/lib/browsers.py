"""A world with a real browser in it, whose pages hold JsSIP and SIP.js."""
import select
import socket
import threading

import chromium
from chromium import Chromium, Page, recipe
from daemons import free_port
from secure import NAME, SecureWorld


class Cable:
    """What stands between browsers and the registrar, and can be cut."""

    def __init__(self, to):
        self.to, self.pairs = to, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                pair = (near, socket.create_connection(("127.0.0.1", self.to)))
            except OSError:
                near.close()
                continue
            self.pairs.append(pair)
            threading.Thread(target=self._carry, args=(pair,), daemon=True).start()

    @staticmethod
    def _carry(pair):
        try:
            while True:
                for ready in select.select(pair, [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        raise OSError
                    pair[ready is pair[0]].sendall(data)
        except (OSError, ValueError):
            for s in pair:
                s.close()

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for s in (s for pair in pairs for s in pair):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class BrowserWorld(SecureWorld):
    def __init__(self, build, **more):
        chromium.install(build)
        super().__init__(build, **more)
        self.page_port = free_port()
        self.websocket = f"{{ origins: ['https://phone.example.test:{self.page_port}'] }}"
        self.opened, self.chromium = [], None

    def start_all(self):
        super().start_all()
        self.make_certificate("phone", says="phone.example.test")
        self.cable = Cable(self.wss[0])
        self.chromium = Chromium(self, self.page_port)

    def close(self, keep):
        if self.chromium:
            self.chromium.close()
        super().close(keep)

    def page(self):
        page = Page(self.chromium, f"page{len(self.opened)}")
        self.opened.append(page)
        return page

    def recipe(self, page, name, user, then):
        """Runs README's text with our names in place of its example's, and then more in the same scope."""
        code = recipe(name, f"wss://{NAME}:{self.cable.port}", user, self.domain, self.passwords[user])
        return page.run(f"{code}\n{then}")

    def registered(self, user):
        """The Contacts of a user as the registrar has them."""
        return self.bindings().get(f"sip:{user}@{self.domain}", [])


JSSIP = """window.ua = ua;
await until('registered', () => ua.isRegistered());"""


def stop(page):
    page.run("window.ua?.stop(); await window.userAgent?.stop()")
    page.close()
