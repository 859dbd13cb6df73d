//! Expected results are numpy's, where no sum is written out.

use half::f16;

use crate::graph::ValueType;
use crate::host::ElementType;
use crate::ops::testing::{Case, assert_close, assert_tensor, op, ramp, tensor, typed};
use crate::tensor::Tensor;

fn einsum(equation: &str) -> Case {
    op("Einsum").text("equation", equation)
}

fn matrix() -> Tensor {
    tensor(&[2, 3], &[1_i32, 2, 3, 4, 5, 6])
}

#[test]
fn one_operand_is_permuted_summed_and_cut() {
    assert_tensor(&einsum("ij->ji").run1([matrix()]), &[3, 2], &[1, 4, 2, 5, 3, 6]);
    assert_tensor(&einsum("ji").run1([matrix()]), &[3, 2], &[1, 4, 2, 5, 3, 6]);
    assert_tensor(&einsum("ij->").run1([matrix()]), &[], &[21]);
    assert_tensor(&einsum("ij->j").run1([matrix()]), &[3], &[5, 7, 9]);
    assert_tensor(&einsum("i...->...").run1([matrix()]), &[3], &[5, 7, 9]);
    let square = || tensor(&[2, 2], &[1.0_f32, 2.0, 3.0, 4.0]);
    assert_tensor(&einsum("ii->i").run1([square()]), &[2], &[1.0_f32, 4.0]);
    assert_tensor(&einsum("ii").run1([square()]), &[], &[5.0_f32]);
    let cube: Vec<i64> = (0..27).collect();
    assert_tensor(&einsum("iji->ji").run1([tensor(&[3, 3, 3], &cube)]), &[3, 3], &[0_i64, 10, 20, 3, 13, 23, 6, 16, 26]);
    assert_tensor(&einsum("iii->i").run1([tensor(&[3, 3, 3], &cube)]), &[3], &[0_i64, 13, 26]);
    assert_tensor(&einsum("->").run1([Tensor::scalar(7_u8)]), &[], &[7_u8]);
}

#[test]
fn two_operands_are_multiplied_in_every_way() {
    let right = || tensor(&[3, 2], &[1_i32, 0, 0, 1, 2, 2]);
    assert_tensor(&einsum("ij,jk->ik").run1([matrix(), right()]), &[2, 2], &[7, 8, 16, 17]);
    assert_tensor(&einsum("ij,jk").run1([matrix(), right()]), &[2, 2], &[7, 8, 16, 17]);
    assert_tensor(&einsum("ij,jk->ki").run1([matrix(), right()]), &[2, 2], &[7, 16, 8, 17]);
    assert_tensor(&einsum("ij,ji->").run1([matrix(), right()]), &[], &[24]);
    assert_tensor(&einsum("ij,ij->ij").run1([matrix(), matrix()]), &[2, 3], &[1, 4, 9, 16, 25, 36]);
    assert_tensor(&einsum("ij,ij->i").run1([matrix(), matrix()]), &[2], &[14, 77]);
    assert_tensor(&einsum("i,j->ij").run1([tensor(&[2], &[1_i32, 2]), tensor(&[2], &[3_i32, 4])]), &[2, 2], &[3, 4, 6, 8]);
    // A label that only one operand has and the result has not is summed first.
    assert_tensor(&einsum("ij,k->i").run1([matrix(), tensor(&[2], &[1_i32, 2])]), &[2], &[18, 45]);
    assert_tensor(&einsum(",ij->ij").run1([Tensor::scalar(2_i32), matrix()]), &[2, 3], &[2, 4, 6, 8, 10, 12]);
}

#[test]
fn axes_of_one_stretch() {
    let column = tensor(&[2, 1], &[10_i32, 20]);
    assert_tensor(&einsum("ij,ij->ij").run1([matrix(), column.clone()]), &[2, 3], &[10, 20, 30, 80, 100, 120]);
    assert_tensor(&einsum("ij,ij->j").run1([matrix(), column]), &[3], &[90, 120, 150]);
    let scores = einsum("...qd,...kd->...qk").run1([ramp(&[2, 1, 2, 3]), ramp(&[1, 2, 4, 3])]);
    assert_eq!(scores.shape(), [2, 2, 2, 4]);
}

