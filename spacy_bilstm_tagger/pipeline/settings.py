"""Settings of components that may change after training: attributes that are checked, and saved with the config."""

from difflib import get_close_matches
from typing import Any, Optional

from ..errors import ConfigError


class Setting:
    """A setting of prediction: kept in cfg, so it is saved, and checked whenever it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, pipe: Optional["SettingsMixin"], owner: Optional[type] = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: "SettingsMixin", value: Any) -> None:
        pipe.check_settings(pipe.name, **{**pipe.settings, self.name: value})
        pipe.cfg[self.name] = value


class SettingsMixin:
    """Mixin of components that have settings. cfg (dict): their values, and what goes with the weights."""

    name: str
    cfg: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        """RAISES: ConfigError for what belongs to the weights, for arguments of the factory that are no attributes, and for the
        misspelled name of a setting, which would do nothing."""
        known = getattr(self, "cfg", None) or {}
        if name in known and not isinstance(getattr(type(self), name, None), Setting):
            raise ConfigError(
                f"{self.name}: {name} goes with the weights; it cannot change, train again with another one"
            )
        if not hasattr(self, name) and (meant := get_close_matches(name, known, n=1, cutoff=0.8)):
            raise ConfigError(f"{self.name}: has no setting {name!r}; did you mean {meant[0]!r}?")
        super().__setattr__(name, value)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of prediction, by name."""
        names = (
            name for each in type(self).__mro__ for name, value in vars(each).items() if isinstance(value, Setting)
        )
        return {name: self.cfg[name] for name in names}

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for a setting out of range. name (str): of the component."""
