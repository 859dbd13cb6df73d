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

/// The moves of the only model's aliases, newest first, with their reasons.
fn moves(driver: &Driver) -> Vec<(String, Option<String>)> {
    let view = driver.app.session().state().registry.clone().unwrap();
    view.models[0].history.iter().map(|step| (format!("{} {}", step.kind.name(), step.alias), step.reason.clone())).collect()
}

#[test]
fn every_move_has_its_reason() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("1a<enter>").settle();
    driver.press("mlive<down>first try<enter>").settle();
    driver.press("plive<c-u>other<down><c-u>second thoughts<enter>").settle();
    driver.press("tlive<down>it counts<enter>").settle();
    driver.shows("@live (protected)").press("<tab>").shows("it counts");
    let expected = [("protect live", "it counts"), ("promote other", "second thoughts"), ("set live", "first try")];
    assert_eq!(moves(&driver), expected.map(|(step, reason)| (step.to_owned(), Some(reason.to_owned()))));
    // A refusal is told in full, and goes when one looks elsewhere.
    driver.press("<esc>blive<enter>").settle();
    driver
        .shows("no earlier version to go back")
        .shows("drydock models alias wine:VERSION live")
        .press("<tab>")
        .shows_not("no earlier version to go back");
}

#[test]
fn where_a_version_comes_from_is_asked_for() {
    let mut driver = Driver::with_model(80, 24, "payment-fraud");
    driver.press("1afraud<c-u>fraud<enter>").settle();
    driver.open("payment-fraud-v2");
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.toml");
    std::fs::write(&recipe, "trees = 100\n").unwrap();
    driver.press("1a<c-u>fraud<down>fraud:1<down>").press(&recipe.display().to_string());
    driver.press("<down>../sample-models/payment-fraud-v2/ref<tab>").shows("../sample-models/payment-fraud-v2/reference.csv");
    driver.press("<enter>").settle();
    driver.shows("fraud v2 was added").shows("parent   fraud v1").shows("recipe   trees = 100");
    let version = driver.app.session().state().registry.clone().unwrap().models[0].versions[1].clone();
    assert!(version.lineage.data.unwrap().ends_with("reference.csv") && version.lineage.data_sha256.is_some());
    // What can't be read is said, and nothing is added.
    driver.press("a<c-u>other<down><down>no-recipe<enter>").settle();
    driver.shows("no-recipe: there is no such file").shows_not("other v1");
}

#[test]
fn what_an_alias_holds_is_removed_only_by_force() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("1a<enter>").settle();
    driver.press("mlive<enter>").settle();
    driver.press("xwine:1<down>").shows("remove it also where an alias points at it?").press(" ").shows("force    yes").press("  <enter>").settle();
    driver.shows("wine v1 was removed").shows_not("registry ");
    // A whole model needs its own word, too.
    driver.press("a<enter>").settle();
    driver.press("xwine<down><down> <enter>").settle();
    driver.shows_not("registry ");
    assert!(driver.app.session().state().registry.clone().unwrap().models.is_empty());
}

#[test]
fn a_package_takes_its_golden_rows_from_a_table() {
    let mut driver = Driver::with_model(80, 24, "wine");
    let package = crate::driver::scratch("golden.drydock");
    let name = package.display().to_string();
    driver.press("1P<c-u>").press(&name.replace(".drydock", ".zip")).press("<enter>").shows("✗ expected a name that ends in .drydock");
    driver.press("<c-u>").press(&name).press("<down>../sample-models/wine/new.csv<down><c-u>none<enter>").shows("✗ expected a number of rows");
    driver.press("<c-u>7<enter>").settle();
    driver.shows("wine v1 was packed with 7 golden rows");
    // It is there now, and replaced only where that is said.
    driver.press("P<c-u>").press(&name).press("<enter>").settle();
    driver.shows("there is such a file already");
    driver.press("P<c-u>").press(&name).press("<down><down><down><down> <enter>").settle();
    driver.shows("wine v1 was packed with 20 golden rows");
}

#[test]
fn the_speed_of_versions_is_drawn() {
    let mut driver = Driver::with_model(80, 24, "wine");
    driver.press("1a<enter>").settle();
    // One profile is no history.
    let profile = "5<up><up><up><up><up><down>e<c-u>1<enter><down><left><enter>";
    driver.press(profile).settle();
    // The self-check reads the registry again, at once.
    driver.press("1s").settle();
    driver.press("<tab>").shows("profile  ").press("<tab>").shows_not("· latency");
    driver.press("5<enter>").settle();
    driver.press("1s").settle();
    driver.press("<tab><tab>").shows("wine · latency").shows("than the profile before").shows("p50, ms");
    driver.press("<esc>");
    assert!(!driver.app.has_quit());
}

#[test]
fn changes_need_a_version_or_a_model() {
    let mut driver = Driver::new(80, 24);
    driver.press("a").shows("open the model first").press("p").shows("select a version");
    driver.press("s").settle();
    driver.shows("the registry is whole: 0 models");
}
