"""A graph in a smaller number format takes and gives what it did, and about the same numbers."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from exporters.precision import CONVERSIONS, to_bf16, to_fp16
from exporters.rounded import to_int8
from tests.tinyvit import write_tinyvit

SIZE = 64


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    path: Path = tmp_path_factory.mktemp("stock") / "encoder.onnx"
    write_tinyvit(path, SIZE)
    return onnx.load(str(path))


def run(model: onnx.ModelProto, **feeds: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output: NDArray[np.float32] = session.run(None, feeds)[0]
    return output


def product(operation: str, *inputs: str, weight: NDArray[np.float32], **attributes: int | float) -> onnx.ModelProto:
    """(3, 8) `rows` times `weight`, perhaps plus `bias`."""
    tensors = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.ones(4, np.float32), "bias")]
    ends = [
        helper.make_tensor_value_info("rows", TensorProto.FLOAT, [3, 8]),
        helper.make_tensor_value_info("out", TensorProto.FLOAT, [3, 4]),
    ]
    node = helper.make_node(operation, ["rows", *inputs], ["out"], name="product", **attributes)  # type: ignore[arg-type]
    graph = helper.make_graph([node], "product", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(("precision", "error"), [("fp16", 0.01), ("int8", 0.1)])
def test_embeddings_are_about_the_same_in_a_smaller_file(
    encoder: onnx.ModelProto, precision: str, error: float
) -> None:
    image = np.random.default_rng(1).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)
    before = encoder.SerializeToString()
    converted = CONVERSIONS[precision](encoder)
    expected, answered = run(encoder, input=image), run(converted, input=image)
    assert answered.dtype == np.float32
    assert 0 < np.linalg.norm(expected - answered) < error * np.linalg.norm(expected)
    assert converted.ByteSize() < encoder.ByteSize()
    assert encoder.SerializeToString() == before


def test_half_precision_leaves_norms_and_softmax_in_float32(encoder: onnx.ModelProto) -> None:
    converted = to_fp16(encoder)
    casts = {node.output[0]: node.attribute[0].i for node in converted.graph.node if node.op_type == "Cast"}
    summing = [node for node in converted.graph.node if node.op_type in ("ReduceMean", "Softmax")]
    assert summing
    assert all(casts.get(node.input[0], TensorProto.FLOAT) == TensorProto.FLOAT for node in summing)
    assert {tensor.data_type for tensor in converted.graph.initializer if len(tensor.dims) > 1} == {TensorProto.FLOAT16}


def test_bfloat16_has_no_half_left_and_a_cpu_says_that_it_cannot_run_it(encoder: onnx.ModelProto) -> None:
    converted = to_bf16(encoder)
    types = {tensor.data_type for tensor in converted.graph.initializer}
    assert TensorProto.BFLOAT16 in types
    assert TensorProto.FLOAT16 not in types
    onnx.checker.check_model(converted, full_check=True)
    with pytest.raises(Exception, match=r"NOT_IMPLEMENTED.*Could not find an implementation for"):
        run(converted)


@pytest.mark.parametrize(
    ("operation", "inputs", "attributes"),
    [("MatMul", ["weight"], {}), ("Gemm", ["weight", "bias"], {}), ("Gemm", ["weight", "bias"], {"transB": 1})],
)
def test_products_are_rounded_whichever_way_they_are_written(
    operation: str, inputs: list[str], attributes: dict[str, int]
) -> None:
    rng = np.random.default_rng(0)
    weight, rows = rng.normal(size=(8, 4)).astype(np.float32), rng.normal(size=(3, 8)).astype(np.float32)
    model = product(operation, *inputs, weight=weight.T.copy() if attributes else weight, **attributes)
    converted = to_int8(model)
    assert [node.op_type for node in converted.graph.node] == ["DynamicQuantizeMatMul"]
    assert run(converted, rows=rows) == pytest.approx(run(model, rows=rows), abs=0.1)


def test_a_product_that_is_more_than_one_stays_as_it_is() -> None:
    model = product("Gemm", "weight", "bias", weight=np.ones((8, 4), np.float32), alpha=0.5)
    assert [node.op_type for node in to_int8(model).graph.node] == ["Gemm"]
