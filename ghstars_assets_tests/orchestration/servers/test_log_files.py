import os
import stat
from pathlib import Path

from ghstars_assets.orchestration.servers.log_files import open_log, rotate


def test_a_log_is_set_aside_while_its_service_goes_on_writing_and_so_many_are_kept(
    tmp_path: Path,
) -> None:
    log = tmp_path / "logs" / "service.log"
    descriptor = open_log(log)
    for line in (b"first\n", b"second\n", b"third\n", b"fourth\n"):
        os.write(descriptor, line)
        assert rotate(log, most_bytes=3, kept=2)
    os.write(descriptor, b"now")
    assert not rotate(log, most_bytes=3, kept=2)
    os.close(descriptor)
    texts = {path.name: path.read_text() for path in log.parent.iterdir()}
    assert texts == {
        "service.log": "now",
        "service.log.1": "fourth\n",
        "service.log.2": "third\n",
    }


def test_logs_are_their_owners_alone_also_where_an_earlier_version_left_one_open(
    tmp_path: Path,
) -> None:
    log = tmp_path / "service.log"
    log.write_text("of an earlier version")
    log.chmod(0o644)
    os.close(open_log(log))
    rotate(log, most_bytes=1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}
