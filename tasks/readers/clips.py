"""Video benchmarks in a folder: as their publishers' repositories come, unpacked or with their zips.

Each reader takes the folder of one benchmark and yields its rows with `video` (a path), `sample_id`, and where there
are some `subtitles` (a path), `frames` (the folder that a video is made of), `start_s` and `end_s`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.task import Row
from tasks.readers import parquet
from tasks.readers.framed import frames_as_video
from tasks.readers.layout import LayoutError, RowError, found_instead, need_file, need_folder, only_one
from tasks.readers.locate import Locator
from tasks.readers.media import VIDEO_SUFFIXES
from tasks.readers.rows import failed
from tasks.readers.tsv import read_table
from tasks.readers.zips import Zips
from tasks.scoring.cells import absent, listed

_COLUMNS = ("duration", "domain", "question", "answer")
_FRAMES_PER_S = 3.0
MVBENCH: dict[str, tuple[str, str]] = {
    "Action Sequence": ("action_sequence", "star/Charades_v1_480"),
    "Action Prediction": ("action_prediction", "star/Charades_v1_480"),
    "Action Antonym": ("action_antonym", "ssv2_video"),
    "Fine-grained Action": ("fine_grained_action", "Moments_in_Time_Raw/videos"),
    "Unexpected Action": ("unexpected_action", "FunQA_test/test"),
    "Object Existence": ("object_existence", "clevrer/video_validation"),
    "Object Interaction": ("object_interaction", "star/Charades_v1_480"),
    "Object Shuffle": ("object_shuffle", "perception/videos"),
    "Moving Direction": ("moving_direction", "clevrer/video_validation"),
    "Action Localization": ("action_localization", "sta/sta_video"),
    "Scene Transition": ("scene_transition", "scene_qa/video"),
    "Action Count": ("action_count", "perception/videos"),
    "Moving Count": ("moving_count", "clevrer/video_validation"),
    "Moving Attribute": ("moving_attribute", "clevrer/video_validation"),
    "State Change": ("state_change", "perception/videos"),
    "Fine-grained Pose": ("fine_grained_pose", "nturgbd"),
    "Character Order": ("character_order", "perception/videos"),
    "Egocentric Navigation": ("egocentric_navigation", "vlnqa"),
    "Episodic Reasoning": ("episodic_reasoning", "tvqa/frames_fps3_hq"),
    "Counterfactual Inference": ("counterfactual_inference", "clevrer/video_validation"),
}
"""Task -> (name of its file, folder of its videos below `video/`), in the published order."""
AS_FRAMES = "Episodic Reasoning"
"""The task whose videos are folders of frames."""
FORMATS = ("multi-choice", "yes_no", "caption_matching", "captioning")


def below(name: str, read: Callable[[Path], Iterator[Row]]) -> Callable[[Path], Iterator[Row]]:
    """A reader of a data folder that holds the benchmark's own folder under its name."""
    return lambda folder: read(need_folder(folder / name))


class _Videos:
    """Finds a row's video: in one of the folders, unpacked, else in a zip of the benchmark's folder."""

    def __init__(self, root: Path, repository: str, *folders: str, within: tuple[str, ...] = ()) -> None:
        self._root, self._folders = root, [root / folder for folder in folders]
        self._remedy, self._within = f"`hf download {repository} --repo-type dataset` fetches it", within
        self._locate = Locator(VIDEO_SUFFIXES, root.parent, root, root.resolve())
        self._zips = Zips(root)

    def __call__(self, name: str) -> Path:
        """Raises RowError naming where the video was looked for."""
        if not name:
            raise RowError("the row names no video; correct the table")
        for folder in self._folders:
            if (found := self._locate(folder / name)).exists():
                return found
        if (unpacked := self._zips.find(name, self._within)) is not None:
            return unpacked
        faults = "".join(f"; {fault}" for fault in self._zips.faults)
        place = self._folders[0] / name
        raise RowError(f"video not found: {place}, nor in a zip of {self._root}{faults}; {self._remedy}")

    def frames(self, name: str) -> Path | None:
        """The folder of a video that is there as its frames, unpacked or in a zip; None where it is not."""
        folder = self._folders[0] / (name or "?")
        return folder if folder.is_dir() else self._zips.find_folder(name, self._within) if name else None


def _with_video(row: Row, find: _Videos, name: str, where: str) -> Row:
    try:
        return {**row, "video": find(name)}
    except RowError as error:
        return failed({**row, "video": None}, row.get("error") or f"{where}: {error}")


def videomme(root: Path) -> Iterator[Row]:
    """`Video-MME.tsv` (VLMEvalKit's) or the hub's parquet, videos in `data/`, subtitles in `subtitle/*.srt`."""
    table = root / "Video-MME.tsv"
    files = parquet.split_files(root, None, "test")
    source = only_one([place for place in (table, *files[:1]) if place.is_file()], "Video-MME")
    find, subtitles = _Videos(root, "lmms-lab/Video-MME", "data", "video", "videos", ""), _Subtitles(root)
    rows = parquet.read(files, _COLUMNS, root) if source and source != table else _questions(need_file(table))
    for number, row in enumerate(rows):
        stem = _video_name(row)
        options = row.get("options") if not absent(row.get("options")) else row.get("candidates")
        known = {
            **row,
            "sample_id": str(row.get("question_id") or row.get("index") or number),
            "options": listed(options),
        }
        known |= {"videoID": stem, **subtitles(stem)}
        yield _with_video(known, find, f"{stem}.mp4" if stem else "", f"{source}: row {number}")


