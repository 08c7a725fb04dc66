"""What requests are read as."""

from server.web.schemas import PredictRequest, decode_body


def test_a_request_is_shown_without_the_password_of_its_project() -> None:
    request = decode_body(b'{"tasks": [], "params": {"login": "ann", "password": "s3cret"}}', PredictRequest)
    assert request.login
    assert "ann" in repr(request)
    assert "s3cret" not in repr(request)
    assert "s3cret" not in repr(request.login)
