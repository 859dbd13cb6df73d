# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxruntime==1.31.1",
# ]
# ///
"""Holds the type matrix's reference against ONNX Runtime: `uv run tests/conformance/overrule.py`.

Where the two differ, or only ONNX Runtime has an answer, its answer decides; it goes into `overruled.json` with the reason. `NOT_OVERRULED` has the
operators and variants where the specification's text is with the reference.
"""

import base64
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx

sys.path.append(str(Path(__file__).parents[1]))

import test_set
from make_node_suite import to_proto
from make_type_matrix import HOME, Case, arrays, cases, in_type
from type_matrix.values import dtype

# The newest opset that ONNX Runtime has.
NEWEST_OF_ONNX_RUNTIME = 26

# Cases, as regular expressions, in which ONNX Runtime does not decide, and why.
NOT_OVERRULED = {
    r"Loop_opset\d+_V.string_.*": "each step hands its strings on; ONNX Runtime moves them out of the rows that it has collected",
    r"Reduce(L1|Prod|Sum|SumSquare)_opset\d+_int(32|64)_edges": "integers wrap around; ONNX Runtime takes a way through floating-point numbers",
    r"Reduce(Max|Min)_opset\d+_float(16|32|64)_edges": "NaN wins, as in Max and Min; in ONNX Runtime it depends on where it stands",
    r"ReduceLogSumExp_opset\d+_float(16|32|64)_edges": "the logarithm of a sum of exponentials is never below the largest number; ONNX Runtime overflows",
    r"ReduceLogSum(Exp)?_opset7_int(32|64)_(plain|edges)": "of a sum that overflows there is no logarithm; ONNX Runtime makes whole numbers of each exponential",
    r"Shrink_opset9_(float64|int32|uint32)_edges": "no number changes when bias is 0; ONNX Runtime computes in float32",
    r"Sign_opset\d+_float16_edges": "the sign of NaN is NaN, as ONNX Runtime has it too in float32 and float64",
}


def main() -> None:
    decided, kept, n_agreed, n_refused = {}, {}, 0, 0
    for case in cases():
        try:
            reference, why = case.expected(), None
        except Exception as error:
            reference, why = None, "the reference implementation fails: " + " ".join(str(error).split())[:120]
        try:
            answer = onnx_runtime(case)
        except Exception:
            n_refused += 1
            continue
        difference = why or differs(answer, reference)
        exception = next((reason for pattern, reason in NOT_OVERRULED.items() if re.fullmatch(pattern, case.name)), None)
        if difference is None:
            n_agreed += 1
        elif exception:
            kept[case.name] = exception
        else:
            outputs = [to_proto(value, output).SerializeToString() for value, output in zip(answer, case.model.graph.output, strict=True)]
            decided[case.name] = {"reason": difference, "outputs": [base64.b64encode(output).decode() for output in outputs]}
    (HOME / "overruled.json").write_text(json.dumps({"onnxruntime": test_set.onnxruntime.__version__, "cases": decided}, indent=1) + "\n")
    print(f"{n_agreed} cases agree, ONNX Runtime decides {len(decided)}, the reference {len(kept)}; ONNX Runtime has no answer to {n_refused}")


def onnx_runtime(case: Case) -> list:
    if any(array.dtype == dtype("bfloat16") for value in case.inputs.values() for array in arrays(value)):
        raise ValueError("numpy has no bfloat16 to hand over")
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    # A newer definition takes more types; that of a known opset means the same.
    model.opset_import[0].version = min(model.opset_import[0].version, NEWEST_OF_ONNX_RUNTIME)
    values = test_set.session(model.SerializeToString()).run(None, case.inputs)
    return [in_type(value, output.type) for value, output in zip(values, case.model.graph.output, strict=True)]


def differs(answer, reference) -> str | None:
    """Where two lists of values differ, by the rule of `drydock verify`."""
    for one, other in zip(answer, reference, strict=True):
        if isinstance(one, list):
            if len(one) != len(other):
                return f"a sequence of {len(one)}, by the reference one of {len(other)}"
            difference = differs(one, other)
        elif one.shape != other.shape:
            difference = f"shape {list(one.shape)}, by the reference {list(other.shape)}"
        elif one.dtype.kind in "OUSbiu":
            difference = first(one, other, one != other)
        else:
            wide, close = np.float64, {"rtol": 1e-3, "atol": 1e-5, "equal_nan": True}
            difference = first(one, other, ~np.isclose(one.astype(wide), other.astype(wide), **close))
        if difference:
            return difference
    return None


def first(one: np.ndarray, other: np.ndarray, different: np.ndarray) -> str | None:
    places = np.argwhere(different)
    if not len(places):
        return None
    place = tuple(int(index) for index in places[0])
    return f"{one[place]} at {list(place)}, by the reference {other[place]}"


if __name__ == "__main__":
    main()
