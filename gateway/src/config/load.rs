//! The thin shell around the checks: reads the file, the environment and the machine's name.

use std::{ffi::OsString, net::SocketAddr, path::Path};

use super::{
    Config, Location, Problem, Severity, Surroundings, environment::PREFIX, problem::printable,
};
use crate::time_zone::TimeZone;

impl Config {
    /// Reads the file at `path`, overridden by the variables `MAILWEIR_<SECTION>__<KEY>` of
    /// `environment` (as from [`std::env::vars_os`]). With the configuration come warnings.
    ///
    /// # Errors
    /// All problems, if one of them is an error: first those of the file from top to bottom, then
    /// those of the environment, then what is missing.
    pub fn load(
        path: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return Err(vec![unreadable(path, &error)]),
        };
        let (environment, unreadable) = in_utf8(environment);
        let machine_name = machine_name();
        let around = Surroundings {
            environment: &environment,
            machine_name: machine_name.as_deref(),
            time_zone: Some(&TimeZone::of_machine()),
            files: &|path| std::fs::read(path),
        };
        let checked = Self::parse(path, &text, &around);
        if unreadable.is_empty() {
            return checked;
        }
        let (Ok((_, mut problems)) | Err(mut problems)) = checked;
        problems.extend(unreadable);
        Err(problems)
    }

    /// The configuration of `mailweir demo`: loopback only, everything in `data_dir`, all mail to
    /// the sink. The text is `demo.toml`, which is an example too.
    ///
    /// # Errors
    /// If the path of `data_dir` cannot be written in a configuration.
    pub fn demo(data_dir: &Path, sink: SocketAddr) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let (environment, unreadable) = in_utf8([
            ("MAILWEIR_SERVER__DATA_DIR".into(), data_dir.as_os_str().to_owned()),
            ("MAILWEIR_ROUTE__0__TO".into(), format!("smtp://{sink}").into()),
        ]);
        if !unreadable.is_empty() {
            return Err(unreadable);
        }
        let around = Surroundings {
            environment: &environment,
            machine_name: None,
            time_zone: Some(&TimeZone::of_machine()),
            files: &|path| std::fs::read(path),
        };
        Self::parse(Path::new("demo.toml"), DEMO, &around)
    }
}

const DEMO: &str = include_str!("demo.toml");

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        severity: Severity::Error,
        location: Location::File { path: printable(&path.to_string_lossy()) },
        key: String::new(),
        message: format!("cannot be read: {error}"),
        allowed: None,
        help: Some("name the file with -c FILE".to_owned()),
    }
}

/// The variables as text; problems for those of ours that are none.
fn in_utf8(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<(String, String)>, Vec<Problem>) {
    let mut readable = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in environment {
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) {
            continue;
        }
        match value.into_string() {
            Ok(value) => readable.push((name, value)),
            Err(_) => problems.push(Problem {
                severity: Severity::Error,
                location: Location::Variable { name },
                key: String::new(),
                message: "its value is not text in UTF-8".to_owned(),
                allowed: None,
                help: None,
            }),
        }
    }
    (readable, problems)
}

fn machine_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}
