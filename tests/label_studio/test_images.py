"""Every kind of image that Label Studio keeps, fetched from Label Studio itself."""

import base64
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from tests.buckets import S3_ENVIRONMENT
from tests.label_studio.conftest import Studio
from tests.studio import CONFIG, LEGACY_TOKEN, answered_mask, body, click

pytestmark = pytest.mark.label_studio


@pytest.fixture
def settings(studio: Studio, tmp_path: Path) -> Settings:
    return Settings(label_studio_url=studio.url, label_studio_api_key=LEGACY_TOKEN, cache_dir=str(tmp_path))


def ask(settings: Settings, tiny: SamModel, task: dict[str, Any]) -> httpx.Response:
    """The answer to a click on the task's image."""
    request = body("", [click(30, 20, 60, 40)], CONFIG) | {"tasks": [task]}
    with TestClient(create_app(settings, tiny)) as client:
        return client.post("/predict", json=request)


def assert_masked(answer: httpx.Response) -> None:
    assert answered_mask(answer)[20, 30]


def assert_refused(answer: httpx.Response, *words: str) -> None:
    assert answer.status_code in (422, 502)
    for word in words:
        assert word in answer.json()["detail"]


def test_an_upload_is_fetched_with_a_legacy_token(settings: Settings, tiny: SamModel, uploaded: dict[str, Any]) -> None:
    assert_masked(ask(settings, tiny, uploaded))


def test_an_upload_is_fetched_with_a_personal_access_token(
    settings: Settings, tiny: SamModel, studio: Studio, uploaded: dict[str, Any]
) -> None:
    token = studio.call("POST", "token/")["token"]
    assert_masked(ask(msgspec.structs.replace(settings, label_studio_api_key=token), tiny, uploaded))


@pytest.mark.parametrize("key", ["", "wrong", "a.b.c"])
def test_an_upload_without_a_good_token_is_refused_and_the_message_names_the_setting(
    settings: Settings, tiny: SamModel, uploaded: dict[str, Any], key: str
) -> None:
    answer = ask(msgspec.structs.replace(settings, label_studio_api_key=key), tiny, uploaded)
    assert_refused(answer, "401", "LABEL_STUDIO_API_KEY")


def test_an_upload_that_does_not_exist_is_refused_and_the_message_says_so(settings: Settings, tiny: SamModel) -> None:
    assert_refused(ask(settings, tiny, {"id": 1, "data": {"image": "/data/upload/1/none.png"}}), "no such upload")


def test_a_local_file_is_fetched_through_label_studio(
    settings: Settings, tiny: SamModel, local: dict[str, Any]
) -> None:
    assert_masked(ask(settings, tiny, local))


def test_a_local_file_is_fetched_where_label_studio_is_reached_by_another_url_than_it_writes(
    settings: Settings, tiny: SamModel, studio: Studio, local: dict[str, Any]
) -> None:
    inside = str(studio.api.base_url)
    assert local["data"]["image"].startswith(f"{studio.url}/data/local-files/")
    by_two_names = msgspec.structs.replace(settings, label_studio_url=inside, label_studio_host=studio.url)
    assert_masked(ask(by_two_names, tiny, local))


def test_a_local_file_with_a_relative_url_is_fetched_through_label_studio(
    settings: Settings, tiny: SamModel, studio: Studio, local: dict[str, Any]
) -> None:
    relative = local["data"]["image"].removeprefix(studio.url)
    assert relative.startswith("/data/local-files/")
    assert_masked(ask(settings, tiny, {"id": 1, "data": {"image": relative}}))


def test_a_local_file_that_is_unchanged_is_not_sent_again_after_a_restart(
    settings: Settings, tiny: SamModel, studio: Studio, local: dict[str, Any]
) -> None:
    assert_masked(ask(settings, tiny, local))
    unchanged = studio.log.read_text().count('HTTP/1.1" 304')
    assert_masked(ask(settings, tiny, local))
    assert studio.log.read_text().count('HTTP/1.1" 304') > unchanged


def test_a_local_file_is_read_from_the_mount_without_a_token(
    settings: Settings, tiny: SamModel, studio: Studio, local: dict[str, Any]
) -> None:
    mounted = msgspec.structs.replace(
        settings, label_studio_api_key="wrong", label_studio_local_files_document_root=str(studio.mount)
    )
    assert_masked(ask(mounted, tiny, local))


def test_a_local_file_that_is_not_on_the_mount_is_fetched_through_label_studio(
    settings: Settings, tiny: SamModel, local: dict[str, Any], tmp_path: Path
) -> None:
    mounted = msgspec.structs.replace(settings, label_studio_local_files_document_root=str(tmp_path))
    assert_masked(ask(mounted, tiny, local))


def test_a_local_file_outside_every_storage_is_refused_and_the_message_says_why(
    settings: Settings, tiny: SamModel
) -> None:
    task = {"id": 1, "data": {"image": "/data/local-files/?d=dogs/1.png"}}
    assert_refused(ask(settings, tiny, task), "404", "Local files storage")


def test_an_object_is_fetched_through_label_studio(
    settings: Settings, tiny: SamModel, in_bucket: dict[str, Any]
) -> None:
    assert in_bucket["data"]["image"].startswith("s3://")
    allowing = msgspec.structs.replace(settings, allow_hosts=("127.0.0.1",))
    assert_masked(ask(allowing, tiny, in_bucket))


def test_an_object_is_fetched_by_the_url_that_the_editor_uses(
    settings: Settings, tiny: SamModel, in_bucket: dict[str, Any]
) -> None:
    uri = base64.urlsafe_b64encode(in_bucket["data"]["image"].encode()).decode()
    image = f"/label/tasks/{in_bucket['id']}/resolve/?fileuri={uri}"
    allowing = msgspec.structs.replace(settings, allow_hosts=("127.0.0.1",))
    assert_masked(ask(allowing, tiny, in_bucket | {"data": {"image": image}}))


def test_a_storage_at_a_private_address_is_refused_and_the_message_names_the_setting(
    settings: Settings, tiny: SamModel, in_bucket: dict[str, Any], studio: Studio
) -> None:
    answer = ask(settings, tiny, in_bucket)
    if in_bucket["data"]["image"].startswith("s3://proxied/"):
        assert_masked(answer)
    else:
        assert_refused(answer, "127.0.0.1", "SAMSERVE_ALLOW_HOSTS")


def test_an_object_is_read_with_the_machines_own_credentials(
    settings: Settings,
    tiny: SamModel,
    studio: Studio,
    in_bucket: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (S3_ENVIRONMENT | {"AWS_ENDPOINT_URL": studio.s3}).items():
        monkeypatch.setenv(name, value)
    bucket = "/".join(in_bucket["data"]["image"].split("/")[:3])
    direct = msgspec.structs.replace(settings, label_studio_api_key="wrong", buckets=(bucket,))
    assert_masked(ask(direct, tiny, in_bucket))


def test_an_object_of_a_bucket_that_no_storage_names_is_refused_and_the_message_says_why(
    settings: Settings, tiny: SamModel, uploaded: dict[str, Any]
) -> None:
    task = uploaded | {"data": {"image": "s3://elsewhere/a.png"}}
    assert_refused(ask(settings, tiny, task), "404", "source storage")
