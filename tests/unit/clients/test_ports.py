"""What can be a key of a row."""

import pytest

from shared.ports import FORBIDDEN_IN_KEYS, LONGEST_KEY, Key

BAD = {
    **{
        f"the character {ord(character):#04x}": f"a{character}b"
        for character in sorted(FORBIDDEN_IN_KEYS)
        if character < "\ud800"
    },
    "the first half of a character": "a\ud83d",
    "the second half of a character": "\ude42b",
    "a text that is too long": "x" * (LONGEST_KEY + 1),
    "a text that is too long in UTF-16 only": "🙂" * (LONGEST_KEY // 2 + 1),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_a_table_cannot_keep_as_a_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be a table key"):
        Key(text, "row")
    with pytest.raises(ValueError, match="cannot be a table key"):
        Key("partition", text)
