"""What people said, protocol by protocol, in words, numbers and dots with whiskers."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from photochrom.report import figures
from photochrom.report.people import Compared, Interval, Judged, People, Protocol, counted

TITLES: Mapping[str, str] = {
    "real_or_fake": "Taken for real",
    "naturalness": "Called natural",
    "pick_real": "Picked as the real one",
    "preference": "Preferred",
}
QUESTIONS: Mapping[str, str] = {
    "real_or_fake": "A photograph and its colorization, one after the other: which has the fake "
    "colors? Counted is how often it was the photograph that was called fake.",
    "naturalness": "One picture alone: are its colors natural, and how natural from 1 to 5? What "
    "the photographs themselves reach is the mark.",
    "pick_real": "The photograph among its colorizations: which one is real? Counted is how often "
    "a colorization was picked.",
    "preference": "Two colorizations side by side: which looks better? Strengths after Bradley and "
    "Terry (1952), on a logarithmic scale with mean 0: a strength of 1 above another wins 73 % of "
    "the time.",
}
RATES: Mapping[str, str] = {
    "real_or_fake": "taken for real %",
    "naturalness": "called natural %",
    "pick_real": "picked %",
    "preference": "preferred %",
}
EXCLUSIONS: Mapping[str, str] = {
    "gold": "missed too many trials whose answer is obvious",
    "fastest": "answered too fast to have looked",
    "finished": "stopped too early",
}


@dataclass(frozen=True)
class Panel:
    """A protocol: its question, figure, table, and what can be told apart."""

    title: str
    question: str
    basis: str
    figure: Markup
    headings: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    agreement: str
    apart: tuple[str, ...]


def basis(people: People) -> str:
    """Say who voted, and who was left out."""
    left_out = [f"{count} who {EXCLUSIONS[why]}" for why, count in people.excluded.items() if count]
    people_and_votes = (
        f"{counted(people.people, 'person', 'people')} gave {counted(people.votes, 'vote')}"
    )
    return (
        f"{people_and_votes} on {counted(people.photographs, 'test photograph')}. Left out by the "
        f"rule of params.yaml: {', '.join(left_out) or 'nobody'}."
    )


def panels(people: People) -> tuple[Panel, ...]:
    """Return the protocols that have votes."""
    return tuple(_panel(protocol) for protocol in people.protocols)


def _panel(protocol: Protocol) -> Panel:
    return Panel(
        title=TITLES[protocol.name],
        question=QUESTIONS[protocol.name],
        basis=_basis(protocol),
        figure=Markup(figures.as_svg(_figure(protocol))),
        headings=_headings(protocol),
        lines=tuple((one.name, _numbers(protocol, one)) for one in protocol.models),
        agreement=_agreement(protocol),
        apart=_apart(protocol),
    )


def _basis(protocol: Protocol) -> str:
    text = (
        f"{counted(protocol.votes, 'vote')} of {counted(protocol.people, 'person', 'people')} on "
        f"{counted(protocol.photographs, 'photograph')}."
    )
    apart = [one.name for one in protocol.models if one.strength is None]
    if protocol.name == "preference" and apart:
        text += f" No votes connect {', '.join(apart)} to the others, so that there is no strength."
    return text


def _figure(protocol: Protocol) -> Figure:
    leading = {one.name for one in protocol.best}
    preference = protocol.name == "preference"
    rows = [
        figures.Whisker(one.name, value, ends, one.name in leading)
        for one in protocol.models
        if (value := one.strength if preference else one.rate) is not None
        for ends in [one.strength_interval if preference else one.interval]
    ]
    axis = "log-strength" if preference else RATES[protocol.name]
    return figures.whiskers(rows, axis, _reference(protocol))


def _reference(protocol: Protocol) -> tuple[str, float] | None:
    if protocol.name == "preference":
        return "mean", 0.0
    if protocol.chance is None:
        return None
    perfect = "a perfect illusion" if protocol.name == "real_or_fake" else "blind guessing"
    return perfect, protocol.chance


def _headings(protocol: Protocol) -> tuple[str, ...]:
    extra = {
        "naturalness": ("natural from 1 to 5", "95 %"),
        "preference": ("log-strength", "95 %"),
    }
    rate = RATES[protocol.name]
    return ("votes", rate, "95 %", "95 % (Wilson)", *extra.get(protocol.name, ()))


def _numbers(protocol: Protocol, one: Judged) -> tuple[str, ...]:
    rate = (f"{one.votes:,}", f"{one.rate:.1f}", _ends(one.interval, 1), _ends(one.wilson, 1))
    if protocol.name == "naturalness":
        return (*rate, _number(one.score), _ends(one.score_interval, 2))
    if protocol.name == "preference":
        return (*rate, _number(one.strength), _ends(one.strength_interval, 2))
    return rate


def _agreement(protocol: Protocol) -> str:
    if protocol.alpha is None:
        return "How far people agree cannot be told: too few judged the same pictures."
    ends = protocol.alpha_interval
    within = f" ({_ends(ends, 2)})" if ends else ""
    return (
        f"Agreement: Krippendorff's alpha {_number(protocol.alpha)}{within}; 1 is full agreement, "
        "0 what chance would give."
    )


def _apart(protocol: Protocol) -> tuple[str, ...]:
    """Return the pairs that differ for sure, the larger first, the widest apart on top."""
    certain = [one for one in protocol.comparisons if one.certain]
    certain.sort(key=lambda one: -abs(one.difference))
    return tuple(_difference(protocol, one) for one in certain)


def _difference(protocol: Protocol, one: Compared) -> str:
    digits = 2 if protocol.name == "preference" else 1
    unit = "" if protocol.name == "preference" else " points"
    above, below, ends = one.a, one.b, one.interval
    if one.difference < 0:
        above, below = below, above
        ends = None if ends is None else (-ends[1], -ends[0])
    within = f"{_ends(ends, digits)}; " if ends else ""
    by = f"{abs(one.difference):.{digits}f}{unit}"
    return f"{above} above {below} by {by} ({within}p {_p(one.p)})"


def _p(p: float | None) -> str:
    return "unknown" if p is None else "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _ends(ends: Interval, digits: int) -> str:
    if ends is None:
        return "–"
    low, high = (f"{end:.{digits}f}".replace("-", "−") for end in ends)
    return f"{low} to {high}"
