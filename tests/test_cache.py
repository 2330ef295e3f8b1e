"""Files that are written whole or not at all, and a cache that is never worse than none."""

import errno
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import nlp_gym_envs
from nlp_gym_envs.text import cache

ROOT = str(Path(nlp_gym_envs.__file__).parents[1])
MADE = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never() -> np.ndarray:
    raise AssertionError("made again")


def stored(folder: Path) -> Path:
    (path,) = folder.glob("*.npy")
    return path


@pytest.mark.filterwarnings("error")
def test_an_array_is_made_once_and_read_only_afterwards(folder):
    first, second = cache.array({"a": 1}, lambda: MADE.copy()), cache.array({"a": 1}, never)
    for found in (first, second):
        np.testing.assert_array_equal(found, MADE)
        assert type(found) is np.ndarray and found.dtype == MADE.dtype and not found.flags.writeable
    assert not np.array_equal(cache.array({"a": 2}, lambda: MADE + 1), MADE)


def pickled(path: Path) -> None:
    np.save(path, np.array([print], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: path.write_bytes(path.read_bytes()[:30]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage" * 100),
        pickled,
        lambda path: np.savez(path.open("wb"), MADE),
    ],
    ids=["truncated", "half a header", "empty", "garbage", "pickle", "archive"],
)
def test_a_damaged_file_is_made_again_with_a_warning(folder, damage):
    cache.array({"a": 1}, lambda: MADE.copy())
    damage(stored(folder))
    with pytest.warns(UserWarning, match="is damaged .* made again"):
        np.testing.assert_array_equal(cache.array({"a": 1}, lambda: MADE + 1), MADE + 1)
    np.testing.assert_array_equal(cache.array({"a": 1}, never), MADE + 1)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("where", ["os.fsync", "numpy.save", "tempfile.mkstemp", "os.replace", "pathlib.Path.mkdir"])
def test_a_full_or_forbidden_folder_is_done_without_and_nothing_is_left(folder, monkeypatch, where, code):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(where, refuse)
        with pytest.warns(UserWarning, match=f"cannot write the cache .*{os.strerror(code)}.* NLP_GYM_CACHE"):
            found = cache.array({"a": 1}, lambda: MADE.copy())
    np.testing.assert_array_equal(found, MADE)
    assert not folder.exists() or not list(folder.iterdir())


def test_a_cache_folder_that_is_a_file_is_done_without(folder):
    folder.write_text("not a folder")
    with pytest.warns(UserWarning, match="cannot write the cache"):
        np.testing.assert_array_equal(cache.array({"a": 1}, lambda: MADE.copy()), MADE)


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    cache.save_atomically(path, lambda file: file.write(b"old"))

    def half(file) -> None:
        file.write(b"ne")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        cache.save_atomically(path, half)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_writer_that_is_killed_leaves_no_broken_file(folder):
    program = """if True:
        import os, signal
        from nlp_gym_envs.text import cache
        import numpy
        def half(file, array, **_):
            file.write(bytes(1000)); file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        numpy.save = half
        cache.array({"a": 1}, lambda: numpy.zeros(1000))
    """
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": ROOT})
    assert done.returncode == -9
    (left,) = folder.iterdir()  # hidden, and no array's name
    assert left.name.startswith(".")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(cache.array({"a": 1}, lambda: MADE.copy()), MADE)
    assert left.exists()  # its writer may be at work still
    long_ago = time.time() - 7200
    os.utime(left, (long_ago, long_ago))
    stored(folder).unlink()
    cache.array({"a": 1}, lambda: MADE.copy())
    assert [path.suffix for path in folder.iterdir()] == [".npy"]


def test_files_have_the_permissions_of_any_other_file(tmp_path):
    cache.save_atomically(tmp_path / "ours", lambda file: file.write(b"x"))
    (tmp_path / "usual").write_bytes(b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_cache_is_where_it_is_said_to_be(monkeypatch, tmp_path):
    assert cache.folder() == tmp_path / "cache"
    monkeypatch.delenv("NLP_GYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "nlp_gym_envs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() == tmp_path / "home" / ".cache" / "nlp_gym_envs"


def test_a_long_wait_is_told_in_the_log_and_a_short_one_is_not(caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path))
    caplog.set_level("INFO", "nlp_gym_envs")
    cache.array({"what": "something quick"}, lambda: np.zeros(2))
    assert not caplog.messages
    monkeypatch.setattr(cache, "LONG", 0.01)
    cache.array({"what": "something slow"}, lambda: (time.sleep(0.5), np.zeros(2))[1])
    assert caplog.messages == [f"Preparing something slow: once, it is kept in {tmp_path}."]
    cache.array({"what": "something slow"}, lambda: (time.sleep(0.5), np.zeros(2))[1])
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("name", ["sentiment", "multiple_choice"])
def test_a_built_in_corpus_is_written_once_and_comes_back_as_it_is(folder, monkeypatch, name):
    import importlib

    from nlp_gym_envs.task import TASKS
    from nlp_gym_envs.text import corpora

    source = TASKS.get(name).source
    assert isinstance(source, corpora.BuiltIn)
    corpus = importlib.import_module(source.module)

    def examples() -> corpora.Examples:
        corpora.forget()
        return corpora.load(source, {}, TASKS.get(name).answer, "validation")

    first = examples()
    (path,) = folder.glob("*.npy")
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "generate", lambda split: pytest.fail("written again"))
        second = examples()
        path.write_bytes(path.read_bytes()[:-9])
        patch.undo()
    with pytest.warns(UserWarning, match="damaged"):
        third = examples()
    assert first.digest == second.digest == third.digest
    assert [type(value) for value in second.columns["text"][:3]] == [str] * 3
    corpora.forget()
