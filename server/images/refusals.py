"""What an error status of an image's server means, and the way out."""

import httpx

from server.images.url import redacted

_SIGN_IN = (
    "if this is Label Studio, set LABEL_STUDIO_URL to exactly this host, and LABEL_STUDIO_API_KEY, which is sent for "
    "uploads, local files and its storages' images alone"
)
_LOGIN = "the login and password of the project's task data were not accepted"
_BAD_KEY = "LABEL_STUDIO_API_KEY was not accepted; make a new token under Account & Settings"
_LOCAL, _UPLOAD, _STORAGE = ("/data/local-files",), ("/data/upload/",), ("/presign/", "/resolve/")
_OF_LABEL_STUDIO = (
    (_LOCAL, 403, "start Label Studio with LOCAL_FILES_SERVING_ENABLED=true"),
    (
        _LOCAL,
        404,
        "there is no such file, or no Local files storage of a project of LABEL_STUDIO_API_KEY's user holds it",
    ),
    (_STORAGE, 403, "the user of LABEL_STUDIO_API_KEY may not see this task"),
    (_STORAGE, 404, "there is no such task, or its project has no source storage for this bucket"),
    (_UPLOAD, 403, "the user of LABEL_STUDIO_API_KEY may not see this project"),
    (_UPLOAD, 500, "Label Studio answers so when it has no such upload"),
)


def refusal(response: httpx.Response, *, signed: bool) -> str:
    """The message for a response that is no success; `signed` says that it answers a request to Label Studio."""
    path, status = response.url.path, response.status_code
    text = f"{status} {response.reason_phrase} from {redacted(str(response.url))}"
    hints = [
        hint
        for parts, code, hint in _OF_LABEL_STUDIO
        if signed and code == status and any(part in path for part in parts)
    ]
    if hints:
        return f"{text}: {hints[0]}"
    if status not in (401, 403):
        return text
    if signed:
        return f"{text}: {_BAD_KEY}"
    return f"{text}: {_LOGIN if response.url.userinfo else _SIGN_IN}"
