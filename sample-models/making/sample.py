"""A sample model with all that stands beside it, and how it becomes a folder."""

import importlib.metadata
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import test_set
from onnx import TensorProto, helper

# Rows of the reference table that go into the test set.
TEST_SET_ROWS = 200

OWN_LICENSE = "This model, its tables and this page are part of Drydock, under MIT OR Apache-2.0 at your choice."


@dataclass
class Column:
    """One `[[column]]` of a contract; empty fields are left out."""

    name: str
    input: str
    position: int = 0
    kind: str = "number"
    description: str | None = None
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    default: str | None = None
    categories: list[str] = field(default_factory=list)
    may_be_missing: bool = False


@dataclass
class Sample:
    model: onnx.ModelProto
    contract: dict
    columns: list[Column]
    reference: pd.DataFrame
    new: pd.DataFrame
    drifted: pd.DataFrame
    # What README.md says: the story, then where the data comes from, then what drifted.
    title: str
    story: str
    origin: str
    drift: str
    uses_scikit_learn_data: bool
    # More files, by name.
    pictures: dict = field(default_factory=dict)
    image: dict | None = None
    test_set_rows: int = TEST_SET_ROWS

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        onnx.checker.check_model(self.model, full_check=True)
        (folder / "model.onnx").write_bytes(self.model.SerializeToString(deterministic=True))
        (folder / "model.drydock.toml").write_text(self.contract_toml())
        for name, table in self.tables().items():
            table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        (folder / "LICENSE").write_text(self.license())
        for name, picture in self.pictures.items():
            picture.save(folder / name, optimize=True)
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        self.write_test_set(session, folder / "test_data_set_0")
        (folder / "README.md").write_text(self.readme(session))
        print(f"{folder.name}: {test_set.n_bytes(folder) / 1e3:.0f} kB")

    def tables(self) -> dict[str, pd.DataFrame]:
        return {"reference": self.reference, "new": self.new, "drifted": self.drifted}

    def feed(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """The model's inputs for the rows of a table, as the contract binds them."""
        element_types = {
            TensorProto.FLOAT: np.float32,
            TensorProto.INT64: np.int64,
            TensorProto.BOOL: np.bool_,
            TensorProto.STRING: object,
        }
        feed = {}
        for value in self.model.graph.input:
            names = [column.name for column in sorted(self.columns, key=lambda c: c.position) if column.input == value.name]
            tensor_type = value.type.tensor_type
            cells = table[names]
            if tensor_type.elem_type == TensorProto.STRING:
                cells = cells.fillna("")
            dims = [dim.dim_value for dim in tensor_type.shape.dim[1:]]
            feed[value.name] = cells.to_numpy().astype(element_types[tensor_type.elem_type]).reshape(len(table), *dims)
        return feed

    def write_test_set(self, session: onnxruntime.InferenceSession, folder: Path) -> None:
        # Through CSV and back, so that the numbers are those that a reader of the file gets.
        feed = self.feed(pd.read_csv(folder.parent / "reference.csv").head(self.test_set_rows))
        answers = dict(zip([output.name for output in session.get_outputs()], session.run(None, feed), strict=True))
        test_set.write(folder, feed, answers)

    def contract_toml(self) -> str:
        lines = [f"{key} = {toml_value(value)}" for key, value in self.contract.items()]
        if self.image:
            lines += ["", "[image]", *(f"{key} = {toml_value(value)}" for key, value in self.image.items())]
        for column in self.columns:
            lines += ["", "[[column]]"]
            lines += [f"{key} = {toml_value(value)}" for key, value in vars(column).items() if not (value is None or value is False or value == [])]
        return "\n".join(lines) + "\n"

    def license(self) -> str:
        if not self.uses_scikit_learn_data:
            return f"{OWN_LICENSE}\nThe tables are made up by a script; they hold no data about anybody.\n"
        files = importlib.metadata.files("scikit-learn")
        copying = next(file for file in files if file.name == "COPYING")
        # Below the rule stand licences of libraries that only the installed package bundles.
        own_part = copying.read_text().split("\n----\n")[0]
        return f"{OWN_LICENSE}\nThe tables hold data distributed with scikit-learn, under the licence below.\n\n{own_part}"

    def readme(self, session: onnxruntime.InferenceSession) -> str:
        figures = "\n".join(f"| `{name}.csv` | {len(table):,} | {self.figure(session, table)} |" for name, table in self.tables().items())
        measure = "R²" if self.contract["task"] == "regression" else "accuracy"
        return (
            f"# {self.title}\n\n{self.story}\n\n"
            f"| table | rows | {measure} of the model on it, in ONNX Runtime |\n|---|---|---|\n{figures}\n\n"
            f"## Where the data comes from\n{self.origin}\n\n"
            f"## What drifted\n{self.drift}\n\n"
            "Everything in this folder is written by [`make.py`](../make.py).\n"
        )

    def figure(self, session: onnxruntime.InferenceSession, table: pd.DataFrame) -> str:
        target = self.contract["target"]
        if target not in table:
            return "no label"
        truth = table[target].to_numpy()
        answer = session.run([self.contract["prediction_output"]], self.feed(table))[0].reshape(-1)
        if self.contract["task"] == "regression":
            return f"{1 - np.sum((truth - answer) ** 2) / np.sum((truth - truth.mean()) ** 2):.3f}"
        return f"{np.mean(truth.astype(str) == answer.astype(str)):.3f}"


def toml_value(value) -> str:
    # JSON's strings, numbers, booleans and lists are TOML's too.
    return json.dumps(value, ensure_ascii=False)


def finish(model: onnx.ModelProto, name: str, description: str) -> onnx.ModelProto:
    """Names a converted model, and its batch dimension."""
    model.graph.name = name
    model.doc_string = description
    model.producer_name = "drydock sample-models"
    model.producer_version = ""
    # The converter keeps its domains in a set, whose order changes from run to run.
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.HasField("tensor_type") and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "N"
    return model


def rename_classes(model: onnx.ModelProto, labels: list[str]) -> None:
    """Turns a classifier's classes 0, 1, … into words, in that order, all the way to the outputs."""
    for node in model.graph.node:
        for attribute in list(node.attribute):
            if attribute.name == "classlabels_int64s" and list(attribute.ints) == list(range(len(labels))):
                node.attribute.remove(attribute)
                node.attribute.append(helper.make_attribute("classlabels_strings", labels))
            elif attribute.name == "classlabels_ints":
                node.attribute.remove(attribute)
                node.attribute.append(helper.make_attribute("classlabels_strings", labels))
    # The converter casts whole-number labels to int64 on their way out; words need no cast.
    for node in list(model.graph.node):
        if node.op_type == "Cast" and node.output[0] == model.graph.output[0].name:
            source = next(other for other in model.graph.node if node.input[0] in other.output)
            source.output[:] = [node.output[0] if name == node.input[0] else name for name in source.output]
            model.graph.node.remove(node)
    for output in model.graph.output:
        if output.type.HasField("sequence_type"):
            output.type.sequence_type.elem_type.map_type.key_type = TensorProto.STRING
        elif output.type.tensor_type.elem_type == TensorProto.INT64:
            output.type.tensor_type.elem_type = TensorProto.STRING


def number_columns(table: pd.DataFrame, names: list[str], input_name: str, units: dict[str, str]) -> list[Column]:
    """Columns of one [N, F] input: ranges and defaults (the median) as the reference table has them."""
    columns = []
    for position, name in enumerate(names):
        values = table[name].to_numpy()
        columns.append(
            Column(
                name,
                input_name,
                position,
                unit=units.get(name),
                min=float(values.min()),
                max=float(values.max()),
                default=format(float(np.median(values)), ".4g"),
            )
        )
    return columns
