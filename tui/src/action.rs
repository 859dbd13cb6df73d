//! Everything that a key can mean. One closed list: the key map gives each its key and its words, the screens give each its effect.

use drydock_core::session::Task;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Go(Task),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PreviousPane,
    /// Enter: open, run, choose; what it does stands in the hints of the screen.
    Confirm,
    Edit,
    Filter,
    /// Stop the job that is shown or selected.
    CancelJob,
    /// Type the path of a model.
    OpenPath,
    /// Take the values of a table's row.
    FillFromRow,
    /// Choose the table that rows are taken from.
    ChooseTable,
    /// Back to the contract's defaults.
    Reset,
    /// Make the selected value empty.
    Clear,
    /// Show or hide what the answer would be for other values.
    WhatIf,
    CloseModel,
    /// Add the opened model to the registry.
    AddModel,
    /// Point an alias at the selected version.
    SetAlias,
    Promote,
    RollBack,
    /// Protect an alias, or no longer.
    Protect,
    RemoveVersion,
    /// Pack the opened model.
    Package,
    /// Hold the registry's files and records against their hashes.
    CheckRegistry,
    /// Judge a version before it ships.
    Check,
    /// What changed between two files.
    Diff,
    /// Show the next of the versions held against the first.
    NextVersion,
    /// Run ONNX test sets.
    Verify,
    CopyCommand,
    Palette,
    Help,
    /// One step back; at the outermost, quit.
    Back,
    /// Leave at once.
    Quit,
    /// While typing: take what was typed.
    Accept,
    /// While typing: put back what was there.
    Discard,
    /// While typing a path: complete it.
    Complete,
}
