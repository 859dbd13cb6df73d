//! `drydock package`: one file that says on another machine whether the model is the same there.

use crate::models::Home;
use crate::run::{Folder, keys, run, sample};

#[test]
fn a_package_is_made_verified_and_opened() {
    let home = Home::new();
    let package = home.folder.path("fraud.drydock");
    home.run(&["models", "add", &sample("payment-fraud-v2/model.onnx"), "--name", "fraud"]).succeeded();
    let data = sample("payment-fraud-v2/reference.csv");
    let made = home.run(&["package", "fraud:1", "-o", &package, "--data", &data, "--rows", "30", "--json"]).succeeded().json();
    assert_eq!((made["rows"].as_u64(), made["model"].as_str()), (Some(30), Some("fraud v1")));
    home.run(&["package", "fraud:1", "-o", &package]).failed_saying(&["fraud.drydock", "--force"]);
    // On another machine: no registry, no model.
    let verified = run(&["verify", &package, "--json"]).succeeded().json();
    assert_eq!((verified["verdict"].as_str(), &verified["hash"]), (Some("bit_equal"), &made["hash"]));
    for key in ["device", "differences", "provenance", "rows"] {
        assert!(keys(&verified).contains(&key), "{key}");
    }
    assert!(run(&["verify", &package]).succeeded().stdout.contains("bit-equal: 30 golden rows"));
    let inspected = |model: &str| run(&["inspect", model, "--json"]).succeeded().json()["operators"].clone();
    assert_eq!(inspected(&package), inspected(&sample("payment-fraud-v2/model.onnx")));
    let (packed, direct) = (home.folder.path("packed.csv"), home.folder.path("direct.csv"));
    run(&["score", &package, &data, "-o", &packed]).succeeded();
    run(&["score", &sample("payment-fraud-v2/model.onnx"), &data, "-o", &direct]).succeeded();
    assert_eq!(std::fs::read(packed).unwrap(), std::fs::read(direct).unwrap());
}

#[test]
fn what_is_no_package_or_a_damaged_one_is_said() {
    let folder = Folder::new();
    let package = folder.path("wine.drydock");
    run(&["package", &sample("wine/model.onnx"), "-o", &package]).succeeded();
    let whole = std::fs::read(&package).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 3;
    damaged[middle..middle + 40].fill(0x5a);
    folder.write("wine.drydock", &damaged);
    for arguments in [&["verify", &package][..], &["inspect", &package]] {
        run(arguments).failed_saying(&["wine.drydock", "the entry '", "damaged"]);
    }
    folder.write("wine.drydock", "no archive at all");
    run(&["verify", &package]).failed_saying(&["wine.drydock", "not a Drydock package"]);
    run(&["verify", &folder.path("none.drydock")]).failed_saying(&["none.drydock"]);
    run(&["package", &sample("wine/model.onnx"), "-o", &folder.path("wine.zip")]).failed_saying(&["wine.zip", "ends in .drydock"]);
    run(&["package", &sample("wine/model.onnx"), "-o", "no/such/folder/p.drydock"]).failed_saying(&["no/such/folder"]);
}
