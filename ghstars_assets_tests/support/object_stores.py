"""Real server processes for the lake's tests: moto for S3, Azurite for Azure Blob."""

import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from ghstars_assets.settings import PROJECT_ROOT

AZURITE = PROJECT_ROOT / "node_modules" / ".bin" / "azurite-blob"
# The account that every Azurite has; its key is published and opens nothing else.
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@dataclass(frozen=True)
class S3Server:
    endpoint: str
    requests: Counter[str] = field(default_factory=Counter)
    """What it was asked, by kind: LIST, GET, HEAD, PUT."""
    sent_bytes: Counter[str] = field(default_factory=Counter)
    """How long its answers were, by the same kinds."""

    def make_bucket(self, name: str) -> None:
        with urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=10):
            pass


@contextmanager
def s3_server() -> Iterator[S3Server]:
    from moto.moto_server import threaded_moto_server
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    requests: Counter[str] = Counter()
    sent_bytes: Counter[str] = Counter()

    class CountedApplication(DomainDispatcherApplication):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            is_listing = "list-type=2" in environ.get("QUERY_STRING", "")
            kind = "LIST" if is_listing else environ["REQUEST_METHOD"]
            requests[kind] += 1
            for part in super().__call__(environ, start_response):
                sent_bytes[kind] += len(part)
                yield part

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threaded_moto_server, "DomainDispatcherApplication", CountedApplication)
        server = threaded_moto_server.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield S3Server(f"http://{host}:{port}", requests, sent_bytes)
        finally:
            server.stop()


@dataclass(frozen=True)
class AzureServer:
    endpoint: str

    def make_container(self, name: str) -> None:
        """One request signed with the shared key, as the Blob service's REST reference has it."""
        import base64
        import hashlib
        import hmac

        moment = formatdate(usegmt=True)
        path = f"{urlsplit(self.endpoint).path}/{name}"
        headers = f"x-ms-date:{moment}\nx-ms-version:2021-08-06\n"
        to_sign = "PUT" + "\n" * 12 + headers + f"/{AZURITE_ACCOUNT}{path}\nrestype:container"
        digest = hmac.new(base64.b64decode(AZURITE_KEY), to_sign.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        request = Request(
            f"{self.endpoint}/{name}?restype=container",
            method="PUT",
            headers={
                "x-ms-date": moment,
                "x-ms-version": "2021-08-06",
                "Authorization": f"SharedKey {AZURITE_ACCOUNT}:{signature}",
                "Content-Length": "0",
            },
        )
        with urlopen(request, timeout=10):
            pass


@contextmanager
def azure_server() -> Iterator[AzureServer]:
    """Azurite on a port that the system chose, which it prints when it listens."""
    command = [AZURITE, "--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]
    options = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if "successfully listens on " in line:
                    yield AzureServer(f"{line.split()[-1]}/{AZURITE_ACCOUNT}")
                    return
            raise AssertionError(f"Azurite did not start: {printed}")
        finally:
            process.terminate()
