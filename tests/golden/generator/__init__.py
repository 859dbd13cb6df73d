"""The golden cases, a module per family of operators (as in `core/src/ops`): every module here that has `cases`."""

import importlib
import pkgutil

MODULES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
FAMILIES = [module for module in MODULES if hasattr(module, "cases")]
