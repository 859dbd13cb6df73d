//! Expected values are the specification's examples, python's `str.split`, or ONNX Runtime's.

use crate::ops::testing::{assert_bools, assert_strings, assert_tensor, op, strings, tensor, typed};
use crate::tensor::Tensor;

#[test]
fn strings_are_joined() {
    assert_strings(&op("StringConcat").run1([strings(&[2, 1], &["a", ""]), strings(&[2], &["x", "é"])]), &[2, 2], &["ax", "aé", "x", "é"]);
    assert_strings(&op("StringConcat").run1([strings(&[0], &[]), strings(&[], &["x"])]), &[0], &[]);
    assert_eq!(
        op("StringConcat").error([strings(&[1], &["a"]), Tensor::scalar(1.0_f32)]),
        "input 1 (Y) should be a tensor of strings, but is float32[]"
    );
    assert!(op("StringConcat").error([strings(&[2], &["a", "b"]), strings(&[3], &["a", "b", "c"])]).contains("do not broadcast"));
    assert_eq!(op("StringConcat").infer([typed::<f32>("n, 1"), typed::<f32>("3")]), [Some("string[n, 3]".to_owned())]);
}

#[test]
fn strings_are_cut_as_python_cuts_them() {
    let split = |case: crate::ops::testing::Case, text: &[&str]| {
        let outputs = case.outputs(2).try_run([strings(&[text.len()], text)]).unwrap();
        let parts: Vec<String> = outputs[0].as_strings().unwrap().iter().map(ToString::to_string).collect();
        (parts, outputs[1].as_slice::<i64>().unwrap().into_owned())
    };
    let by = |delimiter: &str| op("StringSplit").text("delimiter", delimiter);
    let owned = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(split(by("."), &["a.b.", ""]), (owned(&["a", "b", "", "", "", ""]), vec![3, 1]));
    assert_eq!(split(by("--").int("maxsplit", 1), &["a--b--c"]), (owned(&["a", "b--c"]), vec![2]));
    assert_eq!(split(by("."), &["a..b"]), (owned(&["a", "", "b"]), vec![3]));
    assert_eq!(split(op("StringSplit"), &["  a  b\tc ", " "]), (owned(&["a", "b", "c", "", "", ""]), vec![3, 0]));
    assert_eq!(split(op("StringSplit").int("maxsplit", 1), &[" a  b c "]), (owned(&["a", "b c "]), vec![2]));
    assert_eq!(split(op("StringSplit").int("maxsplit", 0), &[" a  b"]), (owned(&["a  b"]), vec![1]));
    assert_eq!(split(op("StringSplit").int("maxsplit", -1), &["a b c"]), (owned(&["a", "b", "c"]), vec![3]));
    assert_eq!(split(by(","), &[]), (Vec::new(), Vec::new()));
    let types = op("StringSplit").outputs(2).infer([typed::<f32>("n, 3")]);
    assert_eq!(types, [Some("string[n, 3, ?]".to_owned()), Some("int64[n, 3]".to_owned())]);
    assert!(op("StringSplit").outputs(2).error([Tensor::scalar(1_i64)]).contains("a tensor of strings"));
}

#[test]
fn patterns_match_whole_strings() {
    let matching = op("RegexFullMatch").text("pattern", r"www\.[\w.-]+\.\bcom\b");
    assert_bools(&matching.run1([strings(&[2, 1], &["www.google.com", "www.x.com/"])]), &[2, 1], &[true, false]);
    assert_bools(&matching.run1([strings(&[0], &[])]), &[0], &[]);
    assert!(op("RegexFullMatch").text("pattern", "(").error([strings(&[1], &["a"])]).contains("is no regular expression"));
    assert!(op("RegexFullMatch").error([strings(&[1], &["a"])]).contains("attribute 'pattern' is missing"));
    assert_eq!(matching.infer([typed::<f32>("n")]), [Some("bool[n]".to_owned())]);
}

#[test]
fn stop_words_go_and_case_changes() {
    let normalizer = || op("StringNormalizer").opset(10);
    let words = strings(&[4], &["Monday", "tuesday", "MONDAY", "Ärger"]);
    assert_strings(&normalizer().run1([words.clone()]), &[4], &["Monday", "tuesday", "MONDAY", "Ärger"]);
    let sensitive = normalizer().texts("stopwords", &["Monday"]).int("is_case_sensitive", 1).text("case_change_action", "UPPER");
    assert_strings(&sensitive.run1([words.clone()]), &[3], &["TUESDAY", "MONDAY", "ÄRGER"]);
    let insensitive = normalizer().texts("stopwords", &["monday", "ärger"]).text("case_change_action", "LOWER");
    assert_strings(&insensitive.run1([words.clone().reshaped(&[1, 4]).unwrap()]), &[1, 1], &["tuesday"]);
    assert_strings(&insensitive.run1([strings(&[1], &["Monday"])]), &[1], &[""]);
    assert_strings(&insensitive.run1([strings(&[1, 1], &["Monday"])]), &[1, 1], &[""]);
    assert!(normalizer().error([strings(&[2, 1], &["a", "b"])]).contains("[C] or [1, C]"));
    assert!(normalizer().text("locale", "tr_TR").error([words.clone()]).contains("Turkish"));
    assert!(normalizer().text("case_change_action", "TITLE").error([words]).contains("'LOWER', 'UPPER' or 'NONE'"));
    assert_eq!(normalizer().infer([typed::<f32>("1, 5")]), [Some("string[1, ?]".to_owned())]);
}

