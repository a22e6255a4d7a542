import httpx
import pytest

from ghstars_assets.errors import GhstarsError
from ghstars_assets.orchestration.servers.services import (
    mlflow_hosts,
    page_of,
    require_ports_of_their_own,
    services_of,
)
from ghstars_assets.settings import Settings


def test_two_services_on_one_port_are_refused_with_both_settings(settings: Settings) -> None:
    both = settings.model_copy(update={"web_port": 5000})
    with pytest.raises(GhstarsError, match=r"GHSTARS_WEB_PORT and GHSTARS_MLFLOW_PORT are both"):
        require_ports_of_their_own(services_of(both))
    require_ports_of_their_own(services_of(settings))


def test_every_service_runs_without_telemetry_and_mlflow_without_its_jobs(
    settings: Settings,
) -> None:
    web, daemon, mlflow = services_of(settings)
    for service in (web, daemon, mlflow):
        assert service.environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert service.environment["DAGSTER_DISABLE_TELEMETRY"]
    assert mlflow.environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_mlflow_lets_in_loopback_and_the_names_of_the_setting_and_no_private_network(
    settings: Settings,
) -> None:
    hosts = mlflow_hosts(settings.model_copy(update={"allowed_hosts": "stars.example.org"}))
    assert {"localhost", "127.0.0.1:*", "[::1]", "[[]::1]:*", "stars.example.org:*"} <= set(hosts)
    assert not [host for host in hosts if host.startswith(("10.", "192.168.", "*"))]


def test_mlflow_elsewhere_is_not_served_here(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"mlflow_tracking_uri": "http://mlflow.example"})
    assert [service.name for service in services_of(elsewhere)] == ["Dagster", "Dagster daemon"]


@pytest.mark.parametrize(
    ("experiments", "page"),
    [
        (["0", "1"], "/#/experiments/1/runs"),
        (["0"], "/#/experiments"),
        (["1", "2"], "/#/experiments"),
    ],
)
def test_mlflow_opens_on_the_runs(
    experiments: list[str], page: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"experiments": [{"experiment_id": number} for number in experiments]}
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, json=found))
    assert page_of(services_of(settings)[-1]) == f"http://127.0.0.1:5000{page}"
