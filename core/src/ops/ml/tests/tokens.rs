use crate::host::ElementType;
use crate::ops::testing::{Case, assert_strings, op, strings, tensor};
use crate::tensor::Tensor;

fn tokenizer() -> Case {
    op("Tokenizer").contrib().int("mark", 0).text("pad_value", "#").int("mincharnum", 1)
}

#[test]
fn the_longest_match_counts() {
    let y = tokenizer().text("tokenexp", "a|ab|abc?").run1([strings(&[2], &["abcab", "-a-"])]);
    assert_strings(&y, &[2, 2], &["abc", "ab", "a", "#"]);
}

#[test]
fn empty_matches_do_not_stop_a_search() {
    let y = tokenizer().text("tokenexp", "x*").run1([strings(&[1], &["éxax"])]);
    assert_strings(&y, &[1, 2], &["x", "x"]);
    let y = tokenizer().texts("separators", &["x*"]).run1([strings(&[1], &["aéx"])]);
    assert_strings(&y, &[1, 0], &[]);
}

#[test]
fn nothing_in_gives_nothing_out() {
    let y = tokenizer().texts("separators", &[" "]).run1([Tensor::empty(ElementType::String, &[3, 0])]);
    assert_strings(&y, &[3, 0], &[]);
    let y = tokenizer().int("mark", 1).texts("separators", &[""]).run1([strings(&[2], &["", ""])]);
    assert_strings(&y, &[2, 0], &[]);
}

#[test]
fn what_cannot_be_is_refused() {
    let x = || [strings(&[1], &["a"])];
    assert_eq!(tokenizer().error(x()), "one of separators and tokenexp must be given, and not be empty");
    assert_eq!(tokenizer().text("tokenexp", "(").error(x()), "'(' is no regular expression");
    assert_eq!(tokenizer().text("tokenexp", ".").int("mincharnum", 2).error(x()), "mincharnum is 2, but tokens of one character are asked for");
    assert_eq!(tokenizer().text("tokenexp", ".").int("mincharnum", 0).error(x()), "mincharnum must be positive");
    let error = tokenizer().text("tokenexp", ".").error([tensor(&[1], &[1.0_f32])]);
    assert_eq!(error, "input 0 (X) should be a tensor of string with one or two dimensions, but is a tensor of float32[1]");
}
