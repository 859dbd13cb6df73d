//! Everything that a key can mean. One closed list: the key map gives each its key and its words, the screens give each its effect.

/// A task, in the order of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    Models,
    Inspect,
    Predict,
    Score,
    Jobs,
}

impl Task {
    pub const ALL: [Self; 5] = [Self::Models, Self::Inspect, Self::Predict, Self::Score, Self::Jobs];

    /// The digit that opens it. Digits belong to tasks for good, built or not.
    pub fn digit(self) -> char {
        match self {
            Self::Models => '1',
            Self::Inspect => '2',
            Self::Predict => '3',
            Self::Score => '4',
            Self::Jobs => '9',
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "Models",
            Self::Inspect => "Inspect",
            Self::Predict => "Predict",
            Self::Score => "Score",
            Self::Jobs => "Jobs",
        }
    }
}

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
