//! Refusals and edge cases; what ONNX Runtime answers is among the golden cases.

use crate::host::{Element, ElementType};
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::{Tensor, Value};

fn contrib(op_type: &'static str) -> Case {
    op(op_type).contrib()
}

fn scalar<T: Element>(value: T) -> Tensor {
    Tensor::scalar(value)
}

/// A uint8 tensor with scale and zero point.
fn quantized(shape: &[usize], values: &[u8]) -> [Tensor; 3] {
    [tensor(shape, values), scalar(0.5_f32), scalar(2_u8)]
}

#[test]
fn quantised_operands_are_held_against_each_other() {
    let [a, scale, zero] = quantized(&[2], &[4, 6]);
    let add = |a: Tensor, scale: Tensor, zero: Tensor| {
        let [b, b_scale, b_zero] = quantized(&[2], &[2, 3]);
        [a, scale, zero, b, b_scale, b_zero, scalar(0.5_f32), scalar(0_u8)]
    };
    assert_tensor(&contrib("QLinearAdd").run1(add(a.clone(), scale.clone(), zero.clone())), &[2], &[2_u8, 5]);
    assert_eq!(
        contrib("QLinearAdd").error(add(tensor(&[2], &[1_i32, 2]), scale.clone(), zero.clone())),
        "input 0 (A) should be a tensor of int8 or uint8, but is int32[2]"
    );
    assert_eq!(
        contrib("QLinearAdd").error(add(a.clone(), tensor(&[2], &[1.0_f32; 2]), zero)),
        "input 1 (A_scale) should be one number, but is float32[2]"
    );
    assert_eq!(contrib("QLinearAdd").error(add(a, scale, scalar(1_i8))), "input 2 (A_zero_point) should be a tensor of uint8, but is int8[]");
    let inputs = [typed::<u8>("N, 4"), typed::<f32>(""), typed::<u8>(""), typed::<u8>("3, 1, 4")];
    assert_eq!(contrib("QLinearMul").infer(inputs), [Some("uint8[3, N, 4]".to_owned())]);
}

#[test]
fn operators_on_quantised_tensors_keep_what_their_standard_twins_refuse() {
    let pool = |case: Case| {
        let [x, scale, zero] = quantized(&[1, 1, 2, 2], &[2, 4, 6, 8]);
        case.try_run([x, scale, zero, scalar(0.5_f32), scalar(0_u8)]).map_err(|error| error.to_string())
    };
    let average = contrib("QLinearAveragePool").ints("kernel_shape", &[2, 2]);
    assert_tensor(&pool(average).unwrap()[0], &[1, 1, 1, 1], &[3_u8]);
    assert!(pool(contrib("QLinearAveragePool").ints("kernel_shape", &[3, 3])).unwrap_err().contains("the kernel covers 3 elements"));
    assert!(pool(contrib("QLinearAveragePool")).unwrap_err().contains("'kernel_shape' is missing"));
    assert!(pool(contrib("QLinearSoftmax")).unwrap_err().contains("'opset' is missing"));
    let channels_last = contrib("QLinearAveragePool").ints("kernel_shape", &[2, 2]).int("channels_last", 1);
    assert_eq!(channels_last.infer([typed::<u8>("N, 8, 8, 3")]), [Some("uint8[N, 7, 7, 3]".to_owned())]);
    let [x, scale, zero] = quantized(&[2], &[4, 6]);
    let error = contrib("QLinearConcat").int("axis", 0).error([scale, zero, x]);
    assert!(error.starts_with("QLinearConcat has 3 inputs"), "{error}");
    let empty = Tensor::empty(ElementType::U8, &[0, 3]);
    assert_tensor::<u8>(&contrib("QLinearSigmoid").run1([empty, scalar(0.5_f32), scalar(2_u8), scalar(0.5_f32), scalar(2_u8)]), &[0, 3], &[]);
}

#[test]
fn fused_activations_are_known_or_refused() {
    let gemm = contrib("FusedGemm").text("activation", "Frobnicate");
    assert_eq!(gemm.error([ramp(&[2, 2]), ramp(&[2, 2])]), "the fused activation 'Frobnicate' is not supported");
    let none = contrib("FusedGemm").run1([tensor(&[1, 2], &[1.0_f32, 2.0]), tensor(&[2, 1], &[3.0_f32, 4.0])]);
    assert_close(&none, &[1, 1], &[11.0]);
    let conv = contrib("FusedConv").text("activation", "Relu");
    let operands = |addend: &[usize]| [ramp(&[1, 1, 3, 3]), ramp(&[1, 1, 2, 2]), ramp(&[1]), ramp(addend)];
    assert_eq!(conv.error(operands(&[1, 1, 1, 1])), "the addend has shape [1, 1, 1, 1], but the convolution makes [1, 1, 2, 2]");
    assert_eq!(contrib("FusedMatMul").int("transA", 1).infer([typed::<f32>("K, M"), typed::<f32>("K, N")]), [Some("float32[M, N]".to_owned())]);
}

#[test]
fn normalizations_check_their_rows() {
    let x = || ramp(&[2, 3, 4]);
    let skip = contrib("SkipLayerNormalization");
    assert_eq!(skip.error([x(), x(), ramp(&[3])]), "gamma has shape [3], but the rows have 4 elements");
    assert!(skip.error([x(), ramp(&[2, 2, 4]), ramp(&[4])]).contains("does not broadcast"));
    let root = op("SimplifiedLayerNormalization").run1([tensor(&[1, 2], &[3.0_f32, 4.0]), tensor(&[2], &[1.0_f32, 2.0])]);
    assert_close(&root, &[1, 2], &[0.848_528_1, 2.262_741_7]);
    let empty = contrib("SkipLayerNormalization").run1([ramp(&[0, 4]), ramp(&[0, 4]), ramp(&[4])]);
    assert_tensor::<f32>(&empty, &[0, 4], &[]);
}

