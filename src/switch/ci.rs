//! Which CI system this process runs in.
//!
//! A table of our own, because the crates for it (`ci_info`, `is_ci`) read the environment
//! themselves, so that a test would have to change that of its process, and overlook values that
//! are not UTF-8. They also count what hosts set where a program is served (`RENDER`, `VERCEL`,
//! `NODE` with Heroku's path) and names that anybody may use (`RUN_ID`, `BUILD_NUMBER`).

use std::ffi::OsString;

use super::words::{Meaning, Word};

/// What becomes of runs in CI, for [`Builder::ci`](crate::Builder::ci).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CiPolicy {
    /// They report nothing, unless a variable, a setting or a file says yes.
    Drop,
    /// They report, and the schema's field [`ci`](crate::Schema::ci) says which CI it is. Without
    /// such a field this is the same as `Count`. The default.
    #[default]
    Tag,
    /// They report like any other run, and the schema's field `ci` is always null.
    Count,
}

/// A CI system that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ci {
    /// What reports call it.
    pub(super) vendor: &'static str,
    /// The variable that told.
    pub(super) variable: &'static str,
}

/// What reports call a CI system, and the variables that are all set there, to a certain word where
/// one is given. The first that fits counts: one that sets another's variables too comes before it.
#[rustfmt::skip]
pub(super) const VENDORS: [(&str, &[&str]); 44] = [
    ("AGOLA", &["AGOLA_GIT_REF"]),
    ("APPCENTER", &["APPCENTER_BUILD_ID"]),
    ("APPCIRCLE", &["AC_APPCIRCLE"]),
    ("APPVEYOR", &["APPVEYOR"]),
    ("AZURE_PIPELINES", &["TF_BUILD"]),
    ("BAMBOO", &["bamboo_planKey"]),
    ("BITBUCKET", &["BITBUCKET_COMMIT"]),
    ("BITRISE", &["BITRISE_IO"]),
    ("BUDDY", &["BUDDY_WORKSPACE_ID"]),
    ("BUILDKITE", &["BUILDKITE"]),
    ("CIRCLE", &["CIRCLECI"]),
    ("CIRRUS", &["CIRRUS_CI"]),
    ("CODEBUILD", &["CODEBUILD_BUILD_ARN"]),
    ("CODEFRESH", &["CF_BUILD_ID"]),
    ("CODEMAGIC", &["CM_BUILD_ID"]),
    ("CODESHIP", &["CI_NAME=codeship"]),
    ("DRONE", &["DRONE"]),
    ("DSARI", &["DSARI"]),
    ("EARTHLY", &["EARTHLY_CI"]),
    ("FORGEJO_ACTIONS", &["FORGEJO_ACTIONS"]), // sets GitHub's too
    ("GERRIT", &["GERRIT_PROJECT"]),
    ("GITEA_ACTIONS", &["GITEA_ACTIONS"]), // sets GitHub's too
    ("GITHUB_ACTIONS", &["GITHUB_ACTIONS"]),
    ("GITLAB", &["GITLAB_CI"]),
    ("GOCD", &["GO_PIPELINE_LABEL"]),
    ("GOOGLE_CLOUD_BUILD", &["BUILDER_OUTPUT"]),
    ("HARNESS", &["HARNESS_BUILD_ID"]),
    ("JENKINS", &["JENKINS_URL", "BUILD_ID"]), // the URL alone may be a client's setting
    ("HUDSON", &["HUDSON_URL"]), // Jenkins sets it too
    ("LAYERCI", &["LAYERCI"]),
    ("NEVERCODE", &["NEVERCODE"]),
    ("PROW", &["PROW_JOB_ID"]),
    ("SAIL", &["SAILCI"]),
    ("SCREWDRIVER", &["SCREWDRIVER"]),
    ("SEMAPHORE", &["SEMAPHORE"]),
    ("SOURCEHUT", &["CI_NAME=sourcehut"]),
    ("TASKCLUSTER", &["TASKCLUSTER_ROOT_URL"]),
    ("TEAMCITY", &["TEAMCITY_VERSION"]),
    ("TRAVIS", &["TRAVIS"]),
    ("VELA", &["VELA_BUILD_NUMBER"]),
    ("WOODPECKER", &["CI=woodpecker"]),
    ("XCODE_CLOUD", &["CI_XCODE_PROJECT"]),
    ("OTHER", &["CI"]),
    ("OTHER", &["CONTINUOUS_INTEGRATION"]),
];

