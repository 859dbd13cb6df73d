use crate::ops::testing::{Case, assert_close, assert_strings, assert_tensor, op, strings, tensor, typed};
use crate::tensor::{MapKey, Tensor, Value};

const NAN: f32 = f32::NAN;

fn x() -> Tensor {
    tensor(&[2, 3], &[1.0, -2.0, 3.0, 0.0, 5.0, NAN])
}

#[track_caller]
fn assert_refused(case: &Case, x: Tensor, message: &str) {
    assert_eq!(case.error([x]), message);
}

#[test]
fn scaler_subtracts_and_multiplies() {
    let case = op("Scaler").ml().floats("offset", &[1.0, 2.0, 3.0]).floats("scale", &[0.5, 2.0, 0.1]);
    assert_close(&case.run1([x()]), &[2, 3], &[0.0, -8.0, 0.0, -0.5, 6.0, NAN]);
    assert_close(&case.run1([tensor(&[3], &[1.0_f32, -2.0, 3.0])]), &[3], &[0.0, -8.0, 0.0]);
    let one = op("Scaler").ml().floats("offset", &[1.0]).floats("scale", &[0.1]);
    assert_close(&one.run1([x()]), &[2, 3], &[0.0, -0.3, 0.2, -0.1, 0.4, NAN]);
    assert_tensor(&one.run1([tensor(&[1, 2], &[16_777_217_i64, 2])]), &[1, 2], &[1_677_721.5_f32, 0.1]);
    assert_tensor(&one.run1([tensor(&[1, 2], &[16_777_217.0, 0.1])]), &[1, 2], &[1_677_721.6_f32, -0.09]);
    assert_eq!(case.infer([typed::<i64>("n, 3")]), [Some("float32[n, 3]".to_owned())]);
    let two = op("Scaler").ml().floats("offset", &[1.0, 2.0]).floats("scale", &[0.5, 2.0]);
    assert_refused(&two, x(), "X has 3 features, but offset and scale have 2 values");
    assert_refused(&two.floats("scale", &[0.5]), x(), "offset and scale must be equally long, but have 2 and 1 values");
}

#[test]
fn imputer_fills_in_per_feature() {
    let floats = |imputed: &[f32], missing: f32| op("Imputer").ml().floats("imputed_value_floats", imputed).float("replaced_value_float", missing);
    assert_tensor(&floats(&[7.0, 8.0, 9.0], NAN).run1([x()]), &[2, 3], &[1.0_f32, -2.0, 3.0, 0.0, 5.0, 9.0]);
    assert_tensor(&floats(&[7.0], NAN).run1([x()]), &[2, 3], &[1.0_f32, -2.0, 3.0, 0.0, 5.0, 7.0]);
    let zeros = tensor(&[1, 3], &[-0.0_f32, 0.0, 1.0]);
    assert_tensor(&floats(&[7.0, 8.0, 9.0], 0.0).run1([zeros]), &[1, 3], &[7.0_f32, 8.0, 1.0]);
    let by_default = op("Imputer").ml().floats("imputed_value_floats", &[7.0, 8.0, 9.0]);
    assert_tensor(&by_default.run1([x()]), &[2, 3], &[1.0_f32, -2.0, 3.0, 7.0, 5.0, NAN]);
    let ints = op("Imputer").ml().ints("imputed_value_int64s", &[7, 8, 9]).int("replaced_value_int64", -1);
    assert_tensor(&ints.run1([tensor(&[1, 3], &[1_i64, -1, 3])]), &[1, 3], &[1_i64, 8, 3]);
    // ONNX Runtime takes float32 and int64 only; the specification has these too.
    assert_tensor(&floats(&[7.0], NAN).run1([tensor(&[2], &[f64::NAN, 1.0])]), &[2], &[7.0_f64, 1.0]);
    assert_tensor(&ints.run1([tensor(&[1, 3], &[1_i32, -1, 3])]), &[1, 3], &[1_i32, 8, 3]);
    assert_refused(&floats(&[7.0, 8.0], NAN), x(), "X has 3 features, but 2 imputed values are given");
    assert_refused(&op("Imputer").ml(), x(), "exactly one of imputed_value_floats and imputed_value_int64s must be given");
    assert_refused(&ints, x(), "input 0 (X) should be int64 or int32, as the imputed values are integers, but is a tensor of float32[2, 3]");
}