#[test]
fn embeddings_refuse_ids_without_a_row() {
    let case = contrib("EmbedLayerNormalization");
    let inputs = |id: i32| {
        let ids = tensor(&[1, 2], &[0, id]);
        let optional = [Some(ids), None, Some(ramp(&[3, 4])), Some(ramp(&[2, 4])), None, Some(ramp(&[4])), Some(ramp(&[4]))];
        optional.map(|tensor| tensor.map(Value::Tensor)).to_vec()
    };
    assert!(case.run_values(inputs(2)).is_ok());
    for id in [3, -1] {
        let error = case.run_values(inputs(id)).unwrap_err().to_string();
        assert_eq!(error, format!("word_embedding has 3 rows, so there is none for the id {id}"));
    }
}

#[test]
fn attention_refuses_what_heads_cannot_share() {
    let case = contrib("Attention").int("num_heads", 3);
    let error = case.error([ramp(&[1, 2, 4]), ramp(&[4, 12])]);
    assert_eq!(error, "the queries is 4 wide, which 3 heads cannot share");
    let case = contrib("Attention").int("num_heads", 2);
    assert!(case.error([ramp(&[1, 2, 4]), ramp(&[4, 13])]).starts_with("the weights are 13 wide"));
    assert!(case.error([ramp(&[1, 2, 4]), ramp(&[5, 12])]).contains("do not multiply"));
    let mask = tensor(&[1, 2, 3, 4], &[1_i32; 24]);
    assert!(case.error([ramp(&[1, 2, 4]), ramp(&[4, 12]), ramp(&[12]), mask]).contains("a mask of shape [1, 2, 3, 4]"));
    let bias = case.error([ramp(&[1, 2, 4]), ramp(&[4, 12]), tensor(&[12], &[1_u8; 12])]);
    assert_eq!(bias, "floating-point numbers are wanted, but a tensor of uint8[12] is given");
    assert_eq!(contrib("Attention").error([ramp(&[1, 2, 4]), ramp(&[4, 12])]), "attribute 'num_heads' is missing; the operator needs it");
    assert_eq!(case.clone().int("do_rotary", 1).error([ramp(&[1, 2, 4]), ramp(&[4, 12])]), "Attention with attribute 'do_rotary' is not supported");
    assert_eq!(case.infer([typed::<f32>("N, S, 4"), typed::<f32>("4, 12")]), [Some("float32[N, S, 4]".to_owned())]);
}

#[test]
fn packed_projections_are_those_apart() {
    let case = contrib("MultiHeadAttention").int("num_heads", 2);
    // [batch, places, heads, parts, head size]
    let packed = ramp(&[1, 3, 2, 3, 2]);
    let values = packed.as_slice::<f32>().unwrap().into_owned();
    let part = |index: usize| {
        let of_head = |head: usize| values[head * 6 + index * 2..][..2].to_vec();
        tensor(&[1, 3, 4], &(0..6).flat_map(of_head).collect::<Vec<f32>>())
    };
    let apart = case.run1([part(0), part(1), part(2)]);
    assert_close(&case.run1([packed]), &[1, 3, 4], &apart.as_slice::<f32>().unwrap());
    assert!(case.error([ramp(&[1, 3, 4]), ramp(&[1, 3, 4])]).contains("neither three tensors nor packed"));
    assert!(case.error([ramp(&[1, 3, 4]), ramp(&[2, 3, 4]), ramp(&[2, 3, 4])]).contains("do not go together"));
}

#[test]
fn weights_of_few_bits_check_their_sizes() {
    let case = |bits: i64, block: i64| contrib("MatMulNBits").int("K", 16).int("N", 2).int("bits", bits).int("block_size", block);
    let inputs = |columns: usize| [ramp(&[1, columns]), tensor(&[2, 1, 8], &[0x98_u8; 16]), ramp(&[2])];
    assert_eq!(case(4, 16).error(inputs(15)), "A has 15 columns, but attribute 'K' is 16");
    assert_eq!(case(3, 16).error(inputs(16)), "MatMulNBits with attribute 'bits' of 3 (only 2, 4 and 8) is not supported");
    assert!(case(4, 24).error(inputs(16)).contains("must be a power of two"));
    assert!(case(8, 16).error(inputs(16)).contains("B has shape [2, 1, 8]"));
    // 0x98 is 8 and 9, less the zero point of 8: every other weight is one scale. With one row of ones, eight of them count.
    let ones = tensor(&[1, 16], &[1.0_f32; 16]);
    let result = case(4, 16).run1([ones, tensor(&[2, 1, 8], &[0x98_u8; 16]), tensor(&[2], &[0.5_f32, -1.0])]);
    assert_close(&result, &[1, 2], &[4.0, -8.0]);
    // Many rows take the other way.
    let many = case(4, 16).run1([tensor(&[6, 16], &[1.0_f32; 96]), tensor(&[2, 1, 8], &[0x98_u8; 16]), tensor(&[2], &[0.5_f32, -1.0])]);
    assert_close(&many, &[6, 2], &[4.0_f32, -8.0].repeat(6));
    let index = tensor(&[16], &[1_i32; 16]);
    let optional = [Some(ramp(&[1, 16])), Some(tensor(&[2, 1, 8], &[0_u8; 16])), Some(ramp(&[2])), None, Some(index)];
    let error = case(4, 16).run_values(optional.map(|tensor| tensor.map(Value::Tensor)).to_vec()).unwrap_err();
    assert_eq!(error.to_string(), "g_idx names a block outside 0…0");
}
