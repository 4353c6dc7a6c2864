//! Shows the demonstration: redrawn in place on a terminal, a line every few seconds anywhere else.

mod draw;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use super::script::Script;
use super::stage::Stage;
use super::tally::Tally;
use super::upstream::Delivered;
use draw::Colour;

/// Where it is shown.
#[derive(Debug)]
pub(super) enum Screen {
    /// A terminal, ours until the end.
    Live(Live),
    /// A file or a pipe.
    Plain(Plain),
}

/// A terminal that gets its own screen back when this is dropped.
#[derive(Debug)]
pub(super) struct Live {
    /// What stands under everything else.
    hints: String,
    colour: Colour,
}

/// Lines, one after the other.
#[derive(Debug)]
pub(super) struct Plain {
    period: Duration,
    due: Duration,
}

/// What there is to show.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) elapsed: Duration,
    pub(super) script: &'a Script,
    pub(super) tally: &'a Tally,
    pub(super) delivered: &'a Delivered,
}

// === impl Screen ===

impl Screen {
    pub(super) fn open(stage: &Stage, script: &Script) -> Self {
        let hints = draw::hints(stage);
        stage.notes().iter().for_each(|note| print(&format!("{note}\n")));
        print(&hints);
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if is_dumb || !io::stdout().is_terminal() {
            let period = script.pace.length() / N_PLAIN_LINES;
            return Self::Plain(Plain { period, due: period });
        }
        print(ENTER);
        let colour = if std::env::var_os("NO_COLOR").is_none() { Colour::On } else { Colour::Off };
        Self::Live(Live { hints, colour })
    }

    pub(super) fn show(&mut self, view: &View<'_>) {
        match self {
            Self::Live(live) => print(&live.frame(view)),
            Self::Plain(plain) => plain.show(view),
        }
    }

    /// Leaves the terminal as it was, and says what it all came to.
    pub(super) fn end(self, view: &View<'_>, n_failed: u64, log: &Path) {
        drop(self);
        print(&draw::summary(view, n_failed, log));
    }
}

// === impl Live ===

impl Live {
    /// From the top left over what is there, each line cleared to its end, and nothing left below.
    fn frame(&self, view: &View<'_>) -> String {
        let text = format!("{}\n{}", draw::screen(view, self.colour), self.hints);
        // Without the last line's end, which would scroll a screen that is full.
        format!("\x1b[H{}\x1b[J", text.trim_end().replace('\n', "\x1b[K\r\n"))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        print(LEAVE);
    }
}

// === impl Plain ===

impl Plain {
    fn show(&mut self, view: &View<'_>) {
        if self.due <= view.elapsed {
            self.due = view.elapsed + self.period;
            print(&draw::line(view));
        }
    }
}

/// Writes to stdout. A reader that has gone is no reason to stop halfway through the story.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// A second screen, no cursor, and lines that are cut rather than wrapped.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

const N_PLAIN_LINES: u32 = 24;
