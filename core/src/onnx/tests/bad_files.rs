//! Hostile and broken files: each is refused with a sentence.

use super::*;

#[test]
fn the_small_model_itself_is_good() {
    assert_eq!(read(&small_model()).unwrap().graph.nodes.len(), 1);
}
