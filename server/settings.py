"""Every knob, typed; read from the environment once, at the start."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from server.errors import BadSettings

_PREFIX = "SAMSERVE_"
_UNPREFIXED = {
    "label_studio_url": ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", "LABEL_STUDIO_HOSTNAME", "HEARTEX_HOSTNAME"),
    "label_studio_host": ("LABEL_STUDIO_HOST",),
    "label_studio_api_key": ("LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN", "HEARTEX_API_KEY"),
    "label_studio_local_files_document_root": (
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
        "HEARTEX_LOCAL_FILES_DOCUMENT_ROOT",
        "LOCAL_FILES_DOCUMENT_ROOT",
    ),
    "basic_auth_user": ("BASIC_AUTH_USER",),
    "basic_auth_pass": ("BASIC_AUTH_PASS",),
}
_LISTS = ("allow_hosts", "buckets", "gpus")

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


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return _UNPREFIXED.get(field, (_PREFIX + field.upper(),))[0]


def read_settings(environment: Mapping[str, str], **overrides: Any) -> Settings:
    """The settings that `environment` holds; `overrides` that are not None win.

    Raises:
        BadSettings: an unknown SAMSERVE_ variable, or a value that does not parse.
    """
    values = _given(environment) | {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].strip("`")
        raise BadSettings(f"{variable(field)}: {str(error).partition(' - at')[0]}") from None
    _check(settings)
    return settings


def _given(environment: Mapping[str, str]) -> dict[str, Any]:
    known = set(Settings.__struct_fields__) - set(_UNPREFIXED)
    values: dict[str, Any] = {}
    if environment.get("XDG_CACHE_HOME"):
        values["cache_dir"] = f"{environment['XDG_CACHE_HOME']}/samserve"
    for given, text in environment.items():
        if not given.startswith(_PREFIX):
            continue
        name = given.removeprefix(_PREFIX).lower()
        if name not in known:
            raise BadSettings(f"there is no setting {given}{_suggestion(name, known)}")
        values[name] = _entries(text) if name in _LISTS else text
    for name, variables in _UNPREFIXED.items():
        values[name] = next((environment[key].strip() for key in variables if environment.get(key)), "")
    return values


def _check(settings: Settings) -> None:
    for name in ("label_studio_url", "label_studio_host"):
        if url := getattr(settings, name):
            _check_url(variable(name), url)
    if bool(settings.basic_auth_user) != bool(settings.basic_auth_pass):
        raise BadSettings("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: set both or neither")
    if ":" in settings.basic_auth_user:
        raise BadSettings("BASIC_AUTH_USER cannot have a colon in it")
    if not settings.gpus or min(settings.gpus) < 0 or len(set(settings.gpus)) < len(settings.gpus):
        raise BadSettings("SAMSERVE_GPUS must name GPUs by their numbers, each once, such as 0,1")
    if settings.base_path and not settings.base_path.startswith("/"):
        raise BadSettings("SAMSERVE_BASE_PATH must start with a slash, such as /sam")


def _check_url(name: str, url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise BadSettings(f"{name} must start with http:// or https://")
    try:
        is_url = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise BadSettings(f"{name} is no URL such as https://studio.example.com:8080")


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _suggestion(name: str, known: set[str]) -> str:
    if name in _UNPREFIXED:
        return f"; did you mean {name.upper()}?"
    close = difflib.get_close_matches(name, known, n=1)
    return (
        f"; did you mean {_PREFIX}{close[0].upper()}?"
        if close
        else f"; there are {', '.join(sorted(_PREFIX + k.upper() for k in known))}"
    )


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