/// The pool of the specification's example: 2, 3, 5, 4, and the pairs (5, 6), (7, 8), (6, 7).
fn vectorizer(mode: &str, lengths: (i64, i64), skips: i64) -> crate::ops::testing::Case {
    op("TfIdfVectorizer")
        .opset(9)
        .text("mode", mode)
        .int("min_gram_length", lengths.0)
        .int("max_gram_length", lengths.1)
        .int("max_skip_count", skips)
        .ints("ngram_counts", &[0, 4])
        .ints("ngram_indexes", &[0, 1, 2, 3, 4, 5, 6])
        .ints("pool_int64s", &[2, 3, 5, 4, 5, 6, 7, 8, 6, 7])
}

#[test]
fn n_grams_are_counted_over_skips() {
    let x = tensor(&[12], &[1_i32, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8]);
    assert_tensor(&vectorizer("TF", (2, 2), 0).run1([x.clone()]), &[7], &[0.0_f32, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_tensor(&vectorizer("TF", (2, 2), 5).run1([x.clone()]), &[7], &[0.0_f32, 0.0, 0.0, 0.0, 1.0, 3.0, 1.0]);
    assert_tensor(&vectorizer("TF", (1, 2), 5).run1([x.clone()]), &[7], &[0.0_f32, 3.0, 1.0, 0.0, 1.0, 3.0, 1.0]);
    let batch = x.clone().reshaped(&[2, 6]).unwrap();
    let expected = [0.0_f32, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0];
    assert_tensor(&vectorizer("TF", (1, 2), 5).run1([batch]), &[2, 7], &expected);
    // A skip that no text is long enough for costs nothing.
    assert_tensor(&vectorizer("TF", (2, 2), i64::MAX).run1([x]), &[7], &[0.0_f32, 0.0, 0.0, 0.0, 1.0, 3.0, 1.0]);
    assert_tensor(&vectorizer("TF", (1, 2), 0).run1([tensor::<i64>(&[0], &[])]), &[7], &[0.0_f32; 7]);
    assert_tensor::<f32>(&vectorizer("TF", (1, 2), 0).run1([tensor::<i64>(&[0, 3], &[])]), &[0, 7], &[]);
    assert_eq!(vectorizer("TF", (1, 2), 0).infer([typed::<i64>("n, 6")]), [Some("float32[n, 7]".to_owned())]);
}

#[test]
fn weights_belong_to_the_n_grams_not_to_the_columns() {
    let case = |mode: &str| {
        op("TfIdfVectorizer")
            .opset(9)
            .text("mode", mode)
            .int("min_gram_length", 1)
            .int("max_gram_length", 2)
            .int("max_skip_count", 0)
            .ints("ngram_counts", &[0, 2])
            .ints("ngram_indexes", &[3, 1, 0])
            .texts("pool_strings", &["a", "b", "a", "b"])
            .floats("weights", &[10.0, 20.0, 30.0])
    };
    let x = strings(&[5], &["a", "b", "a", "b", "a"]);
    assert_tensor(&case("TF").run1([x.clone()]), &[4], &[2.0_f32, 2.0, 0.0, 3.0]);
    assert_tensor(&case("IDF").run1([x.clone()]), &[4], &[30.0_f32, 20.0, 0.0, 10.0]);
    assert_tensor(&case("TFIDF").run1([x.clone()]), &[4], &[60.0_f32, 40.0, 0.0, 30.0]);
    assert!(case("TF").error([tensor(&[1], &[1_i64])]).contains("a tensor of strings"));
    assert!(case("TF").floats("weights", &[1.0]).error([x.clone()]).contains("'weights' has 1 entries"));
    assert!(case("TF").ints("ngram_counts", &[0, 1]).error([x.clone()]).contains("does not cut a pool of 4 words"));
    assert!(case("TF").ints("ngram_counts", &[0, -1]).error([x.clone()]).contains("does not cut"));
    assert!(case("TF").ints("ngram_indexes", &[0]).floats("weights", &[]).error([x.clone()]).contains("more n-grams than ngram_indexes"));
    assert!(case("TF").ints("ngram_indexes", &[0, 1, -2]).error([x.clone()]).contains("negative index"));
    assert!(case("TF").ints("ngram_indexes", &[0, 1, i64::MAX - 1]).error([x.clone()]).contains("more than the limit"));
    assert!(case("TF").ints("pool_int64s", &[1]).error([x.clone()]).contains("and not both"));
    assert!(case("TF").int("max_gram_length", 0).error([x.clone()]).contains("must be at least 1"));
    assert!(case("TF").int("min_gram_length", 3).error([x.clone()]).contains("less than min_gram_length"));
    assert!(case("MAX").error([x]).contains("'TF', 'IDF' or 'TFIDF'"));
}
