"""Tokens and Apps: what is missing or wrong is one sentence, and no secret is ever shown."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghstars_assets.errors import GhstarsError, SettingsError
from ghstars_assets.sandbox.http.limits import SandboxLimits
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import BadCredentialsError
from ghstars_assets.sources.github.api.credentials import App, Token, credentials_of
from ghstars_assets_tests.support.invented_github import DAY, SEED, invented_github

QUERY = "{ viewer { login } }"
_PEM = "-----BEGIN PRIVATE KEY-----\nnot looked at yet\n-----END PRIVATE KEY-----"


@pytest.fixture(scope="module")
def key() -> tuple[str, str]:
    """A private key and its public half, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def test_without_a_token_the_remedy_is_named() -> None:
    with pytest.raises(SettingsError, match=r"No GitHub token is set: .*GHSTARS_GITHUB_TOKEN"):
        credentials_of(Settings())


def test_a_token_with_a_stray_character_is_not_sent() -> None:
    with pytest.raises(SettingsError, match="copy the token again") as raised:
        credentials_of(Settings.model_validate({"github_token": "ghp_secret half"}))
    assert "ghp_secret" not in str(raised.value)


def test_the_error_names_what_half_an_app_lacks() -> None:
    with pytest.raises(SettingsError, match=r"GHSTARS_GITHUB_APP_INSTALLATION and .*APP_KEY"):
        credentials_of(Settings(github_app_id="1"))


def test_a_key_may_be_given_as_text_or_as_its_path(tmp_path: Path, key: tuple[str, str]) -> None:
    file = tmp_path / "app.pem"
    file.write_text(key[0])
    for given in (key[0], key[0].replace("\n", "\\n"), str(file)):
        found = credentials_of(
            Settings.model_validate(
                {"github_app_id": "1", "github_app_installation": "2", "github_app_key": given}
            )
        )
        assert isinstance(found, App)
        assert found.private_key.startswith("-----BEGIN PRIVATE KEY-----\n")


def test_no_secret_is_shown(key: tuple[str, str]) -> None:
    assert "secret" not in repr(Token("secret"))
    assert "PRIVATE" not in repr(App("1", "2", key[0]))


def test_an_app_signs_in_and_renews_its_token_before_it_ends(key: tuple[str, str]) -> None:
    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(credentials=app, app_public_key=key[1]) as invented:
            await invented.github.graphql(QUERY, {})
            first = app._token
            await asyncio.sleep(timedelta(minutes=50).total_seconds())
            await invented.github.graphql(QUERY, {})
            assert app._token == first
            await asyncio.sleep(timedelta(minutes=6).total_seconds())
            await invented.github.graphql(QUERY, {})
            assert app._token != first

    run_in_virtual_time(story())


def test_another_apps_key_is_refused_in_one_sentence(key: tuple[str, str]) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    async def story() -> None:
        app = App("1", "2", other.decode())
        async with invented_github(credentials=app, app_public_key=key[1]) as invented:
            await invented.github.graphql(QUERY, {})

    with pytest.raises(BadCredentialsError, match="GHSTARS_GITHUB_APP"):
        run_in_virtual_time(story())


