"""Tokens and Apps: what is missing or wrong is one sentence, and no secret is ever shown."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghstars_assets.errors import GhstarsError, SettingsError
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.answers import BadCredentialsError
from ghstars_assets.sources.github.credentials import App, Token, credentials_of
from ghstars_assets_tests.sources.github.invented import invented_github
from ghstars_assets_tests.virtual_time import run_in_virtual_time

QUERY = "{ viewer { login } }"


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


def test_half_an_app_is_told_what_it_lacks() -> None:
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


def test_what_is_no_key_is_told(key: tuple[str, str]) -> None:
    async def story() -> None:
        app = App("1", "2", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----")
        async with invented_github(credentials=app) as invented:
            await invented.github.graphql(QUERY, {})

    with pytest.raises(GhstarsError, match="no RSA private key") as raised:
        run_in_virtual_time(story())
    assert "nonsense" not in str(raised.value)
