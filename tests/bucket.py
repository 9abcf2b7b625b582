"""A bucket on a real server on loopback, for tests: S3 (moto's) or Google's (an emulator)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

NAME = "shop-exports"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-bucket",
    "AWS_DEFAULT_REGION": "us-east-1",
}  # fmt: skip


@dataclass(frozen=True)
class Bucket:
    """An empty bucket.

    Attributes:
        put: stores an object (key, content).
        env: what a program needs to reach it.
    """

    scheme: str
    put: Callable[[str, bytes], object]
    env: dict[str, str]

    def address(self, key: str) -> str:
        """Where an object, or what begins so, is."""
        return f"{self.scheme}://{NAME}/{key}"


@contextmanager
def s3_bucket() -> Iterator[Bucket]:
    """Start the server, with nothing in the bucket."""
    import boto3
    import httpx
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        place = f"http://{host}:{port}"
        # Servers started one after another in one process share their objects.
        httpx.post(f"{place}/moto-api/reset").raise_for_status()
        client = boto3.client(
            "s3", endpoint_url=place, region_name="us-east-1",
            aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip
        client.create_bucket(Bucket=NAME)
        yield Bucket(
            "s3",
            lambda key, content: client.put_object(Bucket=NAME, Key=key, Body=content),
            ACCESS | {"AWS_ENDPOINT_URL": place},
        )
    finally:
        server.stop()


@contextmanager
def gs_bucket() -> Iterator[Bucket]:
    """Start the emulator, with nothing in the bucket."""
    import httpx
    from gcp_storage_emulator.server import create_server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = f"http://127.0.0.1:{port}"

    def put(key: str, content: bytes) -> None:
        where = f"{place}/upload/storage/v1/b/{NAME}/o"
        asked = {"uploadType": "media", "name": key}
        httpx.post(where, params=asked, content=content).raise_for_status()

    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=NAME)
    server.start()
    try:
        # Without the second, credentials are looked for on a network that is not there.
        yield Bucket("gs", put, {"STORAGE_EMULATOR_HOST": place, "NO_GCE_CHECK": "true"})
    finally:
        server.stop()


BUCKETS = {"s3": s3_bucket, "gs": gs_bucket}
