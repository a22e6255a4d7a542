"""Lakes on every kind of root: a folder, S3 and Azure Blob."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support import object_stores
from ghstars_assets_tests.support.object_stores import AzureServer, S3Server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with object_stores.s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def azure_server() -> Iterator[AzureServer]:
    if not object_stores.AZURITE.exists():
        pytest.skip("Azurite is not installed; `make azurite` installs it")
    with object_stores.azure_server() as server:
        yield server


@pytest.fixture
def s3_settings(tmp_path: Path, s3_server: S3Server) -> Settings:
    bucket = f"lake-{uuid4().hex}"
    s3_server.make_bucket(bucket)
    return Settings(
        home=tmp_path / "home",
        threads=1,
        lake=f"s3://{bucket}/some/prefix",
        s3_endpoint=s3_server.endpoint,
        s3_access_key_id="test",
        s3_secret_access_key=SecretStr("test"),
    )


@pytest.fixture
def azure_settings(tmp_path: Path, azure_server: AzureServer) -> Settings:
    container = f"lake-{uuid4().hex}"
    azure_server.make_container(container)
    return Settings(
        home=tmp_path / "home",
        threads=1,
        lake=f"az://{container}/some/prefix",
        azure_endpoint=azure_server.endpoint,
        azure_account=object_stores.AZURITE_ACCOUNT,
        azure_key=SecretStr(object_stores.AZURITE_KEY),
    )


@pytest.fixture(params=["folder", "s3", "azure"])
def any_lake(request: pytest.FixtureRequest) -> Lake:
    name = {"folder": "settings", "s3": "s3_settings", "azure": "azure_settings"}[request.param]
    return Lake(request.getfixturevalue(name))
