//! What can be typed after `drydock models`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Keep models with their versions and aliases: what is live, what was before, what was measured
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models add sample-models/payment-fraud/model.onnx --name fraud\n  drydock models list")]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub act: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    Add(AddArgs),
    /// List the models with their latest versions and their aliases
    #[command(after_help = "Examples:\n  drydock models list\n  drydock models list --json")]
    List,
    Show(ShowArgs),
    Alias(AliasArgs),
    Promote(PromoteArgs),
    Rollback(RollbackArgs),
    History(HistoryArgs),
    Remove(RemoveArgs),
    /// Hold the registry's records and files against their hashes; exit code 1 when something is wrong
    #[command(after_help = "Examples:\n  drydock models verify\n  drydock models verify --json")]
    Verify,
}

/// Add a model: a new version, unless its content is one already
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drydock models add sample-models/payment-fraud/model.onnx --name fraud\n  drydock models add sample-models/payment-fraud-v2/model.onnx --name fraud \\\n    --parent fraud:1 --data sample-models/payment-fraud-v2/reference.csv"
)]
pub struct AddArgs {
    /// The model file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The name of the model that it is a version of
    #[arg(long)]
    pub name: String,

    /// The model that it was made from: a MODEL, or a hash
    #[arg(long, value_name = "MODEL")]
    pub parent: Option<String>,

    /// A file that says how it was made; its text is kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recipe: Option<PathBuf>,

    /// The data that it was trained on; their hash is kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub data: Option<PathBuf>,
}

/// Show a model: its versions, their aliases, lineage and runs
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models show fraud\n  drydock models show fraud --json")]
pub struct ShowArgs {
    pub name: String,
}

/// Point an alias at a version, protect it, or take it away
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models alias fraud:1 champion\n  drydock models alias fraud production --protect")]
pub struct AliasArgs {
    /// name (its latest version) or name:version
    pub model: String,

    /// Such as champion or production
    pub alias: String,

    /// Only a version with a passed check may take the alias from now on
    #[arg(long, conflicts_with_all = ["unprotect", "delete"])]
    pub protect: bool,

    /// Any version may take the alias again
    #[arg(long, conflicts_with = "delete")]
    pub unprotect: bool,

    /// Take the alias away
    #[arg(long)]
    pub delete: bool,

    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Point an alias at a version that is to go live; a protected alias asks for its passed check
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models promote fraud:2 champion --reason 'finds more fraud'\n  drydock models promote fraud:1 champion")]
pub struct PromoteArgs {
    /// name (its latest version) or name:version
    pub model: String,

    #[arg(default_value = "production")]
    pub alias: String,

    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Point an alias at what it pointed at before; again, one step further back
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models rollback fraud champion\n  drydock models rollback fraud champion --reason 'too many alarms'")]
pub struct RollbackArgs {
    pub name: String,

    #[arg(default_value = "production")]
    pub alias: String,

    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Show where aliases pointed: when, by whom, why
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models history fraud\n  drydock models history fraud champion --json")]
pub struct HistoryArgs {
    pub name: String,

    /// Of one alias alone
    pub alias: Option<String>,
}

/// Remove a version (name:version), or a whole model (name)
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock models remove fraud:1 --force\n  drydock models remove fraud --force")]
pub struct RemoveArgs {
    pub model: String,

    /// Also what an alias points at
    #[arg(long)]
    pub force: bool,
}