def test_what_is_no_key_is_refused(key: tuple[str, str]) -> None:
    async def story() -> None:
        app = App("1", "2", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----")
        async with invented_github(credentials=app) as invented:
            await invented.github.graphql(QUERY, {})

    with pytest.raises(GhstarsError, match="no RSA private key") as raised:
        run_in_virtual_time(story())
    assert "nonsense" not in str(raised.value)


def test_without_spaces_around_them_an_apps_numbers_are_used() -> None:
    given = {"github_app_id": " 1 ", "github_app_installation": "2\n", "github_app_key": _PEM}
    found = credentials_of(Settings.model_validate(given))
    assert isinstance(found, App)
    assert (found.app_id, found.installation) == ("1", "2")


def test_an_app_goes_before_a_token() -> None:
    given = {
        "github_token": "ghp_secret",
        "github_app_id": "1",
        "github_app_installation": "2",
        "github_app_key": _PEM,
    }
    assert credentials_of(Settings.model_validate(given)).kind == "GitHub App"


def test_a_key_file_that_is_not_there_is_named_without_what_was_given(tmp_path: Path) -> None:
    given = {
        "github_app_id": "1",
        "github_app_installation": "2",
        "github_app_key": str(tmp_path / "missing.pem"),
    }
    with pytest.raises(SettingsError, match="neither a key in PEM form nor the path") as raised:
        credentials_of(Settings.model_validate(given))
    assert "missing" not in str(raised.value)


def test_a_token_that_was_fetched_is_not_shown_either(key: tuple[str, str]) -> None:
    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(credentials=app, app_public_key=key[1]) as invented:
            await invented.github.graphql(QUERY, {})
            assert app._token
            assert app._token not in repr(invented.github.endpoint)

    run_in_virtual_time(story())


def test_several_questions_at_once_sign_in_once(key: tuple[str, str]) -> None:
    exchanges = _Exchanges()

    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(
            credentials=app, app_public_key=key[1], meddle=exchanges
        ) as invented:
            await asyncio.gather(*(invented.github.graphql(QUERY, {}) for _ in range(4)))

    run_in_virtual_time(story())
    assert exchanges.count == 1


def test_a_token_that_ends_while_a_budget_is_waited_for_is_renewed(key: tuple[str, str]) -> None:
    """An hour's wait is as long as a token lives: it is looked at only when it is sent."""

    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(
            credentials=app, app_public_key=key[1], limits=SandboxLimits(points_per_hour=1)
        ) as invented:
            for _ in range(3):
                await invented.github.graphql(QUERY, {})
            assert asyncio.get_running_loop().time() >= 2 * 3600

    run_in_virtual_time(story())


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(502, html="<html>Unicorn!</html>"),
        httpx.Response(201, content=b'{"token": "gh'),
        httpx.Response(403, json={"message": "You have exceeded a secondary rate limit."}),
    ],
    ids=["refused", "timeout", "502", "truncated", "limited"],
)
def test_a_fault_while_signing_in_is_tried_again(
    key: tuple[str, str], fault: httpx.Response | Exception
) -> None:
    """A run of hours signs in each hour: a moment's fault then must not end it, nor be taken for a
    batch that is too heavy."""
    exchanges = _Exchanges(fault)
    if isinstance(fault, httpx.Response):
        fault.headers["x-ghstars-sandbox"] = "5/120/2026-06-01"

    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(
            credentials=app, app_public_key=key[1], meddle=exchanges
        ) as invented:
            await invented.github.graphql(QUERY, {})

    run_in_virtual_time(story())
    assert exchanges.count == 2


def test_an_installation_that_is_not_there_is_named_by_its_setting(key: tuple[str, str]) -> None:
    exchanges = _Exchanges(httpx.Response(404, json={"message": "Not Found"}))

    async def story() -> None:
        app = App("1", "2", key[0])
        async with invented_github(
            credentials=app, app_public_key=key[1], meddle=exchanges
        ) as invented:
            await invented.github.graphql(QUERY, {})

    with pytest.raises(BadCredentialsError, match="GHSTARS_GITHUB_APP_INSTALLATION"):
        run_in_virtual_time(story())


def test_the_budget_of_who_has_not_signed_in_is_not_taken_for_ours(key: tuple[str, str]) -> None:
    """The first question only asks for the time; what an unknown caller has left is nothing."""

    now = capture_moment(SEED, DAY)

    def meddle(request: httpx.Request) -> httpx.Response | None:
        if "authorization" in request.headers:
            return None
        spent = {
            "x-ghstars-sandbox": "5/120/2026-06-01",
            "date": format_datetime(now, usegmt=True),
            "x-ratelimit-limit": "60",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(int(now.timestamp()) + 3000),
            "x-ratelimit-resource": "core",
        }
        return httpx.Response(200, json={"resources": {}}, headers=spent)

    async def story() -> float:
        app = App("1", "2", key[0])
        async with invented_github(
            credentials=app, app_public_key=key[1], meddle=meddle
        ) as invented:
            await invented.github.graphql(QUERY, {})
            await invented.github.get(f"/repositories/{invented.asked(1)[0].repo_id}")
            return asyncio.get_running_loop().time()

    assert run_in_virtual_time(story()) < 60


class _Exchanges:
    """Counts an App's requests for a token, and answers the first with a fault."""

    def __init__(self, fault: httpx.Response | Exception | None = None) -> None:
        self.fault = fault
        self.count = 0

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/access_tokens"):
            return None
        self.count += 1
        fault, self.fault = self.fault, None
        if isinstance(fault, Exception):
            raise fault
        return fault
