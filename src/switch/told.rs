//! The rules of one program, told to its operators: of the same table that decides.

use super::decision::Mode;
use super::rules::{RULES, Switch};
use super::words::{Meaning, listed};
use crate::error::Error;

impl Switch {
    /// Who is asked, in this order, and how each says no, as Markdown.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the default was not chosen.
    pub(crate) fn told(&self) -> Result<String, Error> {
        let Some(default) = self.default_mode() else {
            return Err(Error::config(
                "nobody has said whether reporting is on when the operator says nothing: give \
                 the builder `opt_out` for on, or `opt_in` for off",
            ));
        };
        let mut lines: Vec<String> = RULES.iter().flat_map(|rule| (rule.tells)(self)).collect();
        lines.push(match default {
            Mode::Off => "If none of them says anything it is off: it is opt-in.".to_owned(),
            Mode::Local | Mode::On => {
                "If none of them says anything it is on: it is opt-out.".to_owned()
            }
        });
        let mut text =
            String::from("Set `DO_NOT_TRACK=1` in the environment, which many programs heed");
        if let Some((name, off)) = self.own_off() {
            text.push_str(&format!(", or `{name}={off}` for this one alone"));
        }
        text.push_str(".\n\n");
        text.push_str("These are asked in this order, and the first that says anything decides.\n");
        text.push_str("Of several of one kind the strictest decides.\n\n");
        for (number, line) in lines.iter().enumerate() {
            text.push_str(&format!("{}. {line}\n", number + 1));
        }
        text.push('\n');
        if self.has_notice() {
            text.push_str("Nothing is collected before the program has shown its notice.\n\n");
        }
        for (meaning, name) in [(Meaning::No, "Off"), (Meaning::Yes, "On")] {
            let words = listed(meaning).replace(", ", "`, `");
            text.push_str(&format!("{name} words are `{words}`.\n"));
        }
        text.push_str(
            "Upper and lower case are the same, an empty value counts as not set, and any\n",
        );
        text.push_str(
            "other value means off. When it is off, nothing is collected, no connection is\n",
        );
        text.push_str("made, and no file of an id or of reports is read or made.\n");
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::ci::CiPolicy;
    use super::super::rules::{Reach, Surroundings};
    use super::super::source::{Polarity, Setting};
    use super::*;

    fn switch(default: Mode) -> Switch {
        let mut switch = Switch::default();
        switch.by_default(default);
        switch.variable(Polarity::Permits, "SHOP_TELEMETRY".into());
        switch.variable(Polarity::OptsOut, "SHOP_OPT_OUT".into());
        switch
    }

    /// Each `NAME=word` of the text does what the words after it say.
    #[test]
    fn what_is_told_of_variables_is_what_they_do() {
        let mut told = 0;
        for default in [Mode::On, Mode::Off] {
            let switch = switch(default);
            let text = switch.told().unwrap();
            let parts: Vec<&str> = text.split('`').collect();
            for pair in parts.windows(2) {
                let Some((name, value)) = pair[0].split_once('=') else { continue };
                let expected = match pair[1] {
                    after if after.contains("switches it off") => Mode::Off,
                    // The two that come before the list.
                    after if after.contains("many programs") || after.contains("this one") => {
                        Mode::Off
                    }
                    after if after.contains("switches it on") => Mode::On,
                    after if after.contains("not sent") => Mode::Local,
                    after => panic!("{name}={value}{after}"),
                };
                let here = Surroundings {
                    lookup: &|asked| (asked == name).then(|| value.into()),
                    executable: &|| Some(PathBuf::from("/usr/bin/shop")),
                };
                let decision = switch.decide_in(Reach::Beyond, &here).unwrap();
                assert_eq!(decision.mode(), expected, "{decision}");
                assert_eq!(decision.rule(), format!("{name}={value}"));
                told += 1;
            }
        }
        assert_eq!(told, 2 * 9);
    }

    #[test]
    fn only_the_sources_of_this_program_are_told() {
        let mut bare = Switch::default();
        assert!(bare.told().is_err());
        bare.by_default(Mode::Off);
        let text = bare.told().unwrap();
        assert!(text.contains("\n4. If none of them says anything it is off"), "{text}");

        let mut all = switch(Mode::On);
        all.setting(Polarity::Permits, "--telemetry".into(), Setting::default());
        all.setting(Polarity::OptsOut, "--no-telemetry".into(), Setting::default());
        all.file("/etc/shop.json".into(), "telemetry.enabled".into());
        all.ci(CiPolicy::Drop);
        all.notice(true);
        let text = all.told().unwrap();
        for line in [
            "6. `--telemetry`: an off word switches it off",
            "7. `--no-telemetry`: an on word switches it off",
            "8. `telemetry.enabled` in `/etc/shop.json`: `false`",
            "9. In CI it is off.",
            "10. If none of them says anything it is on",
            "before the program has shown its notice",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
