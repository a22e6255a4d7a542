"""Counting an hour's stars: as parsing every line would, and without trusting a name or a text."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.errors import SourceError
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets.sources.gharchive import reading
from ghstars_assets.sources.gharchive.hours import count_stars, is_event_hour, likely_hour
from ghstars_assets_tests.support.invented_hours import (
    DAY,
    SEVEN,
    event,
    line,
    star,
    write_hour,
)

REAL_HOURS = PROJECT_ROOT.parent / "shared" / "data" / "gharchive"
EIGHT = SEVEN + timedelta(hours=1)
MENTION = '{"type":"WatchEvent"} ,"type":"WatchEvent","actor":{ "public":true,"created_at":"2020'


def slow_counts(path: Path) -> dict[str, Any]:
    """What every line says, parsed one after the other."""
    events, unreadable, duplicates, nameless = Counter[str](), 0, 0, 0
    stars: dict[str, dict[int, list[tuple[str, int, str | None]]]] = {}
    seen: set[str] = set()
    for number, text in enumerate(gzip.decompress(path.read_bytes()).split(b"\n")):
        if not text.strip():
            continue
        try:
            parsed = json.loads(text)
            kind, at, hour = parsed["type"], parsed["created_at"], parsed["created_at"][:13]
        except (ValueError, KeyError, TypeError):
            unreadable += 1
            continue
        events[hour] += 1
        if kind != "WatchEvent":
            continue
        if parsed["id"] in seen:
            duplicates += 1
            continue
        seen.add(parsed["id"])
        if not parsed["repo"].get("id"):
            nameless += 1
            continue
        name = parsed["repo"]["name"] if parsed["repo"]["name"] != "/" else None
        stars.setdefault(hour, {}).setdefault(parsed["repo"]["id"], []).append((at, number, name))
    main = min(events, key=lambda hour: (-events[hour], hour))
    rows = []
    for repo_id, gained in sorted(stars.get(main, {}).items()):
        names = [name for _, _, name in sorted(gained) if name]
        ats = [at for at, _, _ in gained]
        rows.append((repo_id, names[-1] if names else None, len(gained), min(ats), max(ats)))
    return {
        "hour": main,
        "events": events.total(),
        "rows": rows,
        "unreadable": unreadable,
        "duplicates": duplicates,
        "nameless": nameless,
        "others": {hour: n for hour, n in events.items() if hour != main},
    }


def fast_counts(path: Path) -> dict[str, Any]:
    counts = count_stars(path)
    assert counts.stars_gained == counts.stars["stars_gained"].sum()
    return {
        "hour": f"{counts.hour_began_at:%Y-%m-%dT%H}",
        "events": counts.events,
        "rows": [
            (repo_id, name, gained, f"{first:%Y-%m-%dT%H:%M:%SZ}", f"{last:%Y-%m-%dT%H:%M:%SZ}")
            for repo_id, name, gained, first, last in counts.stars.iter_rows()
        ],
        "unreadable": counts.unreadable,
        "duplicates": counts.duplicates,
        "nameless": counts.without_repository,
        "others": {f"{hour:%Y-%m-%dT%H}": n for hour, n in counts.of_other_hours.items()},
    }


moments = st.builds(
    lambda hour, second: SEVEN + timedelta(hours=hour, seconds=second),
    st.sampled_from([0, 0, 0, 0, 1, -1, 24]),
    st.integers(0, 3599),
)
texts = st.sampled_from(["", "x", MENTION, "WatchEvent", "ünïcödé \u2028 \n", '"}\n{"id":"1"'])
names = st.sampled_from(["octo/cat", "octo/kitten", "/"])
payloads = st.one_of(
    st.builds(lambda text: {"description": text}, texts),
    st.builds(
        lambda text: {"forkee": {"created_at": "2020-01-01T00:00:00Z", "d": text, "public": True}},
        texts,
    ),
    st.builds(lambda text: {"type": "WatchEvent", "public": True, "text": text * 300}, texts),
)
events = st.builds(
    event,
    st.sampled_from(["WatchEvent", "WatchEvent", "PushEvent", "ForkEvent", "WatchEvents"]),
    event_id=st.integers(1, 30).map(str),
    repo_id=st.sampled_from([0, 1, 2, 3]),
    name=names,
    at=moments,
    payload=payloads,
    org=st.sampled_from([None, "github"]),
)


def backwards(fields: dict[str, Any]) -> bytes:
    """The same event with its fields the other way round, and with blanks."""
    return json.dumps(dict(reversed(fields.items())), ensure_ascii=False).encode()


lines = st.one_of(
    events.map(line),
    events.map(line),
    events.map(line),
    events.map(backwards),
    events.map(lambda fields: line(fields) + b"\r"),
    events.map(lambda fields: line(fields)[:-20]),
    events.map(lambda fields: line({"type": fields["type"], "id": fields["id"]})),
    st.sampled_from([b"", b"  ", b"\xff\xfe", b"[]", b"null", b'"WatchEvent"', b"{" * 5000]),
)


@given(lines=st.lists(lines, max_size=40), block_bytes=st.sampled_from([7, 300, 4000, 1 << 18]))
def test_the_counts_are_those_of_parsing_every_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], block_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("hour") / "hour.json.gz"
    write_hour(path, [star(0), *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK_BYTES", block_bytes)
        assert fast_counts(path) == slow_counts(path)


def test_a_text_that_mentions_a_star_is_none(tmp_path: Path) -> None:
    issue = event("IssuesEvent", payload={"body": line(event("WatchEvent")).decode()})
    counts = count_stars(write_hour(tmp_path / "hour", [line(issue), line(event()), star(1)]))
    assert (counts.events, counts.stars_gained) == (3, 1)


def test_a_star_is_known_whatever_the_order_of_its_fields(tmp_path: Path) -> None:
    starred = event("WatchEvent", event_id="7", payload={"text": "long " * 500})
    counts = count_stars(write_hour(tmp_path / "hour", [line(event()), backwards(starred)]))
    assert counts.stars_gained == 1


def test_a_renamed_repository_is_one_by_its_last_name(tmp_path: Path) -> None:
    later, earlier = SEVEN + timedelta(minutes=9), SEVEN + timedelta(minutes=2)
    lines = [star(2, 4, "new/name", later), star(1, 4, "old/name", earlier)]
    counts = count_stars(write_hour(tmp_path / "hour", lines))
    assert counts.stars.rows() == [(4, "new/name", 2, earlier, later)]


def test_a_deleted_repository_keeps_its_stars_without_a_name(tmp_path: Path) -> None:
    counts = count_stars(write_hour(tmp_path / "hour", [star(1, 4, "/"), star(2, 5, "")]))
    assert counts.stars.select("repo_id", "full_name").rows() == [(4, None), (5, None)]


def test_a_star_of_no_repository_is_reported_and_not_counted(tmp_path: Path) -> None:
    counts = count_stars(write_hour(tmp_path / "hour", [star(1, 0), star(2, 2**70), star(3, 5)]))
    assert (counts.stars_gained, counts.without_repository) == (1, 2)


def test_an_hour_from_before_repositories_had_ids_is_refused(tmp_path: Path) -> None:
    starred = event("WatchEvent")
    del starred["repo"]
    with pytest.raises(SourceError, match=r"^hour has stars without .* before 2015; import"):
        count_stars(write_hour(tmp_path / "hour", [line(starred)]))


def test_one_event_listed_twice_is_one_star(tmp_path: Path) -> None:
    counts = count_stars(write_hour(tmp_path / "hour", [star(1), star(2), star(1), star(1)]))
    assert (counts.stars_gained, counts.duplicates) == (2, 2)


def test_the_majority_of_the_events_decides_the_hour_and_the_rest_is_reported(
    tmp_path: Path,
) -> None:
    stragglers = [star(1, at=SEVEN), star(2, at=SEVEN)]
    rest = [line(event(at=EIGHT)), line(event(at=EIGHT)), star(3, 8, at=EIGHT)]
    path = write_hour(tmp_path / "2021-07-21-7.json.gz", [*stragglers, *rest])
    counts = count_stars(path)
    assert (counts.day, counts.hour) == (DAY, 8)
    assert counts.stars["repo_id"].to_list() == [8]
    assert counts.of_other_hours == {SEVEN: 2}


def test_an_hour_is_stated_in_utc_whatever_the_zone_of_its_events(tmp_path: Path) -> None:
    starred = event("WatchEvent") | {"created_at": "2021-07-20T23:30:00-08:00"}
    assert count_stars(write_hour(tmp_path / "hour", [line(starred)])).hour_began_at == SEVEN


def test_an_hour_without_a_star_is_an_hour(tmp_path: Path) -> None:
    counts = count_stars(write_hour(tmp_path / "hour", [line(event())]))
    assert (counts.events, counts.stars_gained, counts.stars.height) == (1, 0, 0)


def test_lines_that_are_no_event_are_counted(tmp_path: Path) -> None:
    whole = line(event())
    lines = [whole, whole[:-1], whole + b"}", b"<html>", b"x" + whole, whole]
    counts = count_stars(write_hour(tmp_path / "hour", lines))
    assert (counts.events, counts.unreadable) == (2, 4)


@pytest.mark.parametrize("between", [b'"payload":{,', b'"payload":' + line(event()) * 2 + b",{"])
def test_a_line_broken_between_two_whole_ends_passes_for_an_event(
    tmp_path: Path, between: bytes
) -> None:
    """The one thing that looking at both ends misses; it never costs or makes a star."""
    broken = line(event()).replace(b'"payload":{', between)
    counts = count_stars(write_hour(tmp_path / "hour", [star(1), broken, star(2) * 2]))
    assert (counts.events, counts.unreadable, counts.stars_gained) == (2, 1, 1)


def test_a_line_without_end_is_cut_and_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_LINE_BYTES", 10_000)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 4096)
    path = write_hour(tmp_path / "hour", [star(1), b"x" * 10**7, star(2)])
    assert max(len(block) for block in reading.blocks(path)) < 30_000
    counts = count_stars(path)
    assert (counts.stars_gained, counts.unreadable) == (2, 1)


def test_members_of_one_gzip_are_read_one_after_the_other(tmp_path: Path) -> None:
    one, two = (write_hour(tmp_path / str(n), [star(n)]).read_bytes() for n in (1, 2))
    path = tmp_path / "both"
    path.write_bytes(one + two)
    assert count_stars(path).stars_gained == 2


def test_a_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "hour"
    path.write_bytes(gzip.compress(star(1) + b"\n" + star(2)))
    assert count_stars(path).stars_gained == 2


def truncated(tmp_path: Path) -> Path:
    path = write_hour(tmp_path / "2021-07-21-7.json.gz", [star(n) for n in range(5000)])
    path.write_bytes(path.read_bytes()[:-300])
    return path


def test_a_truncated_gzip_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        count_stars(truncated(tmp_path))
    message = str(caught.value)
    assert message.startswith("2021-07-21-7.json.gz ends in the middle of its gzip stream;")
    assert message.count(".") == 3  # two in the name, one at the end


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = write_hour(tmp_path / "hour", [star(n) for n in range(5000)])
    whole = path.read_bytes()
    for place in range(20, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(SourceError, match="hour"):
            count_stars(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"{}\n", "is no gzip file"),
        (gzip.compress(b"", mtime=0), "holds no event"),
        (gzip.compress(b"{}\nnull\n", mtime=0), "holds no event"),
        (gzip.compress(star(1), mtime=0)[:9], "in the middle"),
        (b"\x1f\x8b rubbish and more rubbish", "hour"),
    ],
)
def test_what_is_no_hour_is_refused_in_words(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "hour"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=complaint):
        count_stars(path)
    assert not is_event_hour(path)


def test_an_hour_is_known_by_its_content_alone(tmp_path: Path) -> None:
    assert is_event_hour(write_hour(tmp_path / "notes.txt", [line(event())]))
    assert is_event_hour(truncated(tmp_path))  # to be refused with its reason later
    (tmp_path / "2021-07-21-8.json.gz").write_text("{}")
    assert not is_event_hour(tmp_path / "2021-07-21-8.json.gz")


@pytest.mark.parametrize(
    "first_line",
    [
        b"[]",
        b"day,repo,stars",
        b'{"type":"WatchEvent","created_at":"2021-07-21T07:00:00Z"}',
        b'{"type":"WatchEvent","repo":{"id":1}}',
        b'{"repo":{"id":1},"created_at":"2021-07-21T07:00:00Z"}',
        b'{"type":"WatchEvent","repo":1,"created_at":"2021-07-21T07:00:00Z"}',
        b'{"type":"WatchEvent","repo":{"id":1},"created_at":"yesterday"}',
        b'{"type":"WatchEvent","repo":{"id":1},"created_at":"9999-12-31T23:00:00Z"}',
        b"[" * 100_000,
        b"1" * 100_000,
        b"\xff",
    ],
)
def test_other_gzip_files_are_no_hour(tmp_path: Path, first_line: bytes) -> None:
    assert not is_event_hour(write_hour(tmp_path / "file", [first_line, line(event())]))


def test_folders_and_absent_files_are_no_hour(tmp_path: Path) -> None:
    assert not is_event_hour(tmp_path)
    assert not is_event_hour(tmp_path / "absent")


def test_the_likely_hour_is_known_without_reading_on(tmp_path: Path) -> None:
    path = write_hour(tmp_path / "hour", [line(event(payload={"n": n})) for n in range(10_000)])
    path.write_bytes(path.read_bytes()[:-100])
    assert likely_hour(path) == SEVEN


@pytest.mark.skipif(not REAL_HOURS.exists(), reason="the real samples are not here")
def test_real_hours_are_counted_as_by_parsing_every_line() -> None:
    paths = sorted(REAL_HOURS.glob("*.json.gz"))
    assert paths
    for path in paths:
        assert is_event_hour(path)
        assert fast_counts(path) == slow_counts(path)
        assert likely_hour(path) == count_stars(path).hour_began_at
    assert sum(count_stars(path).stars_gained for path in paths) == 58


def test_a_moment_at_the_end_of_the_calendar_stops_nothing(tmp_path: Path) -> None:
    odd = event("WatchEvent", event_id="2") | {"created_at": "9999-12-31T23:59:59Z"}
    counts = count_stars(write_hour(tmp_path / "hour", [star(1), line(odd)]))
    assert (counts.hour_began_at, counts.unreadable) == (datetime(2021, 7, 21, 7, tzinfo=UTC), 1)
