"""What a killed stage has finished is kept for the same result only."""

from photochrom.data.scratch import prepare_scratch


def test_finished_work_is_kept_for_the_same_result_only(tmp_path):
    folder = tmp_path / "scratch"
    prepare_scratch(folder, "one")
    finished, half = folder / "train-00000.npy", folder / ".train-00001.npy.77.part"
    finished.write_bytes(b"whole")
    half.write_bytes(b"ha")
    prepare_scratch(folder, "one")
    assert finished.read_bytes() == b"whole"
    assert not half.exists()
    prepare_scratch(folder, "another")
    assert [path.name for path in folder.iterdir()] == ["fingerprint"]


def test_work_without_a_mark_is_not_trusted(tmp_path):
    (tmp_path / "train-00000.npy").write_bytes(b"of what?")
    prepare_scratch(tmp_path, "one")
    assert not (tmp_path / "train-00000.npy").exists()
