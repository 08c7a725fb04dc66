"""Who fetches what: buckets, mounts, logins, and a Label Studio below a path."""

import base64

import pytest

from server.core.reference import ImageReference, Login
from server.errors import ImageRefused
from server.images.locate import Locator

STUDIO = "https://studio.example"
ANN = Login("ann@example", "p:a/s@s")


def locate(value: str, locator: Locator, task: str = "7", login: Login | None = None) -> str:
    return locator.locate(ImageReference(value, task, login))


def refused(value: str, locator: Locator, task: str = "7") -> str:
    with pytest.raises(ImageRefused) as caught:
        locate(value, locator, task)
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "/data/upload/1/a.png",
        "/upload/1/a.png",
        "upload/1/a.png",
        "/studio/data/upload/1/a.png",
        "/studio/upload/1/a.png",
    ],
)
def test_an_upload_of_a_label_studio_below_a_path_is_found_with_and_without_it(value: str) -> None:
    assert locate(value, Locator("https://host/studio/")) == "https://host/studio/data/upload/1/a.png"


def test_a_url_by_the_name_that_label_studio_has_itself_is_asked_of_where_it_is_reached() -> None:
    locator = Locator("http://studio:8080", label_studio_host="http://localhost:8080/label/")
    url = "http://localhost:8080/label/data/local-files/?d=a.png"
    assert locate(url, locator, login=ANN) == "http://studio:8080/data/local-files/?d=a.png"
    for other in ("http://localhost:8080/labels/a.png", "http://localhost:8081/label/a.png", "https://localhost/a.png"):
        assert locate(other, locator) == other
    assert locate(url, Locator(label_studio_host="http://localhost:8080/label")) == url


def test_an_upload_in_cloud_storage_is_found_without_its_leading_slash() -> None:
    value = "storage-data/uploaded/?filepath=upload/1/a.png"
    assert locate(value, Locator(STUDIO)) == f"{STUDIO}/{value}"


@pytest.mark.parametrize("uri", ["s3://photos/a b.png", "gs://photos/\u00fc.png", "azure-blob://photos/a?b#c.png"])
def test_an_object_in_a_bucket_is_asked_of_label_studio_for_its_task(uri: str) -> None:
    where, _, encoded = locate(uri, Locator(STUDIO + "/")).partition("=")
    assert where == f"{STUDIO}/tasks/7/presign/?fileuri"
    assert base64.urlsafe_b64decode(encoded).decode() == uri


def test_an_object_in_a_listed_bucket_is_read_directly() -> None:
    locator = Locator(STUDIO, ("s3://photos",))
    assert locate("s3://photos/a.png", locator) == "s3://photos/a.png"
    assert locator.bucket_of("s3://photos/a.png") == "s3://photos"


@pytest.mark.parametrize("uri", ["s3://photos-too/a.png", "gs://photos/a.png", "S3://photos/a.png", "s3://photos"])
def test_any_other_bucket_is_not(uri: str) -> None:
    locator = Locator(STUDIO, ("s3://photos",))
    assert locator.bucket_of(uri) is None
    assert locate(uri, locator).startswith(f"{STUDIO}/tasks/7/presign/")


def test_without_label_studio_a_bucket_is_refused_and_the_message_names_both_ways() -> None:
    message = refused("s3://photos/cats/a.png", Locator())
    assert "LABEL_STUDIO_URL" in message
    assert "SAMSERVE_BUCKETS=s3://photos to" in message


@pytest.mark.parametrize("task", ["None", "", "../1", "1/../2", "1?x"])
def test_a_bucket_of_a_task_without_a_number_is_refused(task: str) -> None:
    assert "SAMSERVE_BUCKETS=s3://photos" in refused("s3://photos/a.png", Locator(STUDIO), task)


def test_a_local_file_needs_label_studio_or_the_mount() -> None:
    path = "/data/local-files/?d=cats/1.png"
    assert locate(path, Locator(has_local_files=True)) == path
    assert locate(path, Locator(STUDIO, has_local_files=True)) == STUDIO + path
    assert "LABEL_STUDIO_URL" in refused(path, Locator())
    assert "LABEL_STUDIO_URL" in refused("/data/upload/1/a.png", Locator(has_local_files=True))


def test_local_files_are_told_from_other_files() -> None:
    locator = Locator("https://host/studio")
    assert locator.is_local_file("https://host/studio/data/local-files/?d=a.png")
    assert locator.is_local_file("/data/local-files/?d=a.png")
    assert not locator.is_local_file("https://elsewhere/data/local-files/?d=a.png")
    assert not locator.is_local_file("https://host/studio/data/upload/1/a.png")


@pytest.mark.parametrize("value", ["file:///etc/passwd", "FILE:///etc/passwd", "/etc/passwd", "//host/share/a.png"])
def test_files_of_this_machine_are_refused_and_the_message_says_how_to_mount_them(value: str) -> None:
    assert "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT" in refused(value, Locator(STUDIO, has_local_files=True))


@pytest.mark.parametrize(
    "value", ["/data/../api/users", "/data/upload/%2e%2e/%2e%2e/api/users", "/data/api", "/tasks/7/"]
)
def test_a_path_of_label_studios_that_serves_no_image_is_refused(value: str) -> None:
    assert "uploads are /data/upload/" in refused(value, Locator(STUDIO))
    assert "uploads are /data/upload/" in refused("/studio" + value, Locator(STUDIO + "/studio"))


@pytest.mark.parametrize(
    "value", ["ftp://ann:s3cret@x/a.png", "/a.png?sig=s3cret", "s3://a/b?sig=s3cret", "s3://a?sig=s3cret"]
)
def test_a_refusal_shows_neither_password_nor_query(value: str) -> None:
    assert "s3cret" not in refused(value, Locator())


def test_the_login_of_a_task_goes_to_the_server_of_its_image() -> None:
    located = locate("https://cdn.example/a.png?b=c", Locator(STUDIO), login=ANN)
    assert located == "https://ann%40example:p%3Aa%2Fs%40s@cdn.example/a.png?b=c"


def test_a_login_in_the_url_itself_wins() -> None:
    assert locate("https://bob:1@cdn.example/a.png", Locator(), login=ANN) == "https://bob:1@cdn.example/a.png"


@pytest.mark.parametrize(
    "value", ["/data/upload/1/a.png", f"{STUDIO}/a.png", "http://[::1/a.png", "data:image/png;base64,aGk="]
)
def test_the_login_of_a_task_does_not_go_to_label_studio(value: str) -> None:
    assert "ann" not in locate(value, Locator(STUDIO), login=ANN)


def test_a_password_is_not_in_what_a_login_is_shown_as() -> None:
    assert ANN.password not in repr(ImageReference("a", "1", ANN))