def _questions(table: Path) -> Iterator[Row]:
    return read_table(table, _COLUMNS, media=False)


def _video_name(row: Row) -> str:
    """The stem of a row's video: column videoID, else video, else the name of video_path."""
    named = next((str(row[name]) for name in ("videoID", "video", "video_path") if not absent(row.get(name))), "")
    return Path(named).name.removesuffix(".mp4")


class _Subtitles:
    """A video's subtitle file, where there is one: the benchmark has none for some."""

    def __init__(self, root: Path) -> None:
        self._folders = [root / name for name in ("subtitle", "subtitles", "subtitle/subtitle")]
        self._zips = Zips(root)

    def __call__(self, stem: str) -> dict[str, Path | str]:
        """`subtitles`, or `subtitles_fault` where they are there and cannot be had."""
        found = next((folder / f"{stem}.srt" for folder in self._folders if (folder / f"{stem}.srt").is_file()), None)
        try:
            found = found or self._zips.find(f"{stem}.srt")
        except RowError as error:
            return {"subtitles_fault": str(error)}
        return {"subtitles": found} if found else {}


def mvbench(root: Path) -> Iterator[Row]:
    """`json/<task>.json` for each of the 20 tasks, videos in `video/<folder of the task>/`.

    The videos of Episodic Reasoning are folders of JPEG frames, three a second: each becomes a video of them.
    """
    need_folder(root / "json")
    for task, (name, folder) in MVBENCH.items():
        file = root / "json" / f"{name}.json"
        find = _Videos(root, "OpenGVLab/MVBench --revision video", f"video/{folder}", folder, within=Path(folder).parts)
        for number, item in enumerate(_items(file)):
            row: Row = {"task_type": task, "sample_id": f"{name}/{number}", "video": None}
            where = f"{file}: item {number}"
            if not isinstance(item, dict):
                yield failed(row, f"{where}: an object is expected, not {type(item).__name__}; correct the file")
                continue
            row |= {key: value for key, value in item.items() if key not in ("video", "error")}
            row |= {"video_name": f"{folder}/{item.get('video')}", **_cut(item)}
            if task == AS_FRAMES:
                yield _with_frames(row, find, str(item.get("video") or ""), where)
            else:
                yield _with_video(row, find, str(item.get("video") or ""), where)


def _cut(item: dict[str, Any]) -> dict[str, float]:
    named = {"start_s": item.get("start"), "end_s": item.get("end")}
    return {name: float(value) for name, value in named.items() if isinstance(value, int | float)}


def _with_frames(row: Row, find: _Videos, name: str, where: str) -> Row:
    try:
        if (frames := find.frames(name)) is None:
            return {**row, "video": find(name)}
        return {**row, "video": frames_as_video(frames, _FRAMES_PER_S), "frames": frames}
    except RowError as error:
        return failed(row, f"{where}: {error}")


def tempcompass(root: Path) -> Iterator[Row]:
    """`questions/<format>.json` or the hub's parquet of each format, videos in `videos/`."""
    find = _Videos(root, "lmms-lab/TempCompass", "videos", "video", "")
    for kind in FORMATS:
        file = root / "questions" / f"{kind}.json"
        files = [] if file.is_file() else parquet.split_files(root, kind, "test")
        if not file.is_file() and not files:
            raise LayoutError(f"file not found: {file}, nor parquet of {kind}. {found_instead(file)}")
        rows = parquet.read(files, ("video_id", "question", "dim"), root) if files else _asked(file)
        counted: dict[str, int] = {}
        for row in rows:
            group = f"{kind}/{row.get('video_id')}/{row.get('dim')}"
            counted[group] = counted.get(group, -1) + 1
            known = {**row, "task_type": kind, "sample_id": f"{group}/{counted[group]}"}
            yield _with_video(known, find, f"{row.get('video_id')}.mp4", f"{file if not files else files[0]}: {group}")


def _asked(file: Path) -> Iterator[Row]:
    """{video: {aspect: [question, ...]}}"""
    content = _json(file)
    if not isinstance(content, dict):
        raise LayoutError(f"{file}: an object of videos is expected, not {type(content).__name__}")
    for video, by_aspect in content.items():
        for aspect, items in by_aspect.items() if isinstance(by_aspect, dict) else [("", by_aspect)]:
            for item in items if isinstance(items, list) else [items]:
                row: Row = {"video_id": video, "dim": aspect}
                if isinstance(item, dict):
                    yield row | {key: value for key, value in item.items() if key != "error"}
                else:
                    yield failed(row, f"{file}: {video}: an object is expected, not {str(item)[:80]!r}")


def _items(file: Path) -> list[Any]:
    content = _json(file)
    if not isinstance(content, list):
        raise LayoutError(f"{file}: a list of questions is expected, not {type(content).__name__}")
    return content


def _json(file: Path) -> Any:
    try:
        return json.loads(need_file(file).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise LayoutError(f"{file}: not JSON ({error}); fetch the file again") from error
