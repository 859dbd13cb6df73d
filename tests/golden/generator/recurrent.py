"""Recurrent layers."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
STEPS, BATCH, FEATURES, UNITS = 4, 3, 2, 5


def layer(
    op_type: str, variant: str, *, direction: str = "forward", lengths: list[int] | None = None, starts: bool = False, peepholes: bool = False,
    bias: bool = True, outputs: list[str] | None = None, opset: int = 22, constants: tuple[int, ...] = (1, 2, 3), spread: float = 1.0, **attributes
) -> Case:
    n = Numbers(f"{op_type} {variant} {direction}")
    n_directions, n_gates = DIRECTIONS[direction], GATES[op_type]
    floats = lambda *shape: n.floats(*shape, low=-spread, high=spread)
    inputs = [
        floats(STEPS, BATCH, FEATURES),
        floats(n_directions, n_gates * UNITS, FEATURES),
        floats(n_directions, n_gates * UNITS, UNITS),
        floats(n_directions, 2 * n_gates * UNITS) if bias else None,
        None if lengths is None else np.array(lengths, np.int32),
        floats(n_directions, BATCH, UNITS) if starts else None,
    ]
    is_lstm = op_type == "LSTM"
    if is_lstm:
        inputs += [floats(n_directions, BATCH, UNITS) if starts else None, floats(n_directions, 3 * UNITS) if peepholes else None]
    while inputs[-1] is None:
        inputs.pop()
    outputs = outputs or ["y", "h", "c"][: 3 if is_lstm else 2]
    constants = tuple(index for index in constants if index < len(inputs) and inputs[index] is not None)
    return case(
        op_type, f"{variant}_{direction}", inputs, opset=opset, outputs=outputs, constants=constants, direction=direction, hidden_size=UNITS, **attributes
    )


# Functions for the gates and the states of each operator, in every combination that has parameters of its own.
ACTIVATIONS = {
    "LSTM": [["HardSigmoid", "Relu", "Softsign"], ["Sigmoid", "ScaledTanh", "Elu"], ["Affine", "LeakyRelu", "Tanh"], ["Softplus", "ThresholdedRelu", "tanh"]],
    "GRU": [["HardSigmoid", "Softsign"], ["Sigmoid", "ScaledTanh"], ["Affine", "LeakyRelu"], ["sigmoid", "Elu"]],
    "RNN": [["Relu"], ["ScaledTanh"], ["Affine"], ["Softplus"], ["ThresholdedRelu"], ["Elu"]],
}


def cases() -> Iterator[Case]:
    for op_type in GATES:
        for direction in DIRECTIONS:
            yield layer(op_type, "plain", direction=direction)
            yield layer(op_type, "lengths", direction=direction, lengths=[2, 4, 1])
            yield layer(op_type, "everything", direction=direction, lengths=[4, 1, 3], starts=True, peepholes=op_type == "LSTM", constants=())
        for opset in history(op_type):
            yield layer(op_type, "history", opset=opset)
        yield layer(op_type, "no_bias", bias=False)
        yield layer(op_type, "clip", clip=0.4, spread=2.0, starts=True)
        yield layer(op_type, "last_only", outputs=["", "h"])
        for index, activations in enumerate(ACTIVATIONS[op_type]):
            for direction in ("reverse", "bidirectional"):
                repeated = activations * DIRECTIONS[direction]
                # More than are needed: each function takes what it has use for.
                alphas, betas = [0.3 + 0.1 * i for i in range(len(repeated))], [0.45 + 0.05 * i for i in range(len(repeated))]
                yield layer(op_type, f"activations{index}", direction=direction, activations=repeated, activation_alpha=alphas, activation_beta=betas)
    for direction in DIRECTIONS:
        yield layer("LSTM", "peepholes", direction=direction, peepholes=True)
        yield layer("LSTM", "input_forget", direction=direction, input_forget=1, peepholes=True)
        yield layer("GRU", "linear_before_reset", direction=direction, linear_before_reset=1, lengths=[3, 4, 2], starts=True)
    yield layer("LSTM", "cell_only", outputs=["", "", "c"])
    yield layer("GRU", "linear_before_reset_no_bias", linear_before_reset=1, bias=False)
