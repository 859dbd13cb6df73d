"""The golden cases, a module per family of operators (as in `core/src/ops`)."""

from . import activation, arithmetic, control_flow, convolution, layout, logic, matrix, models, normalization, reduction, selection, tables, trees

FAMILIES = [activation, arithmetic, control_flow, convolution, layout, logic, matrix, models, normalization, reduction, selection, tables, trees]
