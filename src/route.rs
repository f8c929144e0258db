//! Routes without their variable parts, for events about pages and requests.
//!
//! The path of a page has the names of things in it, and often those of people. A template says
//! which parts are variable, and only the template's own words leave.

/// What a template says of `path`: the first of `templates` that matches it, with the names of its
/// variables in place of what the path has there. `None` where none matches: the path itself is
/// never part of the answer.
///
/// A template is a path whose variable segments begin with a colon. A segment matches one segment;
/// a query or fragment of the path is left out, and slashes at the ends do not count. Put the more
/// special template first.
///
/// ```
/// use callhome::route::template;
///
/// let templates = ["/data/schema/:SCHEMA_NAME/tables/:TABLE_NAME/modify", "/api/:VERSION"];
/// let route = template("/data/schema/public/tables/users/modify?tab=2", &templates);
/// assert_eq!(route.as_deref(), Some("/data/schema/SCHEMA_NAME/tables/TABLE_NAME/modify"));
/// assert_eq!(template("/data/schema/public", &templates), None);
/// ```
///
/// Of a path that is unknown an event has null, or a word of one's own:
/// `event.set("url", template(path, &ROUTES).map(Fact::text))`.
pub fn template(path: &str, templates: &[&str]) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    templates.iter().find_map(|template| {
        let mut rest = path.trim_matches('/').split('/');
        let mut route = String::new();
        for part in template.trim_matches('/').split('/') {
            let segment = rest.next()?;
            let name = part.strip_prefix(':');
            let matches = if name.is_some() { !segment.is_empty() } else { segment == part };
            if !matches {
                return None;
            }
            route.push('/');
            route.push_str(name.unwrap_or(part));
        }
        rest.next().is_none().then_some(route)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::template;

    const ROUTES: [&str; 5] =
        ["/", "/users/new", "/users/:USER_ID", "/users/:USER_ID/posts/:POST", "about"];

    #[test]
    fn variable_parts_are_replaced_and_nothing_else_matches() {
        let cases = [
            ("/", Some("/")),
            ("", Some("/")),
            ("/users/new", Some("/users/new")),
            ("/users/new/", Some("/users/new")),
            ("/users/ada@example.com", Some("/users/USER_ID")),
            ("/users/7/posts/a%2Fb#top", Some("/users/USER_ID/posts/POST")),
            ("/users/7/posts/8?q=/x/y", Some("/users/USER_ID/posts/POST")),
            ("/about", Some("/about")),
            ("/users", None),
            ("/users/", None),
            ("/users//posts/8", None),
            ("/users/7/posts", None),
            ("/users/7/posts/8/9", None),
            ("/Users/7", None),
            ("https://example.com/users/7", None),
        ];
        for (path, route) in cases {
            assert_eq!(template(path, &ROUTES).as_deref(), route, "{path:?}");
        }
        assert_eq!(template("/a", &[]), None);
    }

    proptest! {
        #[test]
        fn nothing_of_a_path_is_in_the_answer(path in "[/a-z0-9?#:%@.]{0,40}") {
            if let Some(route) = template(&path, &ROUTES) {
                let known = ["/", "/users/new", "/users/USER_ID", "/users/USER_ID/posts/POST", "/about"];
                prop_assert!(known.contains(&&*route), "{}", route);
            }
        }
    }
}
