use super::*;

#[test]
fn a_request_has_sensible_defaults() {
    let request = ProfileRequest::default();
    assert_eq!((request.effort, request.operators), (Effort::Standard, false));
    assert_eq!(Effort::Quick.describe(), "3 windows of 1 s and 34 runs each, up to 10 until three agree, 12 s at most");
}
