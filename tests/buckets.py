"""A real S3-compatible server on the loopback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

S3_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAsamserve", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_REGION": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def put_object(endpoint: str, bucket: str, key: str, content: bytes) -> None:
    """Puts an object into a bucket, which is made when there is none."""
    httpx.put(f"{endpoint}/{bucket}", trust_env=False)
    store = S3Store(
        bucket,
        endpoint=endpoint,
        access_key_id=S3_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        secret_access_key=S3_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        region=S3_ENVIRONMENT["AWS_REGION"],
        client_options={"allow_http": True},
    )
    obstore.put(store, key, content)