#[test]
fn normalizer_divides_rows_by_their_norm() {
    let x = || tensor(&[4, 3], &[1.0, -2.0, 3.0, 0.0, 0.0, 0.0, -4.0, -1.0, -2.0, NAN, 1.0, 2.0]);
    let case = |norm: &str| op("Normalizer").ml().text("norm", norm);
    let max = [0.333_333_34, -0.666_666_7, 1.0, 0.0, 0.0, 0.0, 4.0, 1.0, 2.0, NAN, 0.5, 1.0];
    assert_close(&case("MAX").run1([x()]), &[4, 3], &max);
    assert_close(&op("Normalizer").ml().run1([x()]), &[4, 3], &max);
    let l1 = [0.166_666_67, -0.333_333_34, 0.5, 0.0, 0.0, 0.0, -0.571_428_6, -0.142_857_15, -0.285_714_3, NAN, NAN, NAN];
    assert_close(&case("L1").run1([x()]), &[4, 3], &l1);
    let l2 = [0.267_261_24, -0.534_522_5, 0.801_783_74, 0.0, 0.0, 0.0, -0.872_871_6, -0.218_217_9, -0.436_435_8, NAN, NAN, NAN];
    assert_close(&case("L2").run1([x()]), &[4, 3], &l2);
    assert_close(&case("L2").run1([tensor(&[3], &[1_i64, -2, 3])]), &[3], &l2[..3]);
    assert_refused(&case("L3"), x(), "norm is 'L3', not one of MAX, L1, L2");
    let flat = x().reshaped(&[1, 4, 3]).unwrap();
    let message = "input 0 (X) should be a matrix [rows, features] or a single row [features], but is a tensor of float32[1, 4, 3]";
    assert_refused(&case("L1"), flat, message);
}

#[test]
fn binarizer_compares_with_its_threshold() {
    let x = || tensor(&[1, 5], &[1.0_f32, 1.5, 0.5, 0.0, -1.0]);
    assert_tensor(&op("Binarizer").ml().run1([x()]), &[1, 5], &[1.0_f32, 1.0, 1.0, 0.0, 0.0]);
    let one = op("Binarizer").ml().float("threshold", 1.0);
    assert_tensor(&one.run1([x()]), &[1, 5], &[0.0_f32, 1.0, 0.0, 0.0, 0.0]);
    let half = op("Binarizer").ml().float("threshold", -0.5);
    assert_tensor(&half.run1([tensor(&[3], &[-1_i64, 0, 1])]), &[3], &[0_i64, 1, 1]);
    assert_refused(&one, tensor(&[2], &[0.0, NAN]), "element 1 of X is NaN, which is neither above nor below the threshold");
}