/// Recognises a CI system by its variables.
///
/// An empty one counts as unset, and so does one with a word for no: `CI=false` is said by people
/// who run a build as if it were not in CI.
pub(super) fn detect(lookup: &dyn Fn(&str) -> Option<OsString>) -> Option<Ci> {
    let holds = |sign: &str| {
        let (variable, word) = sign.split_once('=').map_or((sign, None), |(v, w)| (v, Some(w)));
        let value = lookup(variable);
        match (word, Word::of(value.as_deref())) {
            (Some(word), _) => value.is_some_and(|value| value.eq_ignore_ascii_case(word)),
            (None, Word::Silent | Word::Known(Meaning::No, _)) => false,
            (None, _) => true,
        }
    };
    let (vendor, signs) = VENDORS.iter().find(|(_, signs)| signs.iter().all(|sign| holds(sign)))?;
    let variable = signs.first()?.split('=').next()?;
    Some(Ci { vendor, variable })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recognises by these variables alone.
    fn with(variables: &[(&str, &str)]) -> Option<&'static str> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| OsString::from(value))
        };
        detect(&lookup).map(|ci| ci.vendor)
    }

    #[test]
    fn each_vendor_is_recognised_by_its_variables_and_not_by_fewer() {
        for (vendor, signs) in VENDORS {
            let variables = signs.iter().map(|sign| sign.split_once('=').unwrap_or((sign, "true")));
            let variables: Vec<(&str, &str)> = variables.collect();
            assert_eq!(with(&variables), Some(vendor));
            for missing in 0..variables.len() {
                let mut fewer = variables.clone();
                fewer.remove(missing);
                assert_eq!(with(&fewer), None, "{vendor}");
            }
            for value in ["", " ", "0", "false", "No"] {
                let denied: Vec<(&str, &str)> =
                    variables.iter().map(|(name, _)| (*name, value)).collect();
                assert_eq!(with(&denied), None, "{denied:?}");
            }
        }
    }

    #[test]
    fn who_sets_anothers_variables_too_is_told_apart() {
        let actions = ("GITHUB_ACTIONS", "true");
        assert_eq!(with(&[actions, ("CI", "true")]), Some("GITHUB_ACTIONS"));
        assert_eq!(with(&[actions, ("GITEA_ACTIONS", "true")]), Some("GITEA_ACTIONS"));
        assert_eq!(with(&[actions, ("FORGEJO_ACTIONS", "true")]), Some("FORGEJO_ACTIONS"));
        assert_eq!(with(&[("TRAVIS", "true"), ("CI", "true")]), Some("TRAVIS"));
        let jenkins = [("JENKINS_URL", "u"), ("HUDSON_URL", "u"), ("BUILD_ID", "1")];
        assert_eq!(with(&jenkins), Some("JENKINS"));
        assert_eq!(with(&[("CI", "Woodpecker")]), Some("WOODPECKER"));
        assert_eq!(with(&[("CI", "yes please")]), Some("OTHER"));
        assert_eq!(with(&[("CI_NAME", "mine")]), None);
        assert_eq!(with(&[]), None);
    }

    #[test]
    #[cfg(unix)]
    fn bytes_that_are_not_utf8_are_set_all_the_same() {
        use std::os::unix::ffi::OsStringExt;
        let found = detect(&|name| (name == "CI").then(|| OsString::from_vec(vec![0xff])));
        assert_eq!(found, Some(Ci { vendor: "OTHER", variable: "CI" }));
    }
}
