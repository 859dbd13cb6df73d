//! `drydock help`: the help of a command, or a topic that concerns several.

use clap::{Args, CommandFactory as _};

use super::args::{Cli, CommonArgs};
use super::output::Output;
use super::runner::Failure;
use crate::page::Page;

/// Explain a command or a topic; `drydock help topics` lists the topics
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drydock help score\n  drydock help topics")]
pub struct HelpArgs {
    /// A command or a topic
    pub about: Option<String>,
}

struct Topic {
    name: &'static str,
    title: &'static str,
    text: &'static str,
}

const TOPICS: &[Topic] = &[
    Topic {
        name: "device",
        title: "Where a model runs",
        text: "\
--device cpu     the processor, with its widest vector instructions (default)
--device gpu     the first GPU; a software adapter where there is no other
--device gpu:N   the N-th adapter in the list of drydock doctor

Where no adapter is found, --device gpu fails with a sentence; Drydock never
changes the device behind your back. Text, maps, trees and shape arithmetic
stay on the processor whatever the device is.",
    },
    Topic {
        name: "model",
        title: "How a MODEL is written",
        text: "\
path             a file; a path that exists wins over a name
name             the latest version of a model in the registry; Drydock says
                 which one that is
name:version     that version, such as fraud:3
name@alias       the version that an alias points at, such as fraud@production

Aliases are free names; 'latest', numbers and 'v' with a number mean versions.
A protected alias (drydock models alias NAME ALIAS --protect) only moves to a
version whose latest recorded drydock check passed. What was checked is the
content, whatever the file is called and on whichever machine it was checked.
Back, drydock models rollback moves it without a check.

The registry lies in the data home, see drydock doctor; DRYDOCK_HOME changes
it. The desktop, terminals and scripts may use it at the same time.",
    },
    Topic {
        name: "contract",
        title: "What a model expects and means",
        text: "\
A contract names the columns that feed a model and their order, the class
labels, the target, units and usual ranges. Drydock looks for it here:

  1. MODEL.drydock.toml beside the model, for you to read and change
  2. the model's own metadata, under drydock.*
  3. the model's inputs: one column per input, or per place of an [N, F] input

A table is bound to a model by --columns or --bind, else by the contract, else
by inputs whose names are columns, else, for a single [N, F] input, by the
order of the file when exactly F feature columns are left. Drydock says which
it was.",
    },
    Topic {
        name: "tables",
        title: "Table formats",
        text: "\
in    CSV and TSV (delimiter and quotes detected), Parquet, NDJSON, Arrow IPC;
      text formats also as .gz or .zst
out   by the name of the output: .csv, .tsv, .parquet, .ndjson, .arrow

Tables stream: memory does not grow with the number of rows. An empty cell is
a missing value. With --on-error skip, rows that can't be scored are set aside
in a file beside the output, with row number, column, value and reason.

Scored columns: prediction and probability_<label> for a classification,
prediction for a regression, <output> or <output>_<i> for anything else.",
    },
    Topic {
        name: "exit-codes",
        title: "Exit codes",
        text: "\
0     done
1     a judgement failed (verify, check)
2     wrong usage or bad input; one sentence on stderr says what and where
130   cancelled with Ctrl-C; nothing half-written is left behind

A reader of stdout that goes away early (drydock … | head) is no failure.",
    },
];

pub fn run(args: &HelpArgs, _: &CommonArgs, output: &mut Output) -> Result<(), Failure> {
    let mut command = Cli::command();
    let Some(about) = args.about.as_deref() else {
        output.page.line(command.render_long_help().to_string().trim_end());
        return Ok(());
    };
    if about == "topics" {
        for topic in TOPICS {
            print(topic, &mut output.page);
        }
        return Ok(());
    }
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == about) {
        print(topic, &mut output.page);
        return Ok(());
    }
    // Built, so that the commands know the options that they share.
    command.build();
    if let Some(command) = command.find_subcommand_mut(about) {
        output.page.line(command.render_long_help().to_string().trim_end());
        return Ok(());
    }
    let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
    let commands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    Err(Failure::Error(format!("there is no help about '{about}'; the topics are {}, the commands {}", topics.join(", "), commands.join(", "))))
}

fn print(topic: &Topic, page: &mut Page) {
    page.heading(&format!("{} ({})", topic.title, topic.name));
    for line in topic.text.lines() {
        page.line(format!("  {line}").trim_end());
    }
}