#[test]
fn matrix_products_agree_with_matmul() {
    let (left, right) = (ramp(&[2, 3, 4, 5]), ramp(&[2, 3, 6, 5]));
    let transposed = op("Transpose").ints("perm", &[0, 1, 3, 2]).run1([right.clone()]);
    let expected = op("MatMul").run1([left.clone(), transposed]);
    let expected = expected.as_slice::<f32>().unwrap();
    assert_close(&einsum("bhqd,bhkd->bhqk").run1([left.clone(), right.clone()]), &[2, 3, 4, 6], &expected);
    let doubles = [left, right].map(|tensor| op("Cast").int("to", 10).run1([tensor]));
    let halves = einsum("bhqd,bhkd->bhqk").run1(doubles);
    let expected: Vec<f16> = expected.iter().map(|&value| f16::from_f32(value)).collect();
    assert_tensor(&halves, &[2, 3, 4, 6], &expected);
}

#[test]
fn many_operands_meet_in_pairs() {
    let shapes: [&[usize]; 3] = [&[2, 3], &[3, 4], &[4, 2]];
    let [a, b, c] = shapes.map(ramp);
    let product = op("MatMul").run1([op("MatMul").run1([a.clone(), b.clone()]), c.clone()]);
    let expected = product.as_slice::<f32>().unwrap();
    assert_close(&einsum("ij,jk,kl->il").run1([a.clone(), b.clone(), c.clone()]), &[2, 2], &expected);
    let trace = expected[0] + expected[3];
    assert_close(&einsum("ij,jk,ki->").run1([a, b, c]), &[], &[trace]);
}

#[test]
fn nothing_sums_to_zero() {
    let empty = || Tensor::empty(ElementType::F32, &[2, 0]);
    assert_tensor(&einsum("ij->i").run1([empty()]), &[2], &[0.0_f32, 0.0]);
    assert_tensor(&einsum("ij,kj->ik").run1([empty(), empty()]), &[2, 2], &[0.0_f32; 4]);
    assert_tensor::<f32>(&einsum("ij->ji").run1([empty()]), &[0, 2], &[]);
}

#[test]
fn sizes_are_checked() {
    let case = einsum("ij,jk");
    assert_eq!(case.error([matrix(), matrix()]), "'j' has the size 3 in one operand and 2 in another");
    assert_eq!(einsum("ii").error([matrix()]), "'i' has the sizes 2 and 3 within one operand of shape [2, 3]");
    assert!(case.error([matrix(), ramp(&[3, 1])]).contains("different element types"));
    assert_eq!(op("Einsum").error([matrix()]), "attribute 'equation' is missing; the operator needs it");
    assert!(einsum("i,j,k->ijk").max_result_bytes(100).error([ramp(&[5]), ramp(&[5]), ramp(&[5])]).contains("500 bytes"));
}

#[test]
fn shapes_are_inferred_and_products_counted() {
    let inferred = einsum("bij,bjk->bik").infer([typed::<f32>("n, 3, 4"), typed::<f32>("1, 4, k")]);
    assert_eq!(inferred, [Some("float32[n, 3, k]".to_owned())]);
    assert_eq!(einsum("...j->...").infer([typed::<f32>("a, b, 3")]), [Some("float32[a, b]".to_owned())]);
    let types = |shapes: &[&str]| shapes.iter().map(|shape| Some(typed::<f32>(shape))).collect::<Vec<Option<ValueType>>>();
    let operator = einsum("ij,jk,kl->il").build(3).unwrap();
    // First the pair that leaves least: 2·3·4 and 2·4·5 products.
    assert_eq!(operator.macs(&types(&["2, 3", "3, 4", "4, 5"]), &[]), Some(64));
    assert_eq!(operator.macs(&types(&["2, 3", "3, n", "n, 5"]), &[]), None);
}
