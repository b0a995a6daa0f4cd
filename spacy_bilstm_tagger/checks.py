"""Checks of numbers and choices that come from a config."""

from collections.abc import Sequence

from .errors import ConfigError, Errors


def check_least(where: str, name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(Errors.POSITIVE.format(where=where, name=name, value=value, least=least))


def check_fraction(where: str, name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ConfigError(Errors.FRACTION.format(where=where, name=name, value=value))


def check_above_zero(where: str, name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(Errors.ABOVE_ZERO.format(where=where, name=name, value=value))


def check_choice(where: str, name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(Errors.CHOICE.format(where=where, name=name, value=value, choices=", ".join(choices)))
