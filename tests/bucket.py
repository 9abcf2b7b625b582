"""A bucket on a real S3 server (moto's) on loopback, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

NAME = "shop-exports"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "s3cret-of-the-bucket",
    "AWS_DEFAULT_REGION": "us-east-1",
}  # fmt: skip


@dataclass(frozen=True)
class Bucket:
    """An empty bucket; `env`: what a program needs to reach it."""

    client: Any
    env: dict[str, str]

    def put(self, key: str, content: bytes) -> None:
        """Store an object."""
        self.client.put_object(Bucket=NAME, Key=key, Body=content)

    def address(self, key: str) -> str:
        """Where an object, or what begins so, is."""
        return f"s3://{NAME}/{key}"


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
        yield Bucket(client, ACCESS | {"AWS_ENDPOINT_URL": place})
    finally:
        server.stop()
