//! What people come to do: the navigation of every face, in one order, with one key each.

/// A task, in the order of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Task {
    #[default]
    Models,
    Inspect,
    Predict,
    Score,
    Profile,
    Compare,
    Jobs,
}

impl Task {
    pub const ALL: [Self; 7] = [Self::Models, Self::Inspect, Self::Predict, Self::Score, Self::Profile, Self::Compare, Self::Jobs];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Models => "Models",
            Self::Inspect => "Inspect",
            Self::Predict => "Predict",
            Self::Score => "Score",
            Self::Profile => "Profile",
            Self::Compare => "Compare",
            Self::Jobs => "Jobs",
        }
    }

    /// The key that leads there. Digits belong to tasks for good: what comes between later finds its digit free.
    pub const fn digit(self) -> char {
        match self {
            Self::Models => '1',
            Self::Inspect => '2',
            Self::Predict => '3',
            Self::Score => '4',
            Self::Profile => '5',
            Self::Compare => '7',
            Self::Jobs => '9',
        }
    }

    /// The question that the task answers.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Models => "What do I have, and what is this file?",
            Self::Inspect => "What goes in and out, what is inside, what does each part weigh, can it run here?",
            Self::Predict => "What does it say for this row or picture, and what if?",
            Self::Score => "Predictions for a whole file",
            Self::Profile => "How fast, how big, how much memory, where does the time go, will it fit?",
            Self::Compare => "Is B better than A, and which rows change?",
            Self::Jobs => "What is running, what ran, what came out?",
        }
    }
}
