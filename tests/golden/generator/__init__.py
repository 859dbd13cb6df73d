"""The golden cases, a module per family of operators (as in `core/src/ops`): every module here that has `cases` is one."""

from importlib import import_module
from pkgutil import iter_modules

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
FAMILIES = [module for module in _MODULES if hasattr(module, "cases")]
