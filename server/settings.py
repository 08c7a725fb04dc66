"""Every knob, typed."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

_Positive = msgspec.Meta(ge=1)


def _doc(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings; `SAMSERVE_` and a field's name in capitals is its variable."""

    host: Annotated[str, _doc("Address to listen on.")] = "0.0.0.0"  # noqa: S104 - Label Studio is often in a container
    port: Annotated[int, msgspec.Meta(ge=1, le=65535), _doc("Port to listen on.")] = 9090
    base_path: Annotated[str, _doc("Path under which everything is served, such as /sam.")] = ""
    cache_dir: Annotated[str, _doc("Folder for everything samserve writes; ~/.cache/samserve unless set.")] = ""
    model: Annotated[str, _doc("Which of the models in weights/ to serve.")] = "mobile_sam"
    threads: Annotated[int, msgspec.Meta(ge=0), _doc("Threads per graph; 0 takes all cores.")] = 0
    provider: Annotated[
        Literal["auto", "cpu", "cuda", "tensorrt"],
        _doc("What runs the graphs: cpu, cuda, tensorrt, or auto, which is cuda where it works."),
    ] = "auto"
    gpus: Annotated[
        tuple[int, ...],
        _doc("Numbers of the GPUs that images are encoded on, comma-separated; clicks are answered on the first."),
    ] = (0,)
    gpu_cache_mib: Annotated[
        int, _Positive, _doc("Bound on the GPU memory that what clicks need of images takes, 14 MiB for each.")
    ] = 2048
    encoder: Annotated[
        Literal["fast", "int8", "stock"],
        _doc("What encodes on the CPU: fast, MobileSAM's graph rewritten; int8, faster, other masks; or stock."),
    ] = "fast"
    decoder: Annotated[
        Literal["fast", "stock"],
        _doc("What decodes prompts: fast, graphs built here of the stock decoder's weights, or stock, as published."),
    ] = "fast"
    embedding_memory_mib: Annotated[int, _Positive, _doc("Bound on the memory that embeddings take.")] = 1024
    look_ahead: Annotated[
        int, msgspec.Meta(ge=0, le=100), _doc("How many tasks after the one being labelled are encoded in advance.")
    ] = 3
    embedding_disk_gib: Annotated[
        int, msgspec.Meta(ge=0), _doc("Bound on the disk space that embeddings take; 0 keeps them in memory only.")
    ] = 20
    allow_hosts: Annotated[
        tuple[str, ...], _doc("Non-public hosts, addresses or networks that images may come from, comma-separated.")
    ] = ()
    buckets: Annotated[
        tuple[str, ...],
        _doc("Buckets such as s3://photos to read with this machine's own credentials, comma-separated."),
    ] = ()
    download_cache_mib: Annotated[
        int, msgspec.Meta(ge=0), _doc("Bound on the disk that downloaded images take; 0 keeps none.")
    ] = 1024
    max_image_mib: Annotated[int, _Positive, _doc("Largest image file.")] = 256
    max_megapixels: Annotated[int, _Positive, _doc("Largest image.")] = 200
    fetch_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600), _doc("Longest wait for an image's bytes.")] = 30.0
    label_studio_url: Annotated[str, _doc("Where Label Studio is, to fetch its uploads.")] = ""
    label_studio_host: Annotated[
        str, _doc("Its own LABEL_STUDIO_HOST, where tasks have that in their URLs and it is reached by another one.")
    ] = ""
    label_studio_api_key: Annotated[
        str, _doc("A token of Label Studio's: a personal access token or a legacy one.")
    ] = ""
    label_studio_local_files_document_root: Annotated[
        str, _doc("Where the folder of that name of Label Studio's is mounted here, to read local files directly.")
    ] = ""
    basic_auth_user: Annotated[str, _doc("User name that clients must give; none is asked for unless set.")] = ""
    basic_auth_pass: Annotated[str, _doc("Password that clients must give.")] = ""

    def __repr__(self) -> str:
        return (
            f"Settings({self.model}, {self.host}:{self.port})"  # tokens and passwords stay out of logs and tracebacks
        )

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("host", self.host), ("port", self.port)]

    @property
    def cache_path(self) -> Path:
        """The folder for everything samserve writes."""
        return Path(self.cache_dir or "~/.cache/samserve").expanduser()

    @property
    def knows_label_studio(self) -> bool:
        """Whether Label Studio can be asked: where it is, and with which token."""
        return bool(self.label_studio_url and self.label_studio_api_key)

    @property
    def max_pixels(self) -> int:
        """Largest image in pixels."""
        return self.max_megapixels * 1_000_000

    @property
    def cores(self) -> int:
        """Threads per graph."""
        return self.threads or _available_cores()


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
