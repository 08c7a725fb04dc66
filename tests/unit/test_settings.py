import os
from pathlib import Path

import pytest

from server.environment import read_settings
from server.errors import BadSettings
from server.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.model, settings.allow_hosts) == ("0.0.0.0", 9090, "mobile_sam", ())


def test_variables_that_are_not_ours_are_left_alone() -> None:
    assert (
        read_settings({"PATH": "/bin", "HOST": "h", "XSAMSERVE_PORT": "1", "LABEL_STUDIO_PORT": "8080"}) == Settings()
    )


def test_every_setting_is_read_and_typed() -> None:
    settings = read_settings(
        {
            "SAMSERVE_HOST": "127.0.0.1",
            "SAMSERVE_PORT": "80",
            "SAMSERVE_BASE_PATH": "/sam",
            "SAMSERVE_MODEL": "other",
            "SAMSERVE_THREADS": "2",
            "SAMSERVE_EMBEDDING_MEMORY_MIB": "64",
            "SAMSERVE_EMBEDDING_DISK_GIB": "0",
            "SAMSERVE_ALLOW_HOSTS": " minio, 10.0.0.0/8 ,,",
            "SAMSERVE_MAX_IMAGE_MIB": "5",
            "SAMSERVE_MAX_MEGAPIXELS": "3",
            "SAMSERVE_FETCH_SECONDS": "2.5",
            "SAMSERVE_CACHE_DIR": "/var/cache",
            "SAMSERVE_BUCKETS": "s3://a,gs://b",
            "SAMSERVE_DOWNLOAD_CACHE_MIB": "0",
        }
    )
    assert settings == Settings(
        host="127.0.0.1",
        port=80,
        base_path="/sam",
        model="other",
        threads=2,
        embedding_memory_mib=64,
        embedding_disk_gib=0,
        allow_hosts=("minio", "10.0.0.0/8"),
        max_image_mib=5,
        max_megapixels=3,
        fetch_seconds=2.5,
        cache_dir="/var/cache",
        buckets=("s3://a", "gs://b"),
        download_cache_mib=0,
    )
    assert (settings.max_pixels, settings.cores) == (3_000_000, 2)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LABEL_STUDIO_URL": "http://ls"}, "http://ls"),
        ({"LABEL_STUDIO_HOST": "https://ls"}, "https://ls"),
        ({"LABEL_STUDIO_HOST": "http://old", "LABEL_STUDIO_URL": "http://ls"}, "http://ls"),
        ({"LABEL_STUDIO_HOST": "http://ls", "LABEL_STUDIO_URL": ""}, "http://ls"),
        ({"LABEL_STUDIO_HOSTNAME": "http://ls"}, "http://ls"),
        ({"HEARTEX_HOSTNAME": "http://ls"}, "http://ls"),
    ],
)
def test_label_studio_is_found_under_either_of_its_names(variables: dict[str, str], expected: str) -> None:
    assert read_settings(variables).label_studio_url == expected


def test_the_name_that_label_studio_has_itself_is_kept_beside_its_url() -> None:
    settings = read_settings({"LABEL_STUDIO_HOST": "http://localhost:8080", "LABEL_STUDIO_URL": "http://ls"})
    assert (settings.label_studio_url, settings.label_studio_host) == ("http://ls", "http://localhost:8080")


def test_the_token_is_found_under_either_of_its_names() -> None:
    assert read_settings({"LABEL_STUDIO_ACCESS_TOKEN": "old"}).label_studio_api_key == "old"
    both = {"LABEL_STUDIO_ACCESS_TOKEN": "old", "LABEL_STUDIO_API_KEY": "new"}
    assert read_settings(both).label_studio_api_key == "new"
    assert read_settings({"HEARTEX_API_KEY": "older"}).label_studio_api_key == "older"


@pytest.mark.parametrize("prefix", ["LABEL_STUDIO_", "HEARTEX_", ""])
def test_the_mount_of_local_files_has_the_name_that_label_studio_uses(prefix: str) -> None:
    settings = read_settings({f"{prefix}LOCAL_FILES_DOCUMENT_ROOT": "/images"})
    assert settings.label_studio_local_files_document_root == "/images"


def test_the_token_stays_out_of_what_is_printed() -> None:
    settings = read_settings({"LABEL_STUDIO_API_KEY": "secret"})
    assert settings.label_studio_api_key == "secret"
    assert "secret" not in f"{settings} {settings!r}"


def test_the_token_stays_out_of_what_rich_prints() -> None:
    settings = read_settings({"LABEL_STUDIO_API_KEY": "secret"})
    fields = settings.__rich_repr__() if hasattr(settings, "__rich_repr__") else ()
    assert "secret" not in str(list(fields))


