"""The chain of an environment, drawn: each target with its states over time, and what it waited for.

┌──────────────┐
│ runtime_facts├──────────────────────────┐
└──────────────┘                          │    From each target that held others back a line goes down,
┌──────────────┐  FactDiffers             │    and from it an arrow, above which stands why, to each of
│ vault_seeding│◄─────────────────────────┤    those.
└──────────────┘                          ┆
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cli.markup import Html, join, tag
from cli.output import shortened
from cli.verdicts import Row, State, length

NODE: Final = 350
"""Width of a target's box. All sizes are in units of the drawing, about a pixel each."""
WORDS: Final = 330
"""Width of the room for reason codes."""
LANE: Final = 22
"""Between two lines that go down."""
ARROW: Final = 24
"""Height of the room for an arrow and its words."""
HEAD: Final = 78
"""Height of what stands in a box."""
GAP: Final = 18
"""Between two boxes."""
INSET: Final = 14
STRIP: Final = 10
"""Height of the states' strip."""
LONGEST: Final = 52
"""Characters of small print that fit beside a box, and in it."""


@dataclass(frozen=True, slots=True)
class _Box:
    row: Row
    top: float
    holders: tuple[str, ...]
    """Targets that held it back and are drawn as well, in the order of the drawing."""

    @property
    def height(self) -> float:
        return max(HEAD, ARROW * (len(self.holders) + 1))

    @property
    def way_out(self) -> float:
        """Where the line begins that tells whom it held back."""
        return self.top + self.height - ARROW / 2

    def way_in(self, number: int) -> float:
        return self.top + ARROW * (number + 0.9)


def drawing(environment: str, rows: Sequence[Row], until: float) -> Html:
    """until: seconds after which the strips end."""
    boxes = tuple(_boxes(rows))
    held_up = [box.row.target for box in boxes if any(box.row.target in one.holders for one in boxes)]
    # The nearer to the end, the nearer to the boxes: so few lines cross.
    lanes = {target: NODE + WORDS + LANE * (len(held_up) - number) for number, target in enumerate(held_up)}
    width = NODE + WORDS + LANE * (len(held_up) + 1)
    height = boxes[-1].top + boxes[-1].height if boxes else 0
    name = f"chain-{environment}"
    return tag(
        "svg",
        tag("title", f"What waited for what in {environment}", id=f"{name}-title"),
        tag("desc", _in_words(boxes), id=f"{name}-desc"),
        *(line for target in held_up for line in _lines(target, boxes, lanes[target])),
        *(_node(box, until) for box in boxes),
        viewBox=f"-1 -1 {width + 2} {height + 2:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def _boxes(rows: Sequence[Row]) -> Iterator[_Box]:
    drawn = [row.target for row in rows]
    top = 0.0
    for row in rows:
        named = {cause.target for cause in row.causes}
        box = _Box(row, top, tuple(target for target in drawn if target in named))
        yield box
        top += box.height + GAP


def _lines(target: str, boxes: Sequence[_Box], lane: float) -> Iterator[Html]:
    """Out of the target's box, down its lane, and into each box that it held back."""
    (source,) = (box for box in boxes if box.row.target == target)
    ends = [(box, box.way_in(box.holders.index(target))) for box in boxes if target in box.holders]
    ways = [source.way_out, *(at for _, at in ends)]
    yield tag("path", d=f"M{NODE} {source.way_out:g}H{lane}", class_="way")
    yield tag("path", d=f"M{lane} {min(ways):g}V{max(ways):g}", class_="way")
    for box, at in ends:
        why = f"{box.row.responder} waited for {source.row.responder}: {_reasons(box.row, target)}"
        yield tag(
            "g",
            tag("title", why),
            tag("path", d=f"M{lane} {at:g}H{NODE + 4}", class_="way"),
            tag("path", d=f"M{NODE + 1} {at:g}l9 -4.5v9z", class_="head"),
            tag("circle", cx=lane, cy=f"{at:g}", r=3, class_="head"),
            tag("text", _label(box.row, source.row), x=NODE + INSET + 4, y=f"{at - 5:g}", class_="small"),
        )


def _label(row: Row, holder: Row) -> str:
    """The first fault that was named; the others are counted, and stand in the arrow's title."""
    first, *more = (cause.reason for cause in row.causes if cause.target == holder.target)
    counted = f" +{len(more)}" if more else ""
    return shortened(f"{first}{counted} · {holder.responder}", LONGEST)


def _reasons(row: Row, target: str) -> str:
    return ", ".join(cause.reason for cause in row.causes if cause.target == target)


def _node(box: _Box, until: float) -> Html:
    row, top = box.row, box.top
    took = length(row.seconds)
    ended = f"{row.ending or 'told nothing'}{f' after {took}' if took else ''}"
    words = shortened(" → ".join(_words(row)), LONGEST)
    return tag(
        "g",
        tag("rect", x=0, y=f"{top:g}", width=NODE, height=f"{box.height:g}", rx=8, class_="box"),
        tag("text", row.responder, x=INSET, y=f"{top + 24:g}", class_="name"),
        tag("text", ended, x=NODE - INSET, y=f"{top + 24:g}", class_="small end"),
        *_strip(row, top + 36, until),
        tag("text", words, x=INSET, y=f"{top + 64:g}", class_="small"),
    )


def _strip(row: Row, top: float, until: float) -> Iterator[Html]:
    """The states side by side, each as long as it lasted."""
    room = NODE - 2 * INSET
    scale = room / max(until, 1.0)
    yield tag("rect", x=INSET, y=f"{top:g}", width=room, height=STRIP, class_="nothing")
    for state, end in _lasting(row.states, until):
        yield tag(
            "rect",
            tag("title", _told(state, end)),
            x=f"{INSET + state.at * scale:.1f}",
            y=f"{top:g}",
            width=f"{max(end - state.at, 0) * scale:.1f}",
            height=STRIP,
            class_=f"state {state.word}",
        )


def _lasting(states: Sequence[State], until: float) -> Iterator[tuple[State, float]]:
    """Each with the moment at which it ended."""
    begins = [state.at for state in states[1:]]
    return zip(states, [*begins, max(until, *begins, 0.0)], strict=True) if states else iter(())


def _told(state: State, end: float) -> str:
    why = f" {state.reason}" if state.reason else ""
    return f"{state.word}{why}, {state.at:.0f} to {end:.0f} s"


def _words(row: Row) -> Iterator[str]:
    """The states in their order; alike ones that follow each other are one."""
    last = ""
    for state in row.states:
        if state.word != last:
            yield state.word
        last = state.word


def _in_words(boxes: Sequence[_Box]) -> str:
    """The drawing for those who do not see it."""
    said = [
        f"{box.row.responder} waited for {target.partition('/')[2]} ({_reasons(box.row, target)})"
        for box in boxes
        for target in box.holders
    ]
    return join("; ".join(said) or "Nothing waited for anything") + "."
