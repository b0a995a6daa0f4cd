"""Checks of numbers and choices that come from a config."""

from collections.abc import Sequence

from .errors import ConfigError


def check_least(where: str, name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{where}: {name} = {value}; expected a whole number of at least {least}")


def check_fraction(where: str, name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ConfigError(f"{where}: {name} = {value}; expected a number from 0 up to, but not including, 1")


def check_above_zero(where: str, name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{where}: {name} = {value}; expected a number above 0")


def check_choice(where: str, name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(f"{where}: {name} = {value!r}; expected one of {', '.join(choices)}")