def test_an_argument_wins_over_the_environment_unless_it_is_not_given() -> None:
    environment = {"SAMSERVE_HOST": "a", "SAMSERVE_PORT": "1"}
    settings = read_settings(environment, host="b", port=None)
    assert (settings.host, settings.port) == ("b", 1)


@pytest.mark.parametrize("variable", ["SAMSERVE_PROT", "SAMSERVE_POTR"])
def test_a_misspelt_setting_is_answered_with_the_one_that_is_meant(variable: str) -> None:
    with pytest.raises(BadSettings, match=f"no setting {variable}; did you mean SAMSERVE_PORT\\?"):
        read_settings({variable: "80"})


SERVICE = {  # as Kubernetes documents it
    "SAMSERVE_SERVICE_HOST": "10.1.2.3",
    "SAMSERVE_SERVICE_PORT": "9090",
    "SAMSERVE_SERVICE_PORT_HTTP": "9090",
    "SAMSERVE_PORT": "tcp://10.1.2.3:9090",
    "SAMSERVE_PORT_9090_TCP": "tcp://10.1.2.3:9090",
    "SAMSERVE_PORT_9090_TCP_PROTO": "tcp",
    "SAMSERVE_PORT_9090_TCP_PORT": "9090",
    "SAMSERVE_PORT_9090_TCP_ADDR": "10.1.2.3",
}


@pytest.mark.parametrize("service", ["SAMSERVE", "SAMSERVE_GPU"])
def test_what_kubernetes_tells_of_a_service_is_no_setting(service: str) -> None:
    assert read_settings({name.replace("SAMSERVE", service): text for name, text in SERVICE.items()}) == Settings()


def test_a_port_of_ours_is_one_beside_a_service_of_kubernetes() -> None:
    assert read_settings(SERVICE | {"SAMSERVE_PORT": "9191"}).port == 9191


@pytest.mark.parametrize("typo", ["SAMSERVE_SERVICE_HOTS", "SAMSERVE_PORT_9090", "SAMSERVE_PROT"])
def test_a_typo_is_refused_beside_a_service_of_kubernetes(typo: str) -> None:
    with pytest.raises(BadSettings, match=f"no setting {typo}"):
        read_settings(SERVICE | {typo: "9090"})


@pytest.mark.parametrize("name", SERVICE)
def test_a_name_that_kubernetes_would_give_is_refused_or_no_port_where_no_service_is(name: str) -> None:
    with pytest.raises(BadSettings, match=name):
        read_settings({name: SERVICE[name]})


def test_a_value_that_is_none_of_a_few_is_answered_with_them() -> None:
    with pytest.raises(BadSettings, match=r"^SAMSERVE_PROVIDER: .*'gpu'; there are auto, cpu, cuda, tensorrt$"):
        read_settings({"SAMSERVE_PROVIDER": "gpu"})


def test_an_unknown_setting_is_answered_with_all_there_are() -> None:
    with pytest.raises(BadSettings, match=r"no setting SAMSERVE_XYZZY; there are SAMSERVE_ALLOW_HOSTS, .*SAMSERVE_THR"):
        read_settings({"SAMSERVE_XYZZY": "1"})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SAMSERVE_PORT", "http"),
        ("SAMSERVE_PORT", ""),
        ("SAMSERVE_PORT", "0"),
        ("SAMSERVE_PORT", "65536"),
        ("SAMSERVE_THREADS", "-1"),
        ("SAMSERVE_EMBEDDING_MEMORY_MIB", "0"),
        ("SAMSERVE_MAX_IMAGE_MIB", "0"),
        ("SAMSERVE_MAX_MEGAPIXELS", "1.5"),
        ("SAMSERVE_FETCH_SECONDS", "0"),
        ("SAMSERVE_FETCH_SECONDS", "nan"),
        ("SAMSERVE_BASE_PATH", "sam"),
        ("LABEL_STUDIO_URL", "label-studio:8080"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_variable(variable: str, text: str) -> None:
    with pytest.raises(BadSettings, match=f"^{variable}") as caught:
        read_settings({variable: text})
    assert "$." not in str(caught.value)


def test_everything_written_goes_below_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Settings().cache_path == tmp_path / "home" / ".cache" / "samserve"
    assert Settings(cache_dir="~/sam").cache_path == tmp_path / "home" / "sam"
    environment = {"XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert read_settings(environment).cache_path == tmp_path / "xdg" / "samserve"
    assert read_settings(environment | {"SAMSERVE_CACHE_DIR": str(tmp_path)}).cache_path == tmp_path


def test_no_thread_count_means_every_core_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert Settings().cores == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert Settings().cores == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert Settings().cores == 1


@pytest.mark.parametrize("url", ["http://studio:80a", "http://", "http://studio:99999", "http://[::1"])
def test_a_label_studio_url_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(BadSettings, match="LABEL_STUDIO_URL is no URL such as"):
        read_settings({"LABEL_STUDIO_URL": url})
