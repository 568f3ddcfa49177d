"""What became of files is told from their checksums."""

from podproof.kube.datasets import differences


def test_nothing_is_told_of_files_that_are_all_there() -> None:
    assert differences({"a": "1"}, {"a": "1"}) == ""


def test_each_file_that_is_not_as_it_was_is_named() -> None:
    told = differences(
        {"kept": "1", "lost": "2", "spoilt": "3"}, {"kept": "1", "spoilt": "4", "strange": "5"}
    )
    assert told == "lost is missing, strange is another file, spoilt has changed"