#[test]
fn one_hot_encoder_marks_the_category() {
    let words = || strings(&[2, 2], &["a", "z", "b", ""]);
    let case = op("OneHotEncoder").ml().texts("cats_strings", &["a", "b", "c"]);
    assert_tensor(&case.run1([words()]), &[2, 2, 3], &[1.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let strict = case.clone().int("zeros", 0);
    assert_refused(&strict, words(), "\"z\" is none of the 3 categories, and zeros = 0 forbids that");
    assert_eq!(case.infer([typed::<f32>("n, 2")]), [Some("float32[n, 2, 3]".to_owned())]);
    let ints = op("OneHotEncoder").ml().ints("cats_int64s", &[1, 2, 3, -1, 0]);
    assert_tensor(&ints.run1([tensor(&[2], &[3_i64, 9])]), &[2, 5], &[0.0_f32, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let floats = ints.run1([tensor(&[3], &[1.7, -1.2, f64::NAN])]);
    assert_tensor(&floats, &[3, 5], &[1.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let doubled = op("OneHotEncoder").ml().ints("cats_int64s", &[1, 2, 1]);
    assert_tensor(&doubled.run1([tensor(&[1], &[1_i32])]), &[1, 3], &[0.0_f32, 0.0, 1.0]);
    // ONNX Runtime answers with zeros only.
    assert_refused(&case, tensor(&[1], &[1_i64]), "input 0 (X) should be a tensor of string, as the categories are, but is a tensor of int64[1]");
    let small = ints.max_result_bytes(100);
    assert_refused(&small, tensor(&[6], &[0_i64; 6]), "a result of shape [6, 5] would take 120 bytes, more than the limit of 100");
}

#[test]
fn label_encoder_version_1_translates_both_ways() {
    let case = op("LabelEncoder").ml().opset(1).texts("classes_strings", &["a", "b", "a"]);
    let to_ints = case.clone().int("default_int64", -5);
    assert_tensor(&to_ints.run1([strings(&[2, 2], &["a", "z", "b", ""])]), &[2, 2], &[2_i64, -5, 1, -5]);
    assert_strings(&case.run1([tensor(&[4], &[0_i64, 1, 2, 9])]), &[4], &["a", "b", "a", "_Unused"]);
    assert_eq!(case.infer([typed::<i64>("n")]), [Some("string[n]".to_owned())]);
}

#[test]
fn label_encoder_version_2_has_keys_and_values() {
    let case = |name: &str| match name {
        "strings" => op("LabelEncoder").ml().opset(2).texts("keys_strings", &["a", "b", "a"]),
        "ints" => op("LabelEncoder").ml().opset(2).ints("keys_int64s", &[1, 2, 1]),
        _ => op("LabelEncoder").ml().opset(2).floats("keys_floats", &[1.5, NAN, 1.5]),
    };
    let words = || strings(&[2, 2], &["a", "z", "b", ""]);
    let to_ints = |name: &str| case(name).ints("values_int64s", &[10, 20, 30]);
    assert_tensor(&to_ints("strings").run1([words()]), &[2, 2], &[10_i64, -1, 20, -1]);
    assert_tensor(&to_ints("ints").run1([tensor(&[3], &[1_i64, 2, 3])]), &[3], &[10_i64, 20, -1]);
    let floats = || tensor(&[3], &[1.5, NAN, 0.0]);
    assert_tensor(&to_ints("floats").run1([floats()]), &[3], &[10_i64, -1, -1]);
    assert_tensor(&to_ints("floats").opset(4).run1([floats()]), &[3], &[10_i64, 20, -1]);
    let to_floats = case("strings").floats("values_floats", &[0.1, 0.2, 0.3]);
    assert_tensor(&to_floats.run1([words()]), &[2, 2], &[0.1_f32, -0.0, 0.2, -0.0]);
    let to_strings = case("ints").texts("values_strings", &["x", "y", "z"]);
    assert_strings(&to_strings.run1([tensor(&[3], &[1_i64, 2, 3])]), &[3], &["x", "y", "_Unused"]);
    assert_strings(&to_strings.clone().text("default_string", "D").run1([tensor(&[1], &[3_i64])]), &[1], &["D"]);
    let zeros = op("LabelEncoder").ml().opset(2).floats("keys_floats", &[0.0, -0.0]).ints("values_int64s", &[1, 2]);
    assert_tensor(&zeros.run1([tensor(&[2], &[0.0_f32, -0.0])]), &[2], &[1_i64, 1]);
    assert_refused(&to_ints("ints"), words(), "input 0 (X) should be a tensor of int64, as the keys are, but is a tensor of string[2, 2]");
    assert_refused(&case("ints").ints("values_int64s", &[1]), words(), "3 keys are given for 1 values");
    assert_eq!(to_strings.infer([typed::<i64>("n, 1")]), [Some("string[n, 1]".to_owned())]);
}

#[test]
fn label_encoder_version_4_takes_tensors() {
    let case = || op("LabelEncoder").ml().opset(4);
    let keys = tensor(&[2], &[f64::NAN, 2.0]);
    let to_strings = case().tensor("keys_tensor", &keys).texts("values_strings", &["n", "t"]);
    assert_strings(&to_strings.run1([tensor(&[2], &[f64::NAN, 5.0])]), &[2], &["n", "_Unused"]);
    let to_doubles = case().ints("keys_int64s", &[1, 2]).tensor("values_tensor", &tensor(&[2], &[10.0_f64, 20.0]));
    assert_tensor(&to_doubles.run1([tensor(&[2], &[1_i64, 3])]), &[2], &[10.0_f64, -0.0]);
    let with_default = to_doubles.tensor("default_tensor", &tensor(&[1], &[77.0_f64]));
    assert_tensor(&with_default.run1([tensor(&[2], &[1_i64, 3])]), &[2], &[10.0_f64, 77.0]);
    let to_shorts = case().texts("keys_strings", &["a"]).tensor("values_tensor", &tensor(&[1], &[1_i16]));
    assert_tensor(&to_shorts.run1([strings(&[2], &["a", "q"])]), &[2], &[1_i16, -1]);
    let wrong_default = case().ints("keys_int64s", &[1]).ints("values_int64s", &[1]).tensor("default_tensor", &tensor(&[1], &[1.0_f32]));
    assert_refused(&wrong_default, tensor(&[1], &[1_i64]), "expected a tensor of int64, found float32");
}

#[test]
fn feature_vectorizer_puts_inputs_side_by_side() {
    let ones = || tensor(&[2, 1], &[7_i64, 8]);
    let case = op("FeatureVectorizer").ml().ints("inputdimensions", &[3, 1]);
    assert_tensor(&case.run1([x(), ones()]), &[2, 4], &[1.0_f32, -2.0, 3.0, 7.0, 0.0, 5.0, NAN, 8.0]);
    let cut = op("FeatureVectorizer").ml().ints("inputdimensions", &[2, 3]);
    assert_tensor(&cut.run1([x(), ones()]), &[2, 5], &[1.0_f32, -2.0, 7.0, 0.0, 0.0, 0.0, 5.0, 8.0, 0.0, 0.0]);
    let flat = op("FeatureVectorizer").ml().ints("inputdimensions", &[4]);
    assert_tensor(&flat.run1([tensor(&[2, 2, 2], &[1.0_f32; 8])]), &[2, 4], &[1.0_f32; 8]);
    assert_eq!(case.error([x(), tensor(&[1, 1], &[7_i64])]), "input 0 has 2 rows, but input 1 has 1");
    assert_eq!(flat.error([x(), ones()]), "inputdimensions has 1 values for 2 inputs");
    let huge = op("FeatureVectorizer").ml().ints("inputdimensions", &[i64::MAX]);
    assert!(huge.error([x()]).starts_with("a result of shape [2, 9223372036854775807] would take"));
    assert_eq!(case.infer([typed::<f32>("n, 3"), typed::<i64>("n, 1")]), [Some("float32[n, 4]".to_owned())]);
}

#[test]
fn array_feature_extractor_picks_from_the_last_dimension() {
    let case = op("ArrayFeatureExtractor").ml();
    assert_tensor(&case.run1([x(), tensor(&[2], &[2_i64, 0])]), &[2, 2], &[3.0_f32, 1.0, NAN, 0.0]);
    assert_tensor(&case.run1([tensor(&[3], &[1_i32, 2, 3]), tensor(&[2], &[2_i64, 0])]), &[1, 2], &[3_i32, 1]);
    let cube: Vec<i64> = (0..12).collect();
    assert_tensor(&case.run1([tensor(&[2, 2, 3], &cube), tensor(&[1], &[2_i64])]), &[2, 2, 1], &[2_i64, 5, 8, 11]);
    assert_strings(&case.run1([strings(&[2, 2], &["a", "z", "b", ""]), tensor(&[1], &[1_i64])]), &[2, 1], &["z", ""]);
    assert_eq!(case.error([x(), tensor(&[1], &[3_i64])]), "Y asks for element 3 of a dimension of 3");
    assert_eq!(case.error([x(), tensor(&[1], &[-1_i64])]), "Y asks for element -1 of a dimension of 3");
    assert_eq!(case.error([x(), tensor::<i64>(&[0], &[])]), "Y is empty: it must say which elements to pick");
    assert_eq!(case.infer([typed::<f32>("n, 3"), typed::<i64>("1, 2")]), [Some("float32[n, 2]".to_owned())]);
}

#[test]
fn zip_map_keeps_scores_in_one_tensor() {
    let case = op("ZipMap").ml().ints("classlabels_int64s", &[3, 1, 2]);
    let values = case.run_values(vec![Some(Value::Tensor(x()))]).unwrap();
    let [Value::Records(records)] = values.as_slice() else { panic!("{values:?}") };
    assert_eq!(records.keys.as_ref(), [MapKey::Int(3), MapKey::Int(1), MapKey::Int(2)]);
    assert_tensor(&records.values, &[2, 3], &[1.0, -2.0, 3.0, 0.0, 5.0, NAN]);
    let text = op("ZipMap").ml().texts("classlabels_strings", &["a", "b"]);
    assert_refused(&text, x(), "rows have 3 scores, but 2 labels are given");
    assert_refused(&op("ZipMap").ml(), x(), "classlabels_strings or classlabels_int64s must name the keys");
    assert_eq!(text.infer([typed::<f32>("n, 2")]), [Some("sequence(map(string, float32[]))".to_owned())]);
}
