"""Planted secrets never leave: not in a log line, not in a command, not in what changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.telling.masking import MASK, masked, masked_strictly

PLANTED = [
    "AKIAIOSFODNN7PLANTED",
    "ghp_plantedplantedplantedplanted1234",
    "glpat-planted1234567890abcd",
    "xoxb-1234567890-planted",
    "sk_live_planted1234567890",
    "AIzaSyPlanted1234567890abcdefghijk",
    "eyJhbGciOiJIUzI1NiJ9.eyJwbGFudGVkIjoxfQ.c2lnbmF0dXJl",
    "https://hooks.slack.com/services/T000/B000/planted",
    "4111 1111 1111 1111",
]


@pytest.mark.parametrize("secret", PLANTED)
@pytest.mark.parametrize("line", ["{}", "started with {}", '{{"k":"{}"}}', "a={} b", "[{}]", "x,{},y"])
def test_a_secret_of_a_known_shape_is_masked_wherever_it_stands(secret: str, line: str) -> None:
    """Alone, in a sentence, in JSON, in a list."""
    shown = masked(line.format(secret))
    assert secret not in shown
    assert "planted" not in shown.lower()
    assert MASK in shown


@pytest.mark.parametrize(
    "line",
    [
        "password=planted",
        "DB_PASSWORD: planted",
        '{"password": "planted", "user": "web"}',
        "{'api_key': 'planted words'}",
        "--password planted",
        "--db-password=planted",
        "PGPASSWORD=planted psql",
        "Authorization: Bearer planted.planted",
        "authorization: Basic cGxhbnRlZDpwbGFudGVk",
        "postgres://web:planted@db:5432/shop",
        "amqps://:planted@mq/",
        "AWS_SECRET_ACCESS_KEY=planted/planted+planted",
        "x-api-key: planted",
        "client_secret=planted&grant_type=x",
        "Set-Cookie: session=planted; Path=/",
        "the password is planted",
        "connectionString=planted",
        "token => planted",
        "-----BEGIN RSA PRIVATE KEY-----planted",
    ],
)
def test_the_value_beside_a_telling_name_is_masked(line: str) -> None:
    """Variables, JSON, flags, headers, addresses, sentences."""
    shown = masked(line)
    assert "planted" not in shown
    assert "cGxhbnRlZ" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "line",
    [
        "KeyError: 'cart_url'",
        "listening on http://0.0.0.0:8080",
        "2026-11-01T09:01:00Z ERROR could not connect to db.prod.internal:5432",
        "image shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "arn:aws:ecs:eu-west-1:123456789012:task/prod/0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "OutOfMemoryError: Container killed due to memory usage",
    ],
)
def test_what_helps_is_left(line: str) -> None:
    """Errors, addresses, ARNs and digests stay readable."""
    assert masked(line) == line


def test_long_random_words_go_from_log_lines_alone() -> None:
    """A key of an unknown shape is masked there; a path or an ARN is not."""
    assert masked_strictly("key q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8 end") == f"key {MASK} end"
    assert "sha256" in masked_strictly("digest sha256:9f86d081884c7d659a2feaa0c55ad015")
    path = "/usr/local/lib/python3.13/site-packages/shop/handlers/checkout.py"
    assert masked_strictly(path) == path


@given(st.text())
def test_masking_never_fails(text: str) -> None:
    """Whatever a container writes, and masking twice changes nothing more."""
    once = masked_strictly(text)
    assert isinstance(once, str)
