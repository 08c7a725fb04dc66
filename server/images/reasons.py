"""Why a request got no answer, without the secrets that httpx quotes."""

import httpx


def reason(error: Exception) -> str:
    """The cause and, where the error's own text lacks it, the way out."""
    if isinstance(error, httpx.LocalProtocolError):  # its text quotes headers, the token among them
        return "the request cannot be sent; is there a line break in LABEL_STUDIO_API_KEY?"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"{error}; to trust another authority, put its certificate into a file and set SSL_CERT_FILE to it"
    return str(error) or type(error).__name__
