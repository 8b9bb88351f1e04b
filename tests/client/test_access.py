"""Where the client looks for the service, and with what key."""

import pytest

from astra_client import Astra, errors
from astra_client.access import api_root, authorization


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://astra.example", "https://astra.example/api/v1"),
        ("https://astra.example/", "https://astra.example/api/v1"),
        ("https://astra.example/api/v1", "https://astra.example/api/v1"),
        (" https://astra.example/api/v1/ ", "https://astra.example/api/v1"),
        ("http://127.0.0.1:8000/astra/", "http://127.0.0.1:8000/astra/api/v1"),
    ],
)
def test_url_is_the_root_with_or_without_the_api(url: str, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_root(url) == root
    monkeypatch.setenv("ASTRA_API_URL", url)
    assert api_root(None) == root


@pytest.mark.parametrize("url", ["astra.example", "ftp://astra.example", "https://", "https://astra.example/?a=b"])
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(errors.Misconfigured, match="ASTRA_API_URL"):
        api_root(url)


def test_argument_counts_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRA_API_KEY", "astra_sk_test_environment")
    assert authorization("astra_sk_test_argument") == "Bearer astra_sk_test_argument"
    assert authorization(None) == "Bearer astra_sk_test_environment"


@pytest.mark.parametrize("key", ["", "  ", "astra_sk_test_a\nb", "astra_sk_tést"])
def test_what_is_no_key_is_named_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRA_API_KEY", raising=False)
    with pytest.raises(errors.Misconfigured) as caught:
        Astra(key)
    assert "astra_sk_t" not in str(caught.value)
