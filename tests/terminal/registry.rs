//! The registry on screen 1, from the first version to the last.

use crate::driver::Driver;

#[test]
fn a_model_is_added_aliased_rolled_back_and_removed() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("1").shows("a add").press("a").shows("the name to add").press("<enter>").settle();
    driver.shows("wine v1 was added").shows("wine v1").shows("registry").shows("hash");
    driver.press("mchampion<enter>").settle();
    driver.shows("champion of wine is at v1 now").shows("wine v1 @champion");
    driver.press("b<enter>").settle();
    driver.shows("no earlier version to go back to");
    // Nothing is removed for a slip of the finger, and nothing that an alias holds.
    driver.press("xyes<enter>").settle();
    driver.shows("nothing is removed: expected wine:1, found yes").shows("wine v1 @champion").press("<esc>");
    driver.press("xwine:1<enter>").settle();
    driver.shows("held by the alias 'champion'");
    driver.press("m-champion<enter>").settle();
    driver.press("xwine:1<enter>").settle();
    driver.shows("wine v1 was removed").shows_not("registry");
}

#[test]
fn a_version_is_opened_and_copied_by_its_name() {
    let mut driver = Driver::with_model(80, 24, "digits");
    driver.press("1a<enter>").settle();
    driver.press("y").shows("copied: drydock inspect digits:1");
    driver.press("<enter>").settle();
    driver.shows("digits v1");
    driver.press("1s").settle();
    driver.shows("the registry is whole: 1 model, 1 version");
    // The details scroll on their own.
    driver.press("mlive<enter>").settle();
    driver.press("<tab><end>").shows("live nothing → v1");
}

#[test]
fn changes_need_a_version_or_a_model() {
    let mut driver = Driver::new(80, 24);
    driver.press("a").shows("open the model first").press("p").shows("select a version");
    driver.press("s").settle();
    driver.shows("the registry is whole: 0 models");
}
