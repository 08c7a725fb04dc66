"""What a started server says first: where it is, and what to do there."""

from ipaddress import ip_address

from server import __version__
from server.settings import Settings

_WELCOME = """
samserve {version} serves {model} on {url}
{whoever}
In Label Studio: project settings -> Model -> Connect Model, paste
    {url}
{elsewhere}and switch on "Interactive preannotations". A labeling config to start from:
    <View>
      <Image name="image" value="$image"/>
      <BitmaskLabels name="mask" toName="image"><Label value="Object"/></BitmaskLabels>
      <KeyPointLabels name="click" toName="image" smart="true"><Label value="Object"/></KeyPointLabels>
      <RectangleLabels name="box" toName="image" smart="true"><Label value="Object"/></RectangleLabels>
    </View>
Label Studio 1.23.1 and newer connect to a backend on a private address only when started with
    ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false
Without Label Studio: click on a picture of yours at {url}/playground
"""
_WHOEVER = """\
Whoever reaches this port may use it; SAMSERVE_HOST=127.0.0.1, or BASIC_AUTH_USER and BASIC_AUTH_PASS, close it.
"""
_EVERYWHERE = """\
(from this machine; from Docker on it http://host.docker.internal:{port}{path}, on Linux with
--add-host=host.docker.internal:host-gateway; from elsewhere with this machine's name or address instead)
"""
_HERE = """\
(from this machine alone: neither containers nor other machines reach {host})
"""


def welcome(settings: Settings, model: str) -> str:
    """The text for a server of these settings that serves `model`."""
    return _WELCOME.format(
        version=__version__,
        model=model,
        url=_url(settings),
        whoever="" if settings.basic_auth_user or _is_loopback(settings.host) else _WHOEVER,
        elsewhere=_elsewhere(settings),
    )


def _elsewhere(settings: Settings) -> str:
    if _is_loopback(settings.host):
        return _HERE.format(host=settings.host)
    if _is_everywhere(settings.host):
        return _EVERYWHERE.format(port=settings.port, path=settings.base_path)
    return ""


def _url(settings: Settings) -> str:
    host = "localhost" if _is_everywhere(settings.host) else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{settings.base_path}"


def _is_everywhere(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
