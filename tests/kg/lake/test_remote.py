"""Files at an address, from a real web server and a bucket on real servers."""

import importlib.util
import logging
import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bucket import Bucket

from kg.errors import InputError, NotFound, Unavailable
from kg.lake.remote import listed

WRITTEN_AT = 1_780_000_000


class _Web(SimpleHTTPRequestHandler):
    """Files of a folder; `/cut/…` promises more than it sends, `/secret` wants a password."""

    def do_GET(self) -> None:
        if self.path.startswith("/secret"):
            self.send_error(401)
        elif self.path.startswith("/busy"):
            self.send_error(503)
        elif self.path.startswith("/cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"id,mail\n1,a@x.org\n")
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None:
        del arguments


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server on loopback."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "people 1.csv").write_text("id,mail\n1,a@x.org\n")
    (tmp_path / "web" / "login").write_text("  <!DOCTYPE html>\n<html></html>")
    os.utime(tmp_path / "web" / "people 1.csv", (WRITTEN_AT, WRITTEN_AT))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Web, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def fetched(address: str, into: Path) -> dict[str, bytes]:
    files = listed(address)
    for name in files.paths:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        files.fetch(name, target)
    return {name: (into / name).read_bytes() for name in files.paths}


def test_a_file_of_a_web_server_is_as_old_as_it_says(web: str, tmp_path: Path) -> None:
    found = fetched(f"{web}/people%201.csv?X-Signature=s3cret", tmp_path)
    assert found == {"people 1.csv": b"id,mail\n1,a@x.org\n"}
    assert (tmp_path / "people 1.csv").stat().st_mtime == WRITTEN_AT


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("nothing.csv", NotFound, "nothing at http://127.0.0.1"),
        ("secret.csv", Unavailable, "may not be read"),
        ("busy.csv", Unavailable, "answers with 503"),
        ("cut.csv", Unavailable, "did not arrive whole"),
        ("login", InputError, "a web page, not"),
    ],
)
def test_what_a_web_server_refuses_is_said_without_the_address(
    web: str, path: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says) as refused:
        fetched(f"{web}/{path}?token=s3cret", tmp_path)
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"  # type: ignore[attr-defined]


def test_a_bucket_is_read_with_its_folders(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("shop/people.csv", b"id\n1\n")
    bucket.put("shop/orders/year=2026/a.csv", b"id\n2\n")
    bucket.put("shop/.hidden/a.csv", b"id\n3\n")
    bucket.put("shopping/b.csv", b"id\n4\n")
    assert fetched(bucket.address("shop"), tmp_path) == {
        "people.csv": b"id\n1\n", "orders/year=2026/a.csv": b"id\n2\n"}  # fmt: skip
    assert abs((tmp_path / "people.csv").stat().st_mtime - time.time()) < 600
    assert list(fetched(bucket.address("shop/people.csv"), tmp_path)) == ["people.csv"]


def test_what_is_not_in_a_bucket_is_not_found(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotFound, match=f"no file at {bucket.scheme}://"):
        listed(bucket.address("nowhere"))
    with pytest.raises(NotFound, match=f"{bucket.scheme}://no-such-bucket"):
        listed(f"{bucket.scheme}://no-such-bucket/a")
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("s3://", InputError, "names no place"),
        ("https:///orders.csv", InputError, "names no place"),
        ("nonsense://x/y", InputError, "no kind of address"),
        ("s3::memory://x", InputError, "no kind of address"),
        ("https://a:s3cret@127.0.0.1:1/x.csv", Unavailable, "nothing answers there"),
    ],
)
def test_an_address_that_leads_nowhere_says_why(
    address: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says) as refused:
        fetched(address, tmp_path)
    assert "s3cret" not in str(refused.value)


@pytest.mark.skipif(importlib.util.find_spec("adlfs") is not None, reason="adlfs is installed")
def test_what_is_not_installed_is_named_with_how_to_install_it() -> None:
    with pytest.raises(Unavailable, match="speaks az://") as refused:
        listed("az://box/people.csv")
    assert refused.value.hint == 'Install it: pip install "personagraph[az]".'
